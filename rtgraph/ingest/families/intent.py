"""Second generation: prescriptions of an intent, size of a radiation set (PS3.3 C.36.5, C.36.9)."""

from rtgraph.graphmodel.parts import PRESCRIPTION
from rtgraph.graphmodel.properties import stated
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.items import CODE, Item, codes, first_text, items, number
from rtgraph.ingest.normalise import LONGEST_TEXT

_PRESCRIPTIONS, _INTENTS, _OBJECTIVES = (
    "RTPrescriptionSequence", "RTPhysicianIntentSequence", "DosimetricObjectiveSequence")
_TYPE, _PARAMETERS, _UNITS = (
    "DosimetricObjectiveTypeCodeSequence", "DosimetricObjectiveParameterSequence",
    "MeasurementUnitsCodeSequence")
_GRAY = "UCUM^Gy"
_NO_DOSE = -1.0  # lists hold no nulls
(_NUMERIC,) = stated("NumericValue")
NEEDED: tuple[tuple[str, ...], ...] = (
    *((_PRESCRIPTIONS, name) for name in (
        "RTPrescriptionIndex", "RTPrescriptionLabel", "ReferencedRTPhysicianIntentIndex",
        "NumberOfFractions")),
    (_PRESCRIPTIONS, "ReferencedDosimetricObjectivesSequence", "ReferencedDosimetricObjectiveUID"),
    (_INTENTS, "RTPhysicianIntentIndex"), (_INTENTS, "RTTreatmentIntentType"),
    (_OBJECTIVES, "DosimetricObjectiveUID"),
    *((_OBJECTIVES, _TYPE, leaf) for leaf in CODE),
    (_OBJECTIVES, _PARAMETERS, "NumericValue"),
    *((_OBJECTIVES, _PARAMETERS, _UNITS, leaf) for leaf in CODE),
    ("TreatmentPositionGroupSequence",), ("RTRadiationSequence",),
)


def intent(draft: Draft) -> None:
    """Add the prescriptions, with the objectives that they name."""
    intents = {number(i, "RTPhysicianIntentIndex"): first_text(i, "RTTreatmentIntentType")
               for i in items(draft.item, _INTENTS)}
    objectives = {first_text(o, "DosimetricObjectiveUID"): o
                  for o in items(draft.item, _OBJECTIVES)}
    for index, item in enumerate(items(draft.item, _PRESCRIPTIONS), 1):
        named = [objectives[uid] for o in items(item, "ReferencedDosimetricObjectivesSequence")
                 if (uid := first_text(o, "ReferencedDosimetricObjectiveUID")) in objectives]
        draft.part(
            PRESCRIPTION, item, index, (),
            index=number(item, "RTPrescriptionIndex"),
            label=draft.text(item, "RTPrescriptionLabel")[:LONGEST_TEXT] or None,
            intent=intents.get(number(item, "ReferencedRTPhysicianIntentIndex")) or None,
            n_fractions=number(item, "NumberOfFractions"),
            objective_types=["".join(codes(o, _TYPE)[:1]) for o in named],
            objective_doses_gy=[_dose(draft, o) for o in named])


def _dose(draft: Draft, objective: Item) -> float:
    """Return the first parameter in Gy."""
    for parameter in items(objective, _PARAMETERS):
        values = draft.value(parameter, _NUMERIC)
        if _GRAY in codes(parameter, _UNITS) and isinstance(values, list) and values:
            return float(values[0])
    return _NO_DOSE


def radiation_set(draft: Draft) -> None:
    """Count position groups and radiations."""
    draft.facts |= {"n_position_groups": len(items(draft.item, "TreatmentPositionGroupSequence")),
                    "n_radiations": len(items(draft.item, "RTRadiationSequence"))}
