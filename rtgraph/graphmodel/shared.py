"""Nodes that several objects share: hubs of UIDs, codes, procedure steps.

Nobody owns them: the first object that names one makes it, and it goes with the last.
"""

from dataclasses import dataclass

from rtgraph.graphmodel.properties import Property, later

_MEMBERS = later("n_members", "INTEGER", "edges that lead here, counted")


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """A label and its key; `level` is the target level of the reference table that leads here."""

    label: str
    key: str
    level: str
    properties: tuple[Property, ...]


def _hub(label: str, level: str, note: str) -> Shared:
    return Shared(label, "uid", level, (Property("uid", "STRING", note), _MEMBERS))


CODE = Shared("Code", "key", "code", (
    Property("key", "STRING", "scheme^value"),
    Property("scheme", "STRING", "CodingSchemeDesignator"),
    Property("value", "STRING", "CodeValue, LongCodeValue or URNCodeValue"),
    Property("meaning", "STRING", "CodeMeaning; the first by alphabet when files differ"),
))
SHARED = (
    _hub("ConceptualVolume", "conceptual_volume", "ConceptualVolumeUID: one target or organ"),
    _hub("TreatmentSession", "treatment_session", "TreatmentSessionUID: one visit"),
    _hub("DoseReferenceGroup", "dose_reference_group",
         "DoseReferenceUID: one dose reference of several plans"),
    _hub("IrradiationEvent", "irradiation_event", "IrradiationEventUID: one exposure"),
    _hub("Tracking", "tracking", "TrackingUID: one finding over time"),
    _hub("TreatmentPhase", "treatment_phase", "RTTreatmentPhaseUID"),
    _hub("TreatmentPositionGroup", "treatment_position_group", "TreatmentPositionGroupUID"),
    _hub("DosimetricObjective", "dosimetric_objective", "DosimetricObjectiveUID"),
    _hub("Fiducial", "fiducial", "FiducialUID"),
    _hub("Acquisition", "acquisition", "AcquisitionUID: one acquisition of several series"),
    _hub("SyncFrame", "synchronization_frame", "SynchronizationFrameOfReferenceUID: one clock"),
    _hub("ProcedureStep", "procedure_step", "a performed or scheduled step, never a stored object"),
    CODE,
)
HUBS = {s.level: s for s in SHARED}
SHARED_LABELS = tuple(s.label for s in SHARED)
