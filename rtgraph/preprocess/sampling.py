"""Values between voxels: linear or nearest, in any orientation, with what was covered.

Even grids go through SimpleITK, uneven ones are interpolated here between their true planes. A
point is covered when it lies between voxel centres; half a voxel further out nothing is known.
"""

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from rtgraph.preprocess.geometry import Floats, Grid, to_image
from rtgraph.preprocess.interpolation import EDGE, between, within
from rtgraph.preprocess.mapping import IDENTITY, Mapping


def resample(
    array: NDArray[np.float32], grid: Grid, target: Grid, *,
    mapping: Mapping | None = None, nearest: bool = False, outside: float = 0.0,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return values on another grid, and where they are known.

    Parameters
    ----------
    array : (planes, rows, columns) float32
        Values on `grid`.
    grid, target : Grid
        Where the values are, and where they are wanted.
    mapping : Mapping, optional
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
    mapping = mapping or IDENTITY
    matrix = mapping.matrix
    if grid.uniform and target.uniform and matrix is not None and min(grid.shape) > 1:
        covered = _covered(grid, target, mapping)
        return _by_library(array, grid, target, mapping, nearest, outside, covered), covered
    values = np.full(target.shape, outside, np.float32)
    covered = np.zeros(target.shape, bool)
    for plane in range(target.shape[0]):
        points, known = mapping.carry(target.plane_points(plane))
        index = grid.to_index(points)
        known &= within(index, grid)
        covered[plane] = known.reshape(target.shape[1:])
        values[plane][covered[plane]] = between(array, index[known], nearest=nearest)
    return values, covered


def _by_library(array: NDArray[np.float32], grid: Grid, target: Grid,
                mapping: Mapping, nearest: bool, outside: float,
                covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    work = sitk.ResampleImageFilter()
    work.SetInterpolator(sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear)
    work.SetSize([int(n) for n in target.shape[::-1]])
    work.SetOutputOrigin([float(x) for x in target.origin])
    work.SetOutputSpacing([float(s) for s in (*target.spacing, target.step)])
    work.SetOutputDirection([float(x) for x in target.axes.T.ravel()])
    work.SetOutputPixelType(sitk.sitkFloat32)
    work.SetUseNearestNeighborExtrapolator(True)  # on the border; what is beyond is set below
    work.SetTransform(mapping.transform())
    values: NDArray[np.float32] = sitk.GetArrayFromImage(work.Execute(to_image(array, grid)))
    values[~covered] = outside
    return values


def _covered(grid: Grid, target: Grid, mapping: Mapping) -> NDArray[np.bool_]:
    """Tell which voxels of a target are covered, where all steps between grids are linear."""
    count = target.shape[::-1]
    last = np.maximum(np.array(count) - 1, 1)
    ends = np.concatenate([np.zeros((1, 3)), np.diag(last)])
    steps = np.array([target.spacing[0], target.spacing[1], target.step])
    index = grid.to_index(mapping.carry(target.origin + (ends * steps) @ target.axes)[0])
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


def at_points(array: NDArray[np.float32], grid: Grid, points: Floats,
              mapping: Mapping | None = None) -> Floats:
    """Interpolate linearly at points (n, 3), LPS, mm; NaN where nothing is known."""
    carried, known = (mapping or IDENTITY).carry(points)
    index = grid.to_index(carried)
    return np.where(known & within(index, grid), between(array, index), np.nan)
