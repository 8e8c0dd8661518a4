"""Masks moved to the grid of a sample, and several masks made one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rtgraph.preprocess.geometry import Grid
from rtgraph.preprocess.masks import Mask
from rtgraph.preprocess.sampling import resample


def mask_on(mask: Mask, target: Grid) -> Mask | None:
    """Return a mask on another grid of the same frame; None when nothing of it is there.

    Masks of 0 and 1 take the nearest voxel, masks of shares are interpolated; labels are never
    mixed. Only the part of the target around the mask is looked at.
    """
    if mask.grid.same_as(target):
        return mask
    low = [max(s - 1, 0) for s in mask.start]
    high = [min(s + n + 1, size) for s, n, size in zip(
        mask.start, mask.array.shape, mask.grid.shape, strict=True)]
    source = mask.grid.cropped(low, [b - a for a, b in zip(low, high, strict=True)])
    array = np.zeros(source.shape, np.float32)
    array[tuple(slice(s - a, s - a + n) for s, a, n in zip(
        mask.start, low, mask.array.shape, strict=True))] = mask.array
    index = target.to_index(source.corners())[:, ::-1]
    first = np.clip(np.floor(index.min(axis=0)) - 1, 0, target.shape).astype(int)
    last = np.clip(np.ceil(index.max(axis=0)) + 2, 0, target.shape).astype(int)
    if np.any(last <= first):
        return None
    box = target.cropped(first.tolist(), (last - first).tolist())
    binary = mask.array.dtype == np.uint8
    moved, _ = resample(array, source, box, nearest=binary)
    if not moved.any():
        return None
    return replace(mask, array=(moved >= 0.5).astype(np.uint8) if binary else moved, grid=target,
                   start=(int(first[0]), int(first[1]), int(first[2])), filled_planes=())


def united(masks: Sequence[Mask]) -> Mask:
    """Return one mask of several on the same grid: the larger value of each voxel."""
    if len(masks) == 1:
        return masks[0]
    start = tuple(min(m.start[k] for m in masks) for k in range(3))
    end = [max(m.start[k] + m.array.shape[k] for m in masks) for k in range(3)]
    array = np.zeros([e - s for s, e in zip(start, end, strict=True)], masks[0].array.dtype)
    for m in masks:
        box = tuple(slice(a - s, a - s + n) for a, s, n in zip(
            m.start, start, m.array.shape, strict=True))
        array[box] = np.maximum(array[box], m.array)
    return replace(masks[0], array=array, start=(start[0], start[1], start[2]),
                   filled_planes=tuple(sorted({p for m in masks for p in m.filled_planes})))
