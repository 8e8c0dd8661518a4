"""Beams of a plan as plain values: machine, angles, isocentre, control points, metersets.

Angles are in degrees of IEC 61217 as in the file, lengths in mm; an attribute that a control point
leaves out keeps the value of the point before (PS3.3 C.8.8.14).
"""

from typing import Any

from pydicom.dataset import Dataset

from rtgraph.preprocess.slices import numbers

_KEPT = ("GantryAngle", "BeamLimitingDeviceAngle", "PatientSupportAngle", "NominalBeamEnergy")


def beams_of(ds: Dataset) -> list[dict[str, Any]]:
    """Return the beams of an RT Plan or RT Ion Plan, in file order."""
    metersets = {
        int(b.ReferencedBeamNumber): _number(b.get("BeamMeterset"))
        for group in ds.get("FractionGroupSequence") or ()
        for b in group.get("ReferencedBeamSequence") or ()}
    found = []
    for beam in ds.get("BeamSequence") or ds.get("IonBeamSequence") or ():
        number = int(beam.BeamNumber)
        found.append({
            "number": number, "name": str(beam.get("BeamName") or ""),
            "type": str(beam.get("BeamType") or ""),
            "radiation": str(beam.get("RadiationType") or ""),
            "delivery": str(beam.get("TreatmentDeliveryType") or "TREATMENT"),
            "meterset": metersets.get(number), "control_points": _control_points(beam)})
    return found


def _control_points(beam: Dataset) -> list[dict[str, Any]]:
    state: dict[str, Any] = {"isocentre_mm": None, "jaws_and_leaves_mm": {},
                             **dict.fromkeys(map(_snake, _KEPT))}
    found = []
    for point in beam.get("ControlPointSequence") or beam.get("IonControlPointSequence") or ():
        for keyword in _KEPT:
            if point.get(keyword) is not None:
                state[_snake(keyword)] = _number(point.get(keyword))
        isocentre = numbers(point.get("IsocenterPosition"), 3)
        if isocentre is not None:
            state["isocentre_mm"] = isocentre.tolist()
        devices = dict(state["jaws_and_leaves_mm"])
        for device in point.get("BeamLimitingDevicePositionSequence") or ():
            positions = device.get("LeafJawPositions") or ()
            devices[str(device.get("RTBeamLimitingDeviceType"))] = [float(p) for p in positions]
        state["jaws_and_leaves_mm"] = devices
        found.append({**state, "cumulative_meterset_weight": _number(
            point.get("CumulativeMetersetWeight"))})
    return found


def _snake(keyword: str) -> str:
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in keyword)
    return words.lstrip("_") + ("_deg" if keyword.endswith("Angle") else "")


def _number(value: object) -> float | None:
    found = numbers([value], 1)
    return None if found is None else float(found[0])
