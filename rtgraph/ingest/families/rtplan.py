"""RT Plan and RT Ion Plan: beams, fractions, prescription (PS3.3 C.8.8.10 to C.8.8.25)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rtgraph.graphmodel.parts import (
    APPLICATION_SETUP,
    BEAM,
    DOSE_REFERENCE,
    FRACTION_GROUP,
)
from rtgraph.graphmodel.properties import stated
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.families import beams as of_one_beam
from rtgraph.ingest.families import brachy, technique
from rtgraph.ingest.families.beams import Beam, beam
from rtgraph.ingest.items import Item, first_text, items, number
from rtgraph.ingest.moments import combined

_GROUPS, _REFERENCES, _SETUPS = (
    "FractionGroupSequence", "DoseReferenceSequence", "ApplicationSetupSequence")
_OF_BEAMS, _OF_SETUPS = "ReferencedBeamSequence", "ReferencedBrachyApplicationSetupSequence"
_POSITIONS = "PatientSetupSequence"
_FRACTIONS, _DOSE, _METERSET, _SETUP_DOSE, _TARGET_DOSE = stated(
    "NumberOfFractionsPlanned BeamDose BeamMeterset BrachyApplicationSetupDose "
    "TargetPrescriptionDose")
NEEDED: tuple[tuple[str, ...], ...] = (
    (_GROUPS, _OF_BEAMS, "ReferencedBeamNumber"), (_GROUPS, _OF_BEAMS, "BeamDose"),
    (_GROUPS, _OF_BEAMS, "BeamMeterset"), (_GROUPS, _OF_BEAMS, "ReferencedDoseReferenceUID"),
    (_GROUPS, _OF_SETUPS, "ReferencedBrachyApplicationSetupNumber"),
    (_GROUPS, _OF_SETUPS, "BrachyApplicationSetupDose"),
    (_GROUPS, _OF_SETUPS, "ReferencedDoseReferenceUID"),
    (_GROUPS, "ReferencedDoseReferenceSequence", "ReferencedDoseReferenceNumber"),
    (_POSITIONS, "PatientPosition"),
    *of_one_beam.NEEDED, *brachy.NEEDED,
)


def rt_plan(draft: Draft) -> None:
    """Add the parts of a plan and what they say together."""
    item = draft.item
    references = {suffix: r for index, r in enumerate(items(item, _REFERENCES), 1)
                  if (suffix := draft.part(DOSE_REFERENCE, r, index, (_REFERENCES,)))}
    beams = [beam(draft, b, index, sequence) for sequence in ("BeamSequence", "IonBeamSequence")
             for index, b in enumerate(items(item, sequence), 1)]
    setups = brachy.application_setups(draft)
    groups = items(item, _GROUPS)
    by_number = {b.number: b for b in reversed(beams) if b.number is not None}
    for index, group in enumerate(groups, 1):
        _fraction_group(draft, group, index, by_number, setups, references)
    for one in beams:
        for named in one.dose_references:
            _for_reference(draft, ("Beam", one.suffix), named, references)
    draft.facts |= _counts(draft, beams, groups)
    draft.facts |= _of_beams(beams, bool(setups), brachy.technique(item))
    draft.facts |= _prescribed(draft, groups, references)
    draft.facts |= {
        "n_application_setups": len(items(item, _SETUPS)),
        "total_mu": _total_mu(draft, groups, by_number),
        "patient_positions": sorted({
            p for s in items(item, _POSITIONS) if (p := first_text(s, "PatientPosition").upper())}),
        "plan_datetime": combined(draft.facts.get("RTPlanDate"), draft.facts.get("RTPlanTime")),
    }


def _counts(draft: Draft, beams: Sequence[Beam], groups: Sequence[Item]) -> dict[str, Any]:
    fractions = [v for g in groups if isinstance(v := draft.value(g, _FRACTIONS), int)]
    total = sum(fractions)
    kinds = [b.delivery for b in beams]
    return {
        "n_beams": len(beams),
        "n_treatment_beams": kinds.count("TREATMENT"),
        "n_setup_beams": kinds.count("SETUP"),
        "n_fraction_groups": len(groups),
        "n_fractions_planned": total if fractions and abs(total) < 2**63 else None,
        "duplicate_numbers": _duplicates(draft.item),
    }


def _duplicates(item: Item) -> list[str]:
    found = []
    for kind in (BEAM, FRACTION_GROUP, DOSE_REFERENCE, APPLICATION_SETUP):
        for sequence in (path[0] for path, _ in kind.stated if len(path) == 1):
            times = Counter(number(i, kind.number) for i in items(item, sequence))
            found += [f"{kind.label}:{n}" for n, k in times.items() if k > 1 and n is not None]
    return sorted(found)


def _of_beams(beams: Sequence[Beam], brachytherapy: bool, of_setups: str) -> dict[str, Any]:
    """Say what the treatment beams are together; setup beams do not count."""
    treating = [b for b in beams if b.delivery == "TREATMENT"]
    stereotactic = any(b.stereotactic for b in treating)
    named = technique.of_plan([b.technique for b in treating], stereotactic)
    points = dict.fromkeys(p for b in treating for p in b.isocenters)
    return {
        "radiation_types": sorted({b.radiation for b in treating if b.radiation}),
        "nominal_energies": sorted({e for b in treating for e in b.energies}),
        "fluence_modes": sorted({b.fluence for b in treating if b.fluence}),
        "machines": sorted({b.machine for b in beams if b.machine}),
        "technique": of_setups if brachytherapy else named,
        "technique_rule": technique.RULE,
        "isocenters": [v for point in points for v in point],
    }


def _fraction_group(
    draft: Draft, group: Item, index: int, beams: dict[int, Beam], setups: dict[int, str],
    references: dict[str, Item],
) -> None:
    of_beams = [(number(b, "ReferencedBeamNumber"), b) for b in items(group, _OF_BEAMS)]
    of_setups = [(number(s, "ReferencedBrachyApplicationSetupNumber"), s)
                 for s in items(group, _OF_SETUPS)]
    suffix = draft.part(
        FRACTION_GROUP, group, index, (_GROUPS,),
        unresolved_beam_numbers=sorted({n for n, _ in of_beams if n is not None} - beams.keys()),
        unresolved_setup_numbers=sorted(
            {n for n, _ in of_setups if n is not None} - setups.keys()))
    source = ("FractionGroup", suffix)
    for n, item in of_beams:
        if n in beams:
            draft.link("INCLUDES_BEAM", source, ("Beam", beams[n].suffix),
                       BeamDose=draft.value(item, _DOSE),
                       BeamMeterset=draft.value(item, _METERSET))
    for n, item in of_setups:
        if n in setups:
            draft.link("INCLUDES_SETUP", source, ("ApplicationSetup", setups[n]),
                       BrachyApplicationSetupDose=draft.value(item, _SETUP_DOSE))
    for named in items(group, "ReferencedDoseReferenceSequence"):
        _for_reference(draft, source, number(named, "ReferencedDoseReferenceNumber"), references)
    uids = {first_text(i, "ReferencedDoseReferenceUID") for _, i in (*of_beams, *of_setups)}
    for suffix_of, reference in references.items():
        if (uid := first_text(reference, "DoseReferenceUID")) and uid in uids:
            draft.link("FOR_DOSE_REFERENCE", source, ("DoseReference", suffix_of))


def _for_reference(
    draft: Draft, source: tuple[str, str], named: int | None, references: dict[str, Item]
) -> None:
    suffix = f"#{DOSE_REFERENCE.letter}{named}"
    if suffix in references:
        draft.link("FOR_DOSE_REFERENCE", source, ("DoseReference", suffix))


def _prescribed(
    draft: Draft, groups: Sequence[Item], references: dict[str, Item]
) -> dict[str, Any]:
    """Return the prescription: of targets, else what the beams give in all fractions."""
    stated_doses = [d for r in references.values()
                    if first_text(r, "DoseReferenceType").upper() == "TARGET"
                    and isinstance(d := draft.value(r, _TARGET_DOSE), float) and d > 0]
    doses = [d * n for g in groups if isinstance(n := draft.value(g, _FRACTIONS), int)
             for b in items(g, _OF_BEAMS) if isinstance(d := draft.value(b, _DOSE), float)]
    total, source = None, "NONE"
    if stated_doses:
        total, source = max(stated_doses), "DOSE_REFERENCE"
    elif sum(doses) > 0:
        total, source = sum(doses), "BEAM_DOSE"
    fractions = draft.value(groups[0], _FRACTIONS) if len(groups) == 1 else None
    each = total / fractions if total and isinstance(fractions, int) and fractions > 0 else None
    return {"prescription_dose_gy": total, "prescription_source": source,
            "dose_per_fraction_gy": each}


def _total_mu(draft: Draft, groups: Sequence[Item], beams: dict[int, Beam]) -> float | None:
    metersets = [v for g in groups for b in items(g, _OF_BEAMS)
                 if (n := number(b, "ReferencedBeamNumber")) in beams and beams[n].in_mu
                 and isinstance(v := draft.value(b, _METERSET), float)]
    return sum(metersets) if metersets else None


