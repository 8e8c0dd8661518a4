"""RT Image and treatment records: what was imaged and delivered (PS3.3 C.8.8.2, C.8.8.21 ff)."""

from rtgraph.graphmodel.parts import BEAM_DELIVERY
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.items import items, text_of
from rtgraph.ingest.moments import combined

_SESSIONS = ("TreatmentSessionBeamSequence", "TreatmentSessionIonBeamSequence",
             "TreatmentSessionApplicationSetupSequence")
_MACHINES = "TreatmentMachineSequence"
NEEDED: tuple[tuple[str, ...], ...] = (("ImageType",),)


def image(draft: Draft) -> None:
    """Add the kind of an RT Image, value 3 of ImageType (PS3.3 C.8.8.2.1)."""
    values = text_of(draft.item, "ImageType").upper().split("\\")
    draft.facts["image_kind"] = (values[2].strip() if len(values) > 2 else "") or None


def record(draft: Draft) -> None:
    """Add the deliveries of a session: beams, or application setups."""
    machine = next(iter(items(draft.item, _MACHINES)), {})
    on_machine = draft.stated(BEAM_DELIVERY, machine, _MACHINES)
    index = 0
    for sequence in _SESSIONS:
        for item in items(draft.item, sequence):
            index += 1
            draft.part(BEAM_DELIVERY, item, index, (sequence,), **on_machine)
    draft.facts |= {
        "n_beams_delivered": index,
        "treatment_datetime": combined(
            draft.facts.get("TreatmentDate"), draft.facts.get("TreatmentTime")),
    }
