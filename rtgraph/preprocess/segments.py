"""Masks from Segmentation objects: binary, fractional and label maps, placed by geometry.

Frames that a segment leaves out are empty, so its planes have gaps by design (PS3.3 C.8.20.2).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from rtgraph.preprocess.contours import Roi
from rtgraph.preprocess.geometry import Grid
from rtgraph.preprocess.mapping import Mapping
from rtgraph.preprocess.masks import Mask, RoiMask, facts_of_voxels
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.sampling import resample
from rtgraph.preprocess.slices import Slice, numbers, slices_of

ON_VOXEL = 0.01  # voxels; frames this close to those of the image are copied, not resampled


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A segment and its frames.

    Attributes
    ----------
    number, label
        SegmentNumber and SegmentLabel.
    slices : tuple of Slice
        Where the frames are.
    fractional : bool
        The shares are more than 0 and 1.
    """

    number: int
    label: str
    slices: tuple[Slice, ...]
    fractional: bool
    _pixels: NDArray[Any]  # of the whole object, shared by its segments
    _frames: tuple[int, ...]
    _kind: str
    _largest: float

    def arrays(self) -> Iterator[NDArray[np.float32]]:
        """Yield the frames in the order of `slices`: (rows, columns), shares from 0 to 1."""
        for k in self._frames:
            frame = self._pixels[k] == self.number if self._kind == "LABELMAP" else self._pixels[k]
            yield (frame / self._largest).astype(np.float32)


def read_segments(ds: Dataset) -> list[Segment]:
    """Return the segments of a Segmentation object, without the background of a label map.

    Raises
    ------
    Refused
        HEADER_ONLY; GRID: frames without position; UNREADABLE pixels or MaximumFractionalValue.
    """
    uid = str(ds.get("SOPInstanceUID", ""))
    if "PixelData" not in ds:
        raise Refused(Code.HEADER_ONLY, f"{uid} has no pixel data")
    slices = slices_of(ds)
    try:
        pixels = np.asarray(ds.pixel_array).reshape(-1, int(ds.Rows), int(ds.Columns))
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError,
            NotImplementedError) as error:
        raise Refused(Code.UNREADABLE, f"the pixels of {uid} cannot be read "
                                       f"({type(error).__name__})") from error
    kind = str(ds.get("SegmentationType") or "")
    largest = numbers([ds.get("MaximumFractionalValue")], 1) if kind == "FRACTIONAL" else [1.0]
    if largest is None or len(pixels) != len(slices):
        raise Refused(Code.UNREADABLE, f"{uid} lacks MaximumFractionalValue or frames")
    frames: dict[int, list[int]] = {}
    for k, frame in enumerate(pixels):
        numbers_of = np.unique(frame).tolist() if kind == "LABELMAP" else _numbers_of(ds, k)
        for number in numbers_of if np.any(frame) else ():
            frames.setdefault(int(number), []).append(k)
    found = []
    for item in ds.get("SegmentSequence") or ():
        number = int(item.get("SegmentNumber") or 0)
        if kind != "LABELMAP" or number:
            own = tuple(frames.get(number, ()))
            found.append(Segment(
                number, str(item.get("SegmentLabel") or ""), tuple(slices[k] for k in own),
                kind == "FRACTIONAL", pixels, own, kind, float(largest[0])))
    return found


def images_of(ds: Dataset) -> frozenset[str]:
    """Return the images that a Segmentation object names, by SOPInstanceUID (PS3.3 C.12.2)."""
    return frozenset(
        str(image.get("ReferencedSOPInstanceUID"))
        for series in ds.get("ReferencedSeriesSequence") or ()
        for image in series.get("ReferencedInstanceSequence") or ())


def _numbers_of(ds: Dataset, frame: int) -> Iterator[int]:
    groups = (ds.PerFrameFunctionalGroupsSequence[frame],
              *(ds.get("SharedFunctionalGroupsSequence") or ()))
    for group in groups:
        for item in group.get("SegmentIdentificationSequence") or ():
            yield int(item.ReferencedSegmentNumber)


def segment_mask(segment: Segment, grid: Grid, mapping: Mapping | None = None) -> Mask | None:
    """Return a segment on the grid of an image; None when it is empty there.

    Frames whose voxels are those of the image are copied. Others are resampled: binary ones by
    the nearest voxel, fractional ones linearly.

    Parameters
    ----------
    segment : Segment
        In the frame of reference of the grid, or carried there by `mapping`.
    grid : Grid
        The image.
    mapping : Mapping, optional
        From points of the image to points of the segment.
    """
    if not segment.slices:
        return None
    whole = None if mapping is not None else _copied(segment, grid)
    if whole is None:
        own, array = _volume(segment)
        whole, _ = resample(array, own, grid, mapping=mapping, nearest=not segment.fractional)
    filled = np.nonzero(whole)
    if not len(filled[0]):
        return None
    start = [int(axis.min()) for axis in filled]
    box = tuple(slice(low, int(axis.max()) + 1) for low, axis in zip(start, filled, strict=True))
    part = whole[box]
    return Mask(segment.number, segment.label,
                part if segment.fractional else (part >= 0.5).astype(np.uint8),
                (start[0], start[1], start[2]), grid)


def of_segment(roi: Roi, mask: Mask | None) -> RoiMask:
    """Return the mask of a segment in the form of an ROI's; there are no contours to tell of."""
    named = None if mask is None else replace(mask, number=roi.number, name=roi.name)
    return RoiMask(roi, named, (), facts_of_voxels(named))


def _copied(segment: Segment, grid: Grid) -> NDArray[np.float32] | None:
    """Return the frames in an array of the grid; None when their voxels are others."""
    whole = np.zeros(grid.shape, np.float32)
    for s, array in zip(segment.slices, segment.arrays(), strict=True):
        if not (np.allclose(s.axes, grid.axes, atol=1e-4)
                and np.allclose(s.spacing, grid.spacing, rtol=1e-3)):
            return None
        index = grid.to_index(s.position[None])[0]
        column, row, plane = (int(k) for k in np.rint(index))
        if np.abs(index - [column, row, plane]).max() > ON_VOXEL + 1e-3 * max(s.size):
            return None
        if not 0 <= plane < grid.shape[0]:
            continue
        rows, columns = array.shape
        top, left = max(row, 0), max(column, 0)
        low, right = min(row + rows, grid.shape[1]), min(column + columns, grid.shape[2])
        if top < low and left < right:
            whole[plane, top:low, left:right] = np.maximum(
                whole[plane, top:low, left:right],
                array[top - row:low - row, left - column:right - column])
    return whole


def _volume(segment: Segment) -> tuple[Grid, NDArray[np.float32]]:
    """Return the frames on even planes, with empty ones where a frame is left out."""
    first = segment.slices[0]
    along = np.array([float((s.position - first.position) @ first.axes[2])
                      for s in segment.slices])
    if not all(np.allclose(s.axes, first.axes, atol=1e-3) and s.size == first.size
               for s in segment.slices):
        raise Refused(Code.MIXED_GEOMETRY, f"frames of segment {segment.number} differ")
    step = _step(along, first.thickness_mm)
    planes = np.rint((along - along.min()) / step).astype(int)
    array = np.zeros((int(planes.max()) + 1, *first.size[::-1]), np.float32)
    for plane, frame in zip(planes, segment.arrays(), strict=True):
        array[plane] = np.maximum(array[plane], frame)
    # an empty plane at both ends, so that the nearest voxel of the end slices is found
    grid = Grid(origin=first.position + (along.min() - step) * first.axes[2], axes=first.axes,
                spacing=first.spacing, size=first.size, thickness_mm=step,
                positions=np.arange(len(array) + 2, dtype=np.float64) * step)
    return grid, np.pad(array, ((1, 1), (0, 0), (0, 0)))


def _step(along: Sequence[float] | NDArray[np.float64], thickness_mm: float) -> float:
    steps = np.diff(np.unique(np.round(along, 3)))
    return float(steps.min()) if len(steps) else thickness_mm


def thresholded(mask: Mask, threshold: float = 0.5) -> Mask:
    """Return a mask of shares as 0 and 1: 1 where the share is at least the threshold."""
    return replace(mask, array=(mask.array >= threshold).astype(np.uint8))
