"""One beam of a plan: its control points in short (PS3.3 C.8.8.14, C.8.8.25)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rtgraph.graphmodel.parts import BEAM
from rtgraph.graphmodel.properties import Property, stated
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.families import technique
from rtgraph.ingest.items import Item, first_text, items, number

POINTS = {"BeamSequence": "ControlPointSequence", "IonBeamSequence": "IonControlPointSequence"}
_ANGLE, _ENERGY, _ISOCENTER = stated("GantryAngle NominalBeamEnergy IsocenterPosition")
_DEVICES = "BeamLimitingDevicePositionSequence"
_REFERENCES = "ReferencedDoseReferenceSequence"
NEEDED: tuple[tuple[str, ...], ...] = tuple(
    path for beams, points in POINTS.items() for path in (
        (beams, points, "GantryAngle"), (beams, points, "GantryRotationDirection"),
        (beams, points, _DEVICES, "RTBeamLimitingDeviceType"),
        (beams, points, _DEVICES, "LeafJawPositions"),
        (beams, "PrimaryDosimeterUnit"),
        (beams, "PrimaryFluenceModeSequence", "FluenceMode"),
        (beams, "PrimaryFluenceModeSequence", "FluenceModeID"),
        (beams, "ReferencedBolusSequence", "ReferencedROINumber"),
        (beams, _REFERENCES, "ReferencedDoseReferenceNumber"),
    ))


@dataclass(frozen=True, slots=True)
class Beam:
    """What a plan needs to know of a beam."""

    suffix: str
    number: int | None
    delivery: str
    radiation: str
    machine: str
    technique: str | None
    stereotactic: bool
    fluence: str | None
    energies: tuple[float, ...]
    isocenters: tuple[tuple[float, ...], ...]
    in_mu: bool
    dose_references: tuple[int | None, ...]


def beam(draft: Draft, item: Item, index: int, sequence: str) -> Beam:
    """Add a beam; return it in short."""
    points = items(item, POINTS[sequence])
    is_ion = sequence == "IonBeamSequence"
    radiation = first_text(item, "RadiationType").upper()
    moves = technique.gantry(*_turning(draft, points))
    energies = tuple(dict.fromkeys(_floats(draft, points, _ENERGY)))
    named = _technique(item, radiation, moves, points, is_ion)
    fluence = _fluence(item)
    suffix = draft.part(
        BEAM, item, index, (sequence,),
        **_first(draft, points, sequence),
        fluence_mode=fluence, technique=named,
        gantry_start=moves.start, gantry_stop=moves.stop,
        gantry_span=moves.span if moves.start is not None else None,
        beam_energy_min=min(energies) if is_ion and energies else None,
        beam_energy_max=max(energies) if is_ion and energies else None,
        roi_refs=sorted({f"BOLUS:{n}" for b in items(item, "ReferencedBolusSequence")
                         if (n := number(b, "ReferencedROINumber")) is not None}))
    return Beam(
        suffix, number(item, "BeamNumber"),
        first_text(item, "TreatmentDeliveryType").upper() or "TREATMENT", radiation,
        draft.text(item, "TreatmentMachineName"), named,
        first_text(item, "HighDoseTechniqueType").upper() in technique.STEREO,
        fluence, energies, tuple(_isocenters(draft, points)),
        first_text(item, "PrimaryDosimeterUnit").upper() == "MU",
        tuple(number(r, "ReferencedDoseReferenceNumber") for r in items(item, _REFERENCES)))


def _technique(
    item: Item, radiation: str, moves: technique.Gantry, points: Sequence[Item], is_ion: bool
) -> str | None:
    if is_ion:
        return technique.of_ion_beam(first_text(item, "ScanMode").upper())
    if radiation == "ELECTRON":
        return "ELECTRON"
    return technique.of_photon_beam(first_text(item, "BeamType").upper(), moves, points)


def _first(draft: Draft, points: Sequence[Item], sequence: str) -> dict[str, Any]:
    """Return the values of the first control point that states each."""
    values: dict[str, Any] = {}
    missing = [p for p in BEAM.at(sequence, POINTS[sequence]) if not p.companion_of]
    for point in points:
        for declared in [p for p in missing if p.name in point]:
            value = draft.value(point, declared)
            if value is not None:
                values[declared.name] = value
                missing.remove(declared)
        if not missing:
            break
    return values


def _turning(
    draft: Draft, points: Sequence[Item]
) -> tuple[list[float | None], list[str]]:
    """Return angle and direction as every control point states them."""
    angles = [draft.value(point, _ANGLE) for point in points]
    return ([angle if isinstance(angle, float) else None for angle in angles],
            [first_text(point, "GantryRotationDirection").upper() for point in points])


def _floats(draft: Draft, points: Sequence[Item], declared: Property) -> Iterator[float]:
    for point in points:
        if declared.name in point and isinstance(v := draft.value(point, declared), float):
            yield v


def _isocenters(draft: Draft, points: Sequence[Item]) -> Iterator[tuple[float, ...]]:
    for point in points:
        values = draft.value(point, _ISOCENTER) if "IsocenterPosition" in point else None
        if isinstance(values, list) and len(values) == 3:
            yield tuple(values)


def _fluence(item: Item) -> str | None:
    """Return the mode of the primary fluence; a beam without one says nothing."""
    for mode in items(item, "PrimaryFluenceModeSequence"):
        kind = first_text(mode, "FluenceMode").upper()
        ident = first_text(mode, "FluenceModeID").upper()
        return f"{kind} {ident}".strip() or None
    return None
