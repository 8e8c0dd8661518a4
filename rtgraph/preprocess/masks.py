"""Masks of ROIs on the grid of an image: sparse, one ROI at a time, and how they were made.

A mask is a box of voxels. Its volume is stated twice, from the contours (area times thickness) and
from the voxels, under both readings of holes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from rtgraph.preprocess import raster
from rtgraph.preprocess.contours import Roi
from rtgraph.preprocess.geometry import Grid
from rtgraph.preprocess.ledger import Placed, Result, Row, place
from rtgraph.preprocess.raster import HoleRule, Polygon

Floats = NDArray[np.float64]
DIFFERS_SHARE = 0.05  # two volumes that differ by more are a finding


class Mode(StrEnum):
    """How a voxel belongs to an ROI: by its centre, or by the share of its area."""

    voxel_centre = "voxel-centre"
    area_fraction = "area-fraction"


class Between(StrEnum):
    """What stands on planes without a contour between others: nothing, or a shape in between."""

    none = "none"
    shape = "shape"


@dataclass(frozen=True, slots=True)
class MaskOptions:
    """Choices that change a mask; they are recorded with it."""

    mode: Mode = Mode.voxel_centre
    holes: HoleRule = HoleRule.xor
    between: Between = Between.none


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Voxels of an ROI in a box of the grid; everything outside the box is 0.

    Attributes
    ----------
    array : (planes, rows, columns) uint8 or float32
        0 and 1, or shares from 0 to 1.
    start : (plane, row, column)
        First voxel of the box in the grid.
    grid : Grid
        The whole grid.
    filled_planes : tuple of int
        Planes of the grid that hold an interpolated shape and no contour.
    """

    number: int
    name: str
    array: NDArray[np.uint8] | NDArray[np.float32]
    start: tuple[int, int, int]
    grid: Grid
    filled_planes: tuple[int, ...] = ()

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The place of the box in an array of the whole grid."""
        z, y, x = (slice(s, s + n) for s, n in zip(self.start, self.array.shape, strict=True))
        return z, y, x

    def full(self) -> NDArray[np.uint8] | NDArray[np.float32]:
        """Return the array of the whole grid."""
        whole = np.zeros(self.grid.shape, self.array.dtype)
        whole[self.box] = self.array
        return whole

    @property
    def volume_cc(self) -> float:
        """The volume of the voxels, each as thick as its plane."""
        planes = self.array.sum(axis=(1, 2), dtype=np.float64)
        thickness = self.grid.thicknesses[self.box[0]]
        return float(planes @ thickness) * self.grid.spacing[0] * self.grid.spacing[1] / 1000


@dataclass(frozen=True, slots=True)
class RoiFacts:
    """What the contours of an ROI are on this grid, summed; names as in the graph.

    `volume_xor_cc` and `volume_union_cc` keep and fill holes; `volume_cc` follows the hole rule
    that was chosen. All are areas of polygons times the thickness of their planes.
    """

    n_contours: int
    n_placed: int
    n_contour_planes: int
    n_gap_planes: int
    max_plane_distance_mm: float
    n_off_plane: int
    n_between_planes: int
    n_outside_image: int
    n_malformed: int
    malformed_reasons: tuple[str, ...]
    n_self_intersecting: int
    n_offset_vectors: int
    n_nested_planes: int
    volume_cc: float
    volume_xor_cc: float
    volume_union_cc: float
    n_voxels: float
    volume_voxels_cc: float


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a user should know; `subject` is an ROI number, UID or name of a part."""

    code: str
    severity: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class RoiMask:
    """The mask of an ROI, None when it has no contour to make one of, with ledger and facts."""

    roi: Roi
    mask: Mask | None
    ledger: tuple[Row, ...]
    facts: RoiFacts
    points: tuple[tuple[float, float, float], ...] = ()


def make_mask(roi: Roi, grid: Grid, options: MaskOptions | None = None, sop_uid: str = ""
              ) -> RoiMask:
    """Return the mask of an ROI on a grid.

    Parameters
    ----------
    roi : Roi
        Contours in the frame of reference of the grid, LPS, mm.
    grid : Grid
        The image; uneven planes are allowed.
    options : MaskOptions, optional
        Mode, hole rule, planes in between.
    sop_uid : str
        Structure set, for the ledger.
    """
    options = options or MaskOptions()
    placed = place(roi, grid, sop_uid)
    polygons = [p.polygon for p in placed if p.polygon is not None]
    mask = _rastered(roi, grid, polygons, options) if polygons else None
    if mask is not None and options.between is Between.shape:
        mask = _filled(mask, sorted({p.plane for p in polygons}))
    points = tuple((float(x), float(y), float(z)) for c in roi.contours
                   if c.geometric_type == "POINT" for x, y, z in c.points)
    facts = _facts(placed, polygons, grid, options.holes, mask)
    return RoiMask(roi, mask, tuple(p.row for p in placed), facts, points)


def _rastered(roi: Roi, grid: Grid, polygons: Sequence[Polygon], options: MaskOptions) -> Mask:
    low = np.min([p.points.min(axis=0) for p in polygons], axis=0)
    high = np.max([p.points.max(axis=0) for p in polygons], axis=0)
    first = np.clip(np.floor(low + 0.5), 0, np.array(grid.size) - 1).astype(int)
    last = np.clip(np.ceil(high - 0.5), 0, np.array(grid.size) - 1).astype(int)
    planes = [p.plane for p in polygons]
    start = (min(planes), int(first[1]), int(first[0]))
    shape = (max(planes) - start[0] + 1, int(last[1] - first[1]) + 1, int(last[0] - first[0]) + 1)
    moved = [Polygon(p.points - first, p.plane - start[0], p.exclusive) for p in polygons]
    array: NDArray[np.uint8] | NDArray[np.float32] = (
        raster.inside(moved, shape, options.holes) if options.mode is Mode.voxel_centre
        else raster.coverage(moved, shape, options.holes))
    return Mask(roi.number, roi.name, array, start, grid)


def _filled(mask: Mask, planes: Sequence[int]) -> Mask:
    """Return the mask with shapes between planes that have contours, by signed distance."""
    array, filled = mask.array.copy(), []
    positions = mask.grid.positions
    for a, b in pairwise(planes):
        if b - a == 1:
            continue
        one, other = (_signed_distance(mask.array[k - mask.start[0]], mask.grid) for k in (a, b))
        for k in range(a + 1, b):
            share = (positions[k] - positions[a]) / (positions[b] - positions[a])
            array[k - mask.start[0]] = (1 - share) * one + share * other <= 0
            filled.append(k)
    return Mask(mask.number, mask.name, array, mask.start, mask.grid, tuple(filled))


def _signed_distance(plane: NDArray[np.uint8] | NDArray[np.float32], grid: Grid) -> Floats:
    """Return the distance of pixels in mm from the nearest on the other side, negative inside."""
    region = np.pad(plane >= 0.5, 1)
    outside, inside = (_distance_to(side, grid) for side in (region, ~region))
    return (outside - inside)[1:-1, 1:-1]


def _distance_to(pixels: NDArray[np.bool_], grid: Grid) -> Floats:
    image = sitk.GetImageFromArray(pixels.astype(np.uint8))
    image.SetSpacing([float(s) for s in grid.spacing])
    distance = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=False,
                                            useImageSpacing=True)
    return np.maximum(sitk.GetArrayFromImage(distance).astype(np.float64), 0.0)


def _facts(placed: Sequence[Placed], polygons: Sequence[Polygon], grid: Grid, rule: HoleRule,
           mask: Mask | None) -> RoiFacts:
    rows = [p.row for p in placed]
    planes = sorted({p.plane for p in polygons})
    pixel = grid.spacing[0] * grid.spacing[1]
    by_rule = {r: raster.areas(polygons, grid.shape[0], r) * pixel
               for r in (HoleRule.xor, HoleRule.union, rule)}
    volume = {r: float(a @ grid.thicknesses) / 1000 for r, a in by_rule.items()}
    shared = by_rule[HoleRule.union] - by_rule[HoleRule.xor] > 1e-6 * pixel
    exclusive = {p.plane for p in polygons if p.exclusive}
    closed = [r for r in rows if r.plane_distance_rel is not None
              and not {"TILTED", "NOT_COPLANAR"} & {*r.reasons}]
    malformed = [r for r in rows if r.result in (Result.DEGENERATE, Result.UNREADABLE)]
    reasons = {"FEW_POINTS", "ODD_LENGTH", "COUNT_DIFFERS", "NOT_COPLANAR", "ZERO_AREA",
               "NOT_NUMBERS", "UNKNOWN_TYPE"}
    return RoiFacts(
        n_contours=len(rows), n_placed=len(polygons), n_contour_planes=len(planes),
        n_gap_planes=planes[-1] - planes[0] + 1 - len(planes) if planes else 0,
        max_plane_distance_mm=max((abs(r.plane_distance_mm or 0.0) for r in closed), default=0.0),
        n_off_plane=sum((r.plane_distance_rel or 0) > 0.1 + 1e-6 for r in closed),
        n_between_planes=sum((r.plane_distance_rel or 0) > 0.5 + 1e-6 for r in closed),
        n_outside_image=sum(r.result is Result.OUTSIDE or "BEYOND_EDGE" in r.reasons
                            for r in rows),
        n_malformed=len(malformed),
        malformed_reasons=tuple(sorted({x for r in malformed for x in r.reasons} & reasons)),
        n_self_intersecting=sum("SELF_CROSSING" in r.reasons for r in rows),
        n_offset_vectors=sum("OFFSET_VECTOR" in r.reasons for r in rows),
        n_nested_planes=sum(bool(shared[k]) and k not in exclusive for k in planes),
        volume_cc=volume[rule], volume_xor_cc=volume[HoleRule.xor],
        volume_union_cc=volume[HoleRule.union],
        n_voxels=float(mask.array.sum(dtype=np.float64)) if mask else 0.0,
        volume_voxels_cc=mask.volume_cc if mask else 0.0)


def facts_of_voxels(mask: Mask | None) -> RoiFacts:
    """Return the facts of a mask that no contours were drawn for: its voxels alone."""
    voxels = float(mask.array.sum(dtype=np.float64)) if mask else 0.0
    volume = mask.volume_cc if mask else 0.0
    return RoiFacts(
        n_contours=0, n_placed=0, n_contour_planes=0, n_gap_planes=0, max_plane_distance_mm=0.0,
        n_off_plane=0, n_between_planes=0, n_outside_image=0, n_malformed=0, malformed_reasons=(),
        n_self_intersecting=0, n_offset_vectors=0, n_nested_planes=0, volume_cc=volume,
        volume_xor_cc=volume, volume_union_cc=volume, n_voxels=voxels, volume_voxels_cc=volume)


def findings_of(made: RoiMask) -> list[Finding]:
    """Return what a user should know of the contours of an ROI (thresholds of the ledger)."""
    f, who = made.facts, str(made.roi.number)
    differs = abs(f.volume_union_cc - f.volume_xor_cc) > DIFFERS_SHARE * max(f.volume_union_cc,
                                                                           1e-9)
    voxels = (f.n_placed > 0 and abs(f.volume_voxels_cc - f.volume_cc)
              > DIFFERS_SHARE * max(f.volume_cc, 1e-9))
    table = (
        # code                 severity   it is so                       detail
        ("DUPLICATE_NUMBER",   "error",   made.roi.ambiguous,            "the number stands twice"),
        ("NO_CONTOUR",         "info",    f.n_contours == 0,             "no contours"),
        ("SINGLE_SLICE",       "info",    f.n_contour_planes == 1,       "contours on one plane"),
        ("OUTSIDE_IMAGE",      "error",   f.n_outside_image > 0,         f"{f.n_outside_image}"),
        ("BETWEEN_PLANES",     "error",   f.n_between_planes > 0,        f"{f.n_between_planes}"),
        ("OFF_PLANE",          "warning", f.n_off_plane > f.n_between_planes,
         f"{f.n_off_plane - f.n_between_planes}, up to {f.max_plane_distance_mm:.2f} mm"),
        ("MALFORMED",          "error",   f.n_malformed > 0,
         f"{f.n_malformed}: {', '.join(f.malformed_reasons)}"),
        ("SELF_CROSSING",      "warning", f.n_self_intersecting > 0,
         f"{f.n_self_intersecting}"),
        ("OFFSET_VECTOR",      "error",   f.n_offset_vectors > 0,        f"{f.n_offset_vectors}"),
        ("GAPS",               "warning", f.n_gap_planes > 0,            f"{f.n_gap_planes}"),
        ("NESTED", "warning" if differs else "info", f.n_nested_planes > 0,
         f"{f.n_nested_planes} planes; {f.volume_xor_cc:.2f} cc with holes, "
         f"{f.volume_union_cc:.2f} cc without"),
        ("VOXEL_VOLUME",       "warning", voxels,
         f"{f.volume_voxels_cc:.3f} cc of voxels, {f.volume_cc:.3f} cc of contours"),
    )
    return [Finding(code, severity, who, detail) for code, severity, is_so, detail in table
            if is_so]
