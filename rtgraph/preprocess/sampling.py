"""Values between voxels: linear or nearest, in any orientation, with what was covered.

Even grids go through SimpleITK, uneven ones are interpolated here between their true planes. A
point is covered when it lies between voxel centres; half a voxel further out nothing is known.
"""

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from rtgraph.preprocess.geometry import Floats, Grid, to_image

EDGE = 1e-6  # voxels by which rounding may carry a point over the border


def resample(
    array: NDArray[np.float32], grid: Grid, target: Grid, *,
    transform: sitk.Transform | None = None, nearest: bool = False, outside: float = 0.0,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return values on another grid, and where they are known.

    Parameters
    ----------
    array : (planes, rows, columns) float32
        Values on `grid`.
    grid, target : Grid
        Where the values are, and where they are wanted.
    transform : SimpleITK transform, optional
        From points of the target to points of the array; absent when both share a frame.
    nearest : bool
        The nearest voxel instead of linear interpolation.
    outside : float
        Value where nothing is known.

    Returns
    -------
    values : float32, covered : bool
        Both of the shape of `target`.
    """
    linear = transform is None or transform.IsLinear()
    if grid.uniform and target.uniform and linear and min(grid.shape) > 1:
        covered = _covered(grid, target, transform)
        return _by_library(array, grid, target, transform, nearest, outside, covered), covered
    values = np.full(target.shape, outside, np.float32)
    covered = np.zeros(target.shape, bool)
    for plane in range(target.shape[0]):
        index = grid.to_index(mapped(target.plane_points(plane), transform))
        known = within(index, grid)
        covered[plane] = known.reshape(target.shape[1:])
        values[plane][covered[plane]] = _between(array, index[known], nearest)
    return values, covered


def _by_library(array: NDArray[np.float32], grid: Grid, target: Grid,
                transform: sitk.Transform | None, nearest: bool, outside: float,
                covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    work = sitk.ResampleImageFilter()
    work.SetInterpolator(sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear)
    work.SetSize([int(n) for n in target.shape[::-1]])
    work.SetOutputOrigin([float(x) for x in target.origin])
    work.SetOutputSpacing([float(s) for s in (*target.spacing, target.step)])
    work.SetOutputDirection([float(x) for x in target.axes.T.ravel()])
    work.SetOutputPixelType(sitk.sitkFloat32)
    work.SetUseNearestNeighborExtrapolator(True)  # on the border; what is beyond is set below
    if transform is not None:
        work.SetTransform(transform)
    values: NDArray[np.float32] = sitk.GetArrayFromImage(work.Execute(to_image(array, grid)))
    values[~covered] = outside
    return values


def _covered(grid: Grid, target: Grid, transform: sitk.Transform | None) -> NDArray[np.bool_]:
    """Tell which voxels of a target are covered, where all steps between grids are linear."""
    count = target.shape[::-1]
    last = np.maximum(np.array(count) - 1, 1)
    ends = np.concatenate([np.zeros((1, 3)), np.diag(last)])
    steps = np.array([target.spacing[0], target.spacing[1], target.step])
    index = grid.to_index(mapped(target.origin + (ends * steps) @ target.axes, transform))
    start, moves = index[0], (index[1:] - index[0]) / last[:, None]
    covered = np.ones(target.shape, bool)
    for axis in range(3):
        parts = [moves[k, axis] * np.arange(count[k]) for k in range(3)]
        moving = [k for k in range(3) if np.abs(parts[k]).max() > EDGE / 10]
        at = np.full((1, 1, 1), start[axis])
        for k in moving:
            at = at + parts[k].reshape([-1 if 2 - k == d else 1 for d in range(3)])
        covered &= (at >= -EDGE) & (at <= grid.shape[2 - axis] - 1 + EDGE)
    return covered


def at_points(array: NDArray[np.float32], grid: Grid, points: Floats) -> Floats:
    """Interpolate linearly at points (n, 3), LPS, mm; NaN where nothing is known."""
    index = grid.to_index(points)
    return np.where(within(index, grid), _between(array, index, nearest=False), np.nan)


def within(index: Floats, grid: Grid) -> NDArray[np.bool_]:
    """Tell of fractional columns, rows and planes (n, 3) whether voxel centres surround them.

    A grid of a single plane (row, column) is taken half its thickness (spacing) to both sides.
    """
    n = np.array(grid.shape[::-1])
    low = np.where(n > 1, 0.0, -0.5) - EDGE
    high = np.where(n > 1, n - 1.0, 0.5) + EDGE
    return np.asarray(np.all((index >= low) & (index <= high), axis=1))


def mapped(points: Floats, transform: sitk.Transform | None) -> Floats:
    """Return points (n, 3) carried by a transform; a linear one by its matrix at once."""
    if transform is None:
        return points
    if transform.IsLinear():
        origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
        matrix = np.stack([np.array(transform.TransformPoint(tuple(e))) - origin
                           for e in np.eye(3).tolist()], axis=1)
        moved: Floats = points @ matrix.T + origin
        return moved
    return np.array([transform.TransformPoint(p) for p in points.tolist()])


def _between(array: NDArray[np.float32], index: Floats, nearest: bool) -> Floats:
    """Interpolate at fractional columns, rows and planes; beyond the border the border goes on."""
    last = np.array(array.shape[::-1]) - 1
    inside = np.clip(index, 0, last)
    if nearest:
        column, row, plane = np.floor(inside + 0.5).astype(np.int64).T
        return np.asarray(array[plane, row, column], np.float64)
    low = np.minimum(np.floor(inside).astype(np.int64), np.maximum(last - 1, 0))
    high = np.minimum(low + 1, last)
    part = inside - low
    found = np.zeros(len(index))
    for corner in range(8):
        upper = [(corner >> axis) & 1 for axis in range(3)]
        at = [high[:, a] if upper[a] else low[:, a] for a in range(3)]
        weight = np.prod([part[:, a] if upper[a] else 1 - part[:, a] for a in range(3)], axis=0)
        found += weight * array[at[2], at[1], at[0]]
    return found
