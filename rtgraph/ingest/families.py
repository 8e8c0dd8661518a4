"""Facts that need a rule of their own, one function a family of objects.

Each takes the data set and the normalised values so far and returns derived properties.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from math import isfinite
from typing import Any

from pydicom.dataset import Dataset

from rtgraph.graphmodel.nodes import Property, stated
from rtgraph.ingest.elements import first_text, items, value_of
from rtgraph.ingest.normalise import LONGEST_TEXT, Invalid

Facts = dict[str, Any]


def combined(day: object, clock: object) -> datetime | None:
    """Return date and time of one event as wall clock; a missing time is midnight."""
    if not isinstance(day, date):
        return None
    return datetime.combine(day, clock if isinstance(clock, time) else time())


def first_datetime(ds: Dataset, events: Iterable[str]) -> datetime | None:
    """Return when the first of the events that has a date took place, for example Content."""
    for event in events:
        day, clock = (value_of(ds, p) for p in stated(f"{event}Date {event}Time"))
        if (found := combined(day, clock)) is not None:
            return found
    return None


def slice_position(ds: Dataset) -> float | None:
    """Return the position of an image along the normal of its plane, mm (PS3.3 C.7.6.2.1.1)."""
    origin, axes = (value_of(ds, p) for p in _PLANE)
    if not (isinstance(origin, list) and isinstance(axes, list)):
        return None
    if len(origin) != 3 or len(axes) != 6:
        return None
    (x, y, z), (a, b, c, d, e, f) = (list(map(_float, v)) for v in (origin, axes))
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    position = x * normal[0] + y * normal[1] + z * normal[2]
    return round(position, 6) if isfinite(position) else None


_PLANE: tuple[Property, ...] = stated("ImagePositionPatient ImageOrientationPatient")


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def structure_set(ds: Dataset, values: Mapping[str, Any]) -> Facts:
    """Count and name the ROIs."""
    rois = items(ds, "StructureSetROISequence")
    names = [first_text(roi, "ROIName")[:LONGEST_TEXT] for roi in rois]
    return {
        "n_rois": len(rois),
        "roi_names": names or None,
        "structure_set_datetime": combined(
            values.get("StructureSetDate"), values.get("StructureSetTime")),
    }


def plan(ds: Dataset, values: Mapping[str, Any]) -> Facts:
    """Count beams by delivery type and planned fractions; SETUP beams are no treatment."""
    beams = items(ds, "BeamSequence") + items(ds, "IonBeamSequence")
    kinds = [first_text(b, "TreatmentDeliveryType").upper() or "TREATMENT" for b in beams]
    groups = items(ds, "FractionGroupSequence")
    (declared,) = stated("NumberOfFractionsPlanned")
    fractions = [v for g in groups if isinstance(v := value_of(g, declared), int)]
    total = sum(fractions)
    return {
        "n_beams": len(beams),
        "n_treatment_beams": kinds.count("TREATMENT"),
        "n_setup_beams": kinds.count("SETUP"),
        "n_fraction_groups": len(groups),
        "n_fractions_planned": total if fractions and abs(total) < 2**63 else None,
        "plan_datetime": combined(values.get("RTPlanDate"), values.get("RTPlanTime")),
    }


def dose(ds: Dataset, values: Mapping[str, Any]) -> Facts:
    """Count grid offsets and stored DVHs."""
    (declared,) = stated("GridFrameOffsetVector")
    offsets = value_of(ds, declared)
    return {
        "n_grid_offsets": len(offsets) if isinstance(offsets, list) else None,
        "n_dvh": len(items(ds, "DVHSequence")),
    }


def record(ds: Dataset, values: Mapping[str, Any]) -> Facts:
    """Combine the date and time of treatment."""
    return {"treatment_datetime": combined(
        values.get("TreatmentDate"), values.get("TreatmentTime"))}


RULES: dict[str, Callable[[Dataset, Mapping[str, Any]], Facts]] = {
    "RTStruct": structure_set, "RTPlan": plan, "RTDose": dose, "RTRecord": record,
}


def usable(value: object) -> bool:
    """Tell whether a value may become a property."""
    return value is not None and not isinstance(value, Invalid)
