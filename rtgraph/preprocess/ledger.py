"""Contours laid on the planes of an image, and one row of facts for each of them.

A contour goes to the nearest plane by the distance along the normal, whatever images it names. What
is too far from every plane, beyond the ends, open, a point or broken is not placed, and its row
says so. Nothing ever wraps to another plane.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rtgraph.preprocess import raster
from rtgraph.preprocess.contours import CLOSED, EXCLUSIVE, OPEN, Contour, Roi
from rtgraph.preprocess.geometry import Grid
from rtgraph.preprocess.raster import Polygon

Floats = NDArray[np.float64]
MOVED_REL = 0.1  # of the local spacing; further away a contour is moved, and its row says so
PLACED_REL = 0.5  # further away it is not placed
FLAT_MM = 0.05  # points this close to a plane lie on it
NO_AREA_MM2 = 1e-3


class Result(StrEnum):
    """What became of a contour."""

    PLACED = "PLACED"
    MOVED = "MOVED"
    OUTSIDE = "OUTSIDE"
    OFF_PLANE = "OFF_PLANE"
    DEGENERATE = "DEGENERATE"
    POINT = "POINT"
    OPEN = "OPEN"
    UNREADABLE = "UNREADABLE"


PLACED = frozenset({Result.PLACED, Result.MOVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Facts of one contour; lengths in mm, areas in mm2, indices from 0.

    Attributes
    ----------
    signed_area_mm2 : float
        Positive when the vertices turn from columns to rows.
    plane_distance_mm : float or None
        From the nearest plane, positive along the normal of the image.
    plane_distance_rel : float or None
        Its size as a share of `local_spacing_mm`.
    nested_in : int or None
        Index of the smallest contour on the same plane that encloses this one.
    reasons : tuple of str
        FEW_POINTS, ODD_LENGTH, COUNT_DIFFERS, NOT_COPLANAR, ZERO_AREA, NOT_NUMBERS, UNKNOWN_TYPE
        of contours that cannot be used; TILTED against the planes; PLANE_TAKEN by contours that
        are closer to it; BEYOND_EDGE in part or whole; SELF_CROSSING; OFFSET_VECTOR.
    voxels : int
        Voxel centres that this contour alone has inside.
    """

    sop_uid: str
    roi_number: int
    contour_index: int
    geometric_type: str
    n_points_stated: int | None
    n_points: int
    signed_area_mm2: float | None = None
    perimeter_mm: float | None = None
    plane_distance_mm: float | None = None
    plane_distance_rel: float | None = None
    slice_index: int | None = None
    local_spacing_mm: float | None = None
    nested_in: int | None = None
    result: Result = Result.PLACED
    reasons: tuple[str, ...] = ()
    voxels: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A row, and its contour in columns and rows where it is placed."""

    row: Row
    polygon: Polygon | None = None


def place(roi: Roi, grid: Grid, sop_uid: str = "") -> list[Placed]:
    """Lay the contours of an ROI on the planes of a grid.

    Parameters
    ----------
    roi : Roi
        Contours in the frame of reference of the grid, LPS, mm.
    grid : Grid
        The image; its planes need not be evenly spaced.
    sop_uid : str
        Structure set, for the rows.

    Returns
    -------
    list of Placed
        One for each contour, in its order.
    """
    placed = _apart([_place(c, roi, grid, sop_uid) for c in roi.contours])
    where = [k for k, p in enumerate(placed) if p.polygon is not None]
    polygons = [p for k in where if (p := placed[k].polygon) is not None]
    crossed = raster.self_crossing(polygons)
    voxels = raster.counts(polygons, grid.shape)
    nested = _nested([placed[k] for k in where])
    for k, crosses, n, enclosing in zip(where, crossed, voxels, nested, strict=True):
        row = placed[k].row
        more = ("SELF_CROSSING",) if crosses else ()
        placed[k] = replace(placed[k], row=replace(
            row, voxels=int(n), nested_in=enclosing, reasons=row.reasons + more))
    return placed


def _place(contour: Contour, roi: Roi, grid: Grid, sop_uid: str) -> Placed:
    row = Row(sop_uid=sop_uid, roi_number=roi.number, contour_index=contour.index,
              geometric_type=contour.geometric_type, n_points_stated=contour.n_points_stated,
              n_points=len(contour.points),
              reasons=("OFFSET_VECTOR",) if contour.has_offset else ())
    fault = _unusable(contour)
    if fault is not None:
        result, reason = fault
        return Placed(replace(row, result=result, reasons=(*row.reasons, *reason)))
    local = grid.to_local(contour.points)
    row = replace(
        row, signed_area_mm2=raster.signed_area(local[:, :2]),
        perimeter_mm=float(np.linalg.norm(np.diff(local, axis=0, append=local[:1]), axis=1).sum()))
    row, plane = _nearest(row, local, grid)
    index = local[:, :2] / np.array(grid.spacing)
    polygon = Polygon(index, plane, contour.geometric_type == EXCLUSIVE)
    result, reasons = _judged(row, local, grid, polygon)
    row = replace(row, result=result, reasons=(*row.reasons, *reasons),
                  slice_index=plane if result in PLACED else None)
    return Placed(row, polygon if result in PLACED else None)


def _unusable(contour: Contour) -> tuple[Result, tuple[str, ...]] | None:
    """Return what a contour is when no polygon can be made of it."""
    kind, n = contour.geometric_type, len(contour.points)
    if contour.reason:
        return Result.UNREADABLE, (contour.reason,)
    if contour.n_points_stated != n:
        return Result.UNREADABLE, ("COUNT_DIFFERS",)
    if kind == "POINT":
        return Result.POINT, ()
    if kind in OPEN:
        return Result.OPEN, ()
    if kind not in CLOSED:
        return Result.UNREADABLE, ("UNKNOWN_TYPE",)
    return (Result.DEGENERATE, ("FEW_POINTS",)) if n < 3 else None


def _nearest(row: Row, local: Floats, grid: Grid) -> tuple[Row, int]:
    """Return the row with the nearest plane, and that plane."""
    along = float(local[:, 2].min() + local[:, 2].max()) / 2
    plane = int(np.argmin(np.abs(grid.positions - along)))
    distance, spacing = along - float(grid.positions[plane]), float(grid.nearest_steps[plane])
    return replace(row, plane_distance_mm=distance, local_spacing_mm=spacing,
                   plane_distance_rel=abs(distance) / spacing), plane


def _judged(row: Row, local: Floats, grid: Grid, polygon: Polygon
            ) -> tuple[Result, tuple[str, ...]]:
    spacing, rel = row.local_spacing_mm or 0.0, row.plane_distance_rel or 0.0
    if float(np.ptp(local[:, 2])) > max(MOVED_REL * spacing, FLAT_MM):
        if _off_flat(local) > FLAT_MM:
            return Result.DEGENERATE, ("NOT_COPLANAR",)
        return Result.OFF_PLANE, ("TILTED",)
    if abs(row.signed_area_mm2 or 0.0) < NO_AREA_MM2:
        area = raster.areas([replace(polygon, plane=0)], 1, raster.HoleRule.xor)[0]
        if area * grid.spacing[0] * grid.spacing[1] < NO_AREA_MM2:
            return Result.DEGENERATE, ("ZERO_AREA",)
    if rel > PLACED_REL + 1e-6:
        middle = float(local[:, 2].mean())
        beyond = middle < 0 or middle > grid.positions[-1]
        return (Result.OUTSIDE if beyond else Result.OFF_PLANE), ()
    low, high = polygon.points.min(axis=0) + 0.5, polygon.points.max(axis=0) + 0.5
    if np.any(high <= 0) or np.any(low >= grid.size):
        return Result.OUTSIDE, ("BEYOND_EDGE",)
    edge = ("BEYOND_EDGE",) if np.any(low < 0) or np.any(high > grid.size) else ()
    return (Result.MOVED if rel > MOVED_REL + 1e-6 else Result.PLACED), edge


def _off_flat(local: Floats) -> float:
    """Return the largest distance of points from the plane that fits them best."""
    centred = local - local.mean(axis=0)
    normal = np.linalg.svd(centred, full_matrices=False)[2][-1]
    return float(np.abs(centred @ normal).max())


def _apart(placed: list[Placed]) -> list[Placed]:
    """Keep, of contours from several heights that share a plane, those from the nearest height."""
    best: dict[int, float] = {}
    for p in placed:
        if p.polygon is not None:
            distance = p.row.plane_distance_mm or 0.0
            known = best.setdefault(p.polygon.plane, distance)
            if abs(distance) < abs(known):
                best[p.polygon.plane] = distance
    found = []
    for p in placed:
        if p.polygon is not None:
            distance, spacing = p.row.plane_distance_mm or 0.0, p.row.local_spacing_mm or 0.0
            if abs(distance - best[p.polygon.plane]) > MOVED_REL * spacing:
                row = replace(p.row, result=Result.OFF_PLANE, slice_index=None,
                              reasons=(*p.row.reasons, "PLANE_TAKEN"))
                p = Placed(row)
        found.append(p)
    return found


def _nested(placed: Sequence[Placed]) -> list[int | None]:
    """Return, for each contour, the index of the smallest one that encloses its first vertex."""
    planes: dict[int, list[int]] = {}
    for k, p in enumerate(placed):
        if p.polygon is not None:
            planes.setdefault(p.polygon.plane, []).append(k)
    found: list[int | None] = [None] * len(placed)
    sizes = [abs(p.row.signed_area_mm2 or 0.0) for p in placed]
    for group in planes.values():
        for k in group if len(group) > 1 else ():
            around = [j for j in group if sizes[j] > sizes[k] and _encloses(placed[j], placed[k])]
            if around:
                found[k] = placed[min(around, key=lambda j: sizes[j])].row.contour_index
    return found


def _encloses(outer: Placed, inner: Placed) -> bool:
    if outer.polygon is None or inner.polygon is None:
        return False
    around, (x, y) = outer.polygon.points, inner.polygon.points[0]
    after = np.roll(around, -1, axis=0)
    spans = (around[:, 1] <= y) != (after[:, 1] <= y)
    (x0, y0), (x1, y1) = around[spans].T, after[spans].T
    return bool(np.count_nonzero(x0 + (y - y0) * (x1 - x0) / (y1 - y0) > x) % 2)
