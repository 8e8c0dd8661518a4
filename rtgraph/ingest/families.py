"""Facts that need a rule of their own, one function a family of objects.

Each takes the header and the normalised values so far and returns derived properties. `NEEDED`
names what the rules read besides declared properties, so that a scan takes it out.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from math import isfinite
from typing import Any

from rtgraph.graphmodel.properties import stated
from rtgraph.ingest.items import (
    Charset,
    Item,
    Leaf,
    cached_read,
    charset_of,
    first_text,
    items,
    reading,
)
from rtgraph.ingest.normalise import LONGEST_TEXT

Facts = dict[str, Any]

_CLOCKS = {p.name: p for p in stated(" ".join(
    f"{event}{part}" for event in ("Series", "Acquisition", "Content", "InstanceCreation")
    for part in ("Date", "Time")))}
_PLANE = ("ImagePositionPatient", "ImageOrientationPatient")
(_COORDINATE,) = stated("SliceThickness")  # stands for a single decimal of any attribute
(_FRACTIONS,) = stated("NumberOfFractionsPlanned")
(_OFFSETS,) = stated("GridFrameOffsetVector")
NEEDED: tuple[tuple[str, ...], ...] = (
    *((name,) for name in _CLOCKS),
    *((name,) for name in _PLANE), ("FrameOfReferenceUID",),
    ("StructureSetROISequence", "ROIName"),
    ("BeamSequence", "TreatmentDeliveryType"), ("IonBeamSequence", "TreatmentDeliveryType"),
    ("FractionGroupSequence", "NumberOfFractionsPlanned"),
    ("GridFrameOffsetVector",), ("DVHSequence",),
)


def combined(day: object, clock: object) -> datetime | None:
    """Return date and time of one event as wall clock; a missing time is midnight."""
    if not isinstance(day, date):
        return None
    return datetime.combine(day, clock if isinstance(clock, time) else time())


def first_datetime(item: Item, events: Iterable[str]) -> datetime | None:
    """Return when the first of the events that has a date took place, for example Content."""
    for event in events:
        day = item.get(f"{event}Date")
        if isinstance(day, tuple) and day[1]:
            clock = item.get(f"{event}Time")
            found = _moment(event, day, clock if isinstance(clock, tuple) else None)
            if found is not None:
                return found
    return None


@lru_cache(4096)
def _moment(event: str, day: Leaf, clock: Leaf | None) -> datetime | None:
    names = (f"{event}Date", f"{event}Time")
    leaves: Item = {name: leaf for name, leaf in zip(names, (day, clock), strict=True) if leaf}
    return combined(*(reading(leaves, _CLOCKS[name], ()).value for name in names))


def slice_position(item: Item) -> float | None:
    """Return the position of an image along the normal of its plane, mm (PS3.3 C.7.6.2.1.1)."""
    origin, axes = (_coordinates(item.get(name)) for name in _PLANE)
    if len(origin) != 3 or len(axes) != 6:
        return None
    (x, y, z), (a, b, c, d, e, f) = origin, axes
    position = x * (b * f - c * e) + y * (c * d - a * f) + z * (a * e - b * d)
    return round(position, 6) if isfinite(position) else None


def _coordinates(leaf: object) -> list[float]:
    """Return numbers, read one by one: each comes again in other slices, all together do not."""
    raw = leaf[1] if isinstance(leaf, tuple) else b""
    values = [cached_read(part, "DS", _COORDINATE, ()).value for part in raw.split(b"\\")]
    return [v if isinstance(v, float) else float("nan") for v in values]


def structure_set(item: Item, values: Mapping[str, Any], charset: Charset) -> Facts:
    """Count and name the ROIs."""
    rois = items(item, "StructureSetROISequence")
    names = [first_text(roi, "ROIName", charset_of(roi, charset))[:LONGEST_TEXT] for roi in rois]
    return {
        "n_rois": len(rois),
        "roi_names": names or None,
        "structure_set_datetime": combined(
            values.get("StructureSetDate"), values.get("StructureSetTime")),
    }


def plan(item: Item, values: Mapping[str, Any], charset: Charset) -> Facts:
    """Count beams by delivery type and planned fractions; SETUP beams are no treatment."""
    beams = [*items(item, "BeamSequence"), *items(item, "IonBeamSequence")]
    kinds = [first_text(b, "TreatmentDeliveryType").upper() or "TREATMENT" for b in beams]
    groups = items(item, "FractionGroupSequence")
    fractions = [v for g in groups if isinstance(v := reading(g, _FRACTIONS, ()).value, int)]
    total = sum(fractions)
    return {
        "n_beams": len(beams),
        "n_treatment_beams": kinds.count("TREATMENT"),
        "n_setup_beams": kinds.count("SETUP"),
        "n_fraction_groups": len(groups),
        "n_fractions_planned": total if fractions and abs(total) < 2**63 else None,
        "plan_datetime": combined(values.get("RTPlanDate"), values.get("RTPlanTime")),
    }


def dose(item: Item, values: Mapping[str, Any], charset: Charset) -> Facts:
    """Count grid offsets and stored DVHs."""
    offsets = reading(item, _OFFSETS, ()).value
    return {
        "n_grid_offsets": len(offsets) if isinstance(offsets, list) else None,
        "n_dvh": len(items(item, "DVHSequence")),
    }


def record(item: Item, values: Mapping[str, Any], charset: Charset) -> Facts:
    """Combine the date and time of treatment."""
    return {"treatment_datetime": combined(
        values.get("TreatmentDate"), values.get("TreatmentTime"))}


RULES: dict[str, Callable[[Item, Mapping[str, Any], Charset], Facts]] = {
    "RTStruct": structure_set, "RTPlan": plan, "RTDose": dose, "RTRecord": record,
}
