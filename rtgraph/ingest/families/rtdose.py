"""RT Dose: its grid and its stored histograms (PS3.3 C.8.8.3, C.8.8.4)."""

from itertools import pairwise
from math import isfinite
from statistics import median
from typing import Any

from rtgraph.graphmodel.parts import DVH
from rtgraph.graphmodel.properties import stated
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.items import Item, first_text, items, number

_EQUAL_MM = 0.01
_HISTOGRAMS, _ROIS = "DVHSequence", "DVHReferencedROISequence"
_OFFSETS, _ORIGIN, _DATA = stated("GridFrameOffsetVector ImagePositionPatient DVHData")
_FIRST_PAIR = 64  # bytes that hold the first bin of a curve
NEEDED: tuple[tuple[str, ...], ...] = (
    ("GridFrameOffsetVector",), ("ImagePositionPatient",),
    (_HISTOGRAMS, _ROIS, "ReferencedROINumber"), (_HISTOGRAMS, _ROIS, "DVHROIContributionType"),
    (_HISTOGRAMS, "DVHData"),
)


def dose(draft: Draft) -> None:
    """Add what the grid is like, and the histograms."""
    offsets = draft.value(draft.item, _OFFSETS)
    origin = draft.value(draft.item, _ORIGIN)
    draft.facts |= {
        "has_pixel_data": draft.has_pixels,
        "n_grid_offsets": len(offsets) if isinstance(offsets, list) else None,
        "grid_origin": origin if isinstance(origin, list) and len(origin) == 3 else None,
        "n_dvh": len(items(draft.item, _HISTOGRAMS)),
    }
    if isinstance(offsets, list) and all(isinstance(v, float) and isfinite(v) for v in offsets):
        draft.facts |= grid(offsets, draft.facts.get("NumberOfFrames"), draft.facts["grid_origin"])
    for index, item in enumerate(items(draft.item, _HISTOGRAMS), 1):
        draft.part(DVH, item, index, (_HISTOGRAMS,), roi_refs=_rois(item),
                   stored_volume_cc=_volume(draft, item))


def grid(offsets: list[float], frames: int | None, origin: list[float] | None) -> dict[str, Any]:
    """Say what form the frame offsets have (PS3.3 C.8.8.3.2).

    Parameters
    ----------
    offsets : list of float
        GridFrameOffsetVector, mm.
    frames : int or None
        NumberOfFrames.
    origin : list of float or None
        ImagePositionPatient, mm.

    Returns
    -------
    dict
        The properties of RTDose. Offsets are RELATIVE when the first is 0, ABSOLUTE when it is
        the z of the origin, else, or when their number is not that of the frames, INVALID.
    """
    steps = [b - a for a, b in pairwise(offsets)]
    form = "INVALID"
    if len(offsets) == (frames or 1):
        if abs(offsets[0]) <= _EQUAL_MM:
            form = "RELATIVE"
        elif origin and abs(offsets[0] - origin[2]) <= _EQUAL_MM:
            form = "ABSOLUTE"
    return {
        "offsets_form": form,
        "offsets_monotonic": all(s > 0 for s in steps) or all(s < 0 for s in steps),
        "offsets_uniform": not steps or max(steps) - min(steps) <= _EQUAL_MM,
        "grid_spacing_z": abs(median(steps)) if steps else None,
    }


def _rois(item: Item) -> list[str]:
    return sorted({
        f"{first_text(roi, 'DVHROIContributionType').upper() or 'INCLUDED'}:{named}"
        for roi in items(item, _ROIS) if (named := number(roi, "ReferencedROINumber")) is not None})


def _volume(draft: Draft, item: Item) -> float | None:
    """Return the whole volume of a curve in cm3: pairs of bin width and volume."""
    leaf = item.get("DVHData")
    if not isinstance(leaf, tuple) or first_text(item, "DVHVolumeUnits").upper() != "CM3":
        return None
    vr, raw = leaf
    cumulative = first_text(item, "DVHType").upper() == "CUMULATIVE"
    if cumulative:  # the first bin holds all; there may be thousands
        raw = b"\\".join(raw[:_FIRST_PAIR].split(b"\\")[:2])
    values = draft.value({"DVHData": (vr, raw)}, _DATA)
    if not isinstance(values, list) or len(values) < 2:
        return None
    return float(values[1] if cumulative else sum(values[1::2]))
