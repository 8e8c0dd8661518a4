"""Processing of masks as declared steps: parts, holes and margins, in mm and cc, recorded.

A drawn mask is never changed without a step that says so. Parts are voxels that share a face;
distances are those of voxel centres, so they hold on voxels of any shape. What lies outside the
image is outside the mask.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from rtgraph.errors import UsageError
from rtgraph.preprocess.declared import Declared, parse
from rtgraph.preprocess.masks import Mask
from rtgraph.preprocess.placing import mask_on

Voxels = NDArray[np.bool_]
LARGEST_MM = 200.0  # margins
_ROUNDING_MM = 1e-4  # distance maps are float32


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskStep(Declared):
    """A step for masks; `rois` are the names of the masks that it is for, all when empty."""

    rois: tuple[str, ...] = ()

    @property
    def margin_mm(self) -> float:
        """How far a mask may grow."""
        return 0.0

    def apply(self, mask: Voxels, spacing: tuple[float, float, float]) -> Voxels:
        """Return a mask (planes, rows, columns) after the step.

        Parameters
        ----------
        mask : (planes, rows, columns) bool
            Everything outside is empty; there is room for `margin_mm`, and one voxel more.
        spacing : (float, float, float)
            Of planes, rows and columns, mm.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestPart(MaskStep):
    """The part of the largest volume stays; of equal ones, that with the lowest plane."""

    name: ClassVar[str] = "largest-part"

    def apply(self, mask: Voxels, spacing: tuple[float, float, float]) -> Voxels:
        """Return the largest part."""
        labels, counts = _parts(mask)
        if len(counts) < 2:
            return mask
        flat = labels.ravel()
        largest = np.isin(flat, 1 + np.flatnonzero(counts == counts.max()))
        return np.asarray(labels == flat[int(np.argmax(largest))])


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSmall(MaskStep):
    """Parts of less than `min_cc` are left out."""

    min_cc: float
    name: ClassVar[str] = "remove-small"

    def __post_init__(self) -> None:
        self.require(self.min_cc > 0, "min_cc is above 0")

    def apply(self, mask: Voxels, spacing: tuple[float, float, float]) -> Voxels:
        """Return the parts that are large enough."""
        labels, counts = _parts(mask)
        kept = counts * float(np.prod(spacing)) / 1000 >= self.min_cc * (1 - 1e-9)
        return np.asarray(np.isin(labels, 1 + np.flatnonzero(kept)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FillHoles(MaskStep):
    """What the mask encloses belongs to it; `within` each plane, or only the whole volume."""

    within: str = "volume"
    name: ClassVar[str] = "fill-holes"

    def __post_init__(self) -> None:
        self.require(self.within in ("volume", "plane"), "within is volume or plane")

    def apply(self, mask: Voxels, spacing: tuple[float, float, float]) -> Voxels:
        """Return the mask without holes."""
        padded = np.pad(mask, 1)
        if self.within == "volume":
            filled = _filled(padded)
        else:
            filled = np.stack([_filled(plane) if plane.any() else plane for plane in padded])
        return filled[1:-1, 1:-1, 1:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Margin(MaskStep):
    mm: float

    def __post_init__(self) -> None:
        self.require(0 < self.mm <= LARGEST_MM, f"mm is above 0 and at most {LARGEST_MM:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grow(_Margin):
    """Voxels whose centre is at most `mm` from the centre of one of the mask join it."""

    name: ClassVar[str] = "grow"

    @property
    def margin_mm(self) -> float:
        """How far a mask may grow."""
        return self.mm

    def apply(self, mask: Voxels, spacing: tuple[float, float, float]) -> Voxels:
        """Return the larger mask."""
        return _near(mask, spacing, self.mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrink(_Margin):
    """Voxels whose centre is at most `mm` from the centre of one outside leave the mask."""

    name: ClassVar[str] = "shrink"

    def apply(self, mask: Voxels, spacing: tuple[float, float, float]) -> Voxels:
        """Return the smaller mask."""
        padded = np.pad(mask, 1)
        kept = padded & ~_near(~padded, spacing, self.mm)
        return kept[1:-1, 1:-1, 1:-1]


MASK_STEPS: dict[str, type[MaskStep]] = {
    s.name: s for s in (FillHoles, Grow, LargestPart, RemoveSmall, Shrink)}


def parse_mask_steps(rows: Sequence[dict[str, Any]]) -> tuple[MaskStep, ...]:
    """Return the mask steps of a configuration; raises UsageError as `declared.parse`."""
    return parse(rows, MASK_STEPS)


def processed(mask: Mask, steps: Sequence[MaskStep], *names: str
              ) -> tuple[Mask | None, tuple[dict[str, Any], ...]]:
    """Return a mask after the steps that are for it, and what each of them did.

    Parameters
    ----------
    mask : Mask
        Of 0 and 1. Where its planes are uneven, the result is on the straight grid.
    steps : sequence of MaskStep
        All steps of a configuration, in order.
    *names : str
        What the mask is called; a step that lists other names only is not for it.

    Returns
    -------
    mask : Mask or None
        None when nothing is left.
    done : tuple of dict
        Step, parameters, volume in cc and voxels before and after.

    Raises
    ------
    UsageError
        The mask holds shares of voxels.
    """
    mine = [s for s in steps if not s.rois or not set(s.rois).isdisjoint(names)]
    if not mine:
        return mask, ()
    if mask.array.dtype != np.uint8:
        raise UsageError("Steps for masks need whole voxels, not shares.")
    now = mask_on(mask, mask.grid.straight())
    done = []
    for step in mine:
        before = _size(now)
        if now is not None:
            now = _stepped(now, step)
        after = _size(now)
        done.append({**step.record(), "volume_before_cc": before[0], "volume_after_cc": after[0],
                     "voxels_before": before[1], "voxels_after": after[1]})
    return now, tuple(done)


def _size(mask: Mask | None) -> tuple[float, int]:
    return (0.0, 0) if mask is None else (mask.volume_cc, int(mask.array.sum(dtype=np.int64)))


def _stepped(mask: Mask, step: MaskStep) -> Mask | None:
    """Return a mask after a step, in a box that fits."""
    grid = mask.grid
    spacing = (grid.step, grid.spacing[1], grid.spacing[0])
    room = [int(np.ceil(step.margin_mm / s)) + 1 for s in spacing]
    low = [s - r for s, r in zip(mask.start, room, strict=True)]
    array = step.apply(np.pad(mask.array > 0, [(r, r) for r in room]), spacing)
    inside = tuple(slice(max(-a, 0), max(min(n - a, size), 0)) for a, n, size in zip(
        low, grid.shape, array.shape, strict=True))
    array, low = array[inside], [max(a, 0) for a in low]
    filled = np.nonzero(array)
    if not len(filled[0]):
        return None
    first = [int(axis.min()) for axis in filled]
    box = tuple(slice(a, int(axis.max()) + 1) for a, axis in zip(first, filled, strict=True))
    start = [a + b for a, b in zip(low, first, strict=True)]
    planes = range(start[0], start[0] + box[0].stop - box[0].start)
    return replace(mask, array=array[box].astype(np.uint8), start=(start[0], start[1], start[2]),
                   filled_planes=tuple(p for p in mask.filled_planes if p in planes))


def _parts(mask: Voxels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of the part of each voxel, 0 outside, and the voxels of each part."""
    found = sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8)), False)
    labels = sitk.GetArrayFromImage(found).astype(np.int64)
    return labels, np.bincount(labels.ravel())[1:]


def _filled(mask: Voxels) -> Voxels:
    image = sitk.BinaryFillhole(sitk.GetImageFromArray(mask.astype(np.uint8)), False, 1)
    return np.asarray(sitk.GetArrayFromImage(image) > 0)


def _near(mask: Voxels, spacing: tuple[float, float, float], reach_mm: float) -> Voxels:
    """Return the voxels whose centre is at most this far from the centre of one of a mask."""
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing([float(s) for s in spacing[::-1]])
    distance = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=False,
                                            useImageSpacing=True)
    return np.asarray(mask | (sitk.GetArrayFromImage(distance) <= reach_mm + _ROUNDING_MM))
