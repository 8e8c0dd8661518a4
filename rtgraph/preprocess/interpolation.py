"""Values at fractional columns, rows and planes of an array."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.preprocess.geometry import Floats, Grid

EDGE = 1e-6  # voxels by which rounding may carry a point over the border


def within(index: Floats, grid: Grid) -> NDArray[np.bool_]:
    """Tell of fractional columns, rows and planes (n, 3) whether voxel centres surround them.

    A grid of a single plane (row, column) is taken half its thickness (spacing) to both sides.
    """
    n = np.array(grid.shape[::-1])
    low = np.where(n > 1, 0.0, -0.5) - EDGE
    high = np.where(n > 1, n - 1.0, 0.5) + EDGE
    return np.asarray(np.all((index >= low) & (index <= high), axis=1))


def between(array: NDArray[np.floating[Any]], index: Floats, *, nearest: bool = False) -> Floats:
    """Interpolate at fractional columns, rows and planes; beyond the border the border goes on.

    Parameters
    ----------
    array : (planes, rows, columns, ...) float
        Values, or vectors of them.
    index : (n, 3) float64

    Returns
    -------
    (n, ...) float64
    """
    planes, rows, columns, *components = array.shape
    last = np.array([columns, rows, planes]) - 1
    inside = np.clip(index, 0, last)
    if nearest:
        column, row, plane = np.floor(inside + 0.5).astype(np.int64).T
        return np.asarray(array[plane, row, column], np.float64)
    low = np.minimum(np.floor(inside).astype(np.int64), np.maximum(last - 1, 0))
    x, y, z = (inside - low).T.reshape(3, -1, *(1 for _ in components))
    flat, strides = array.reshape(-1, *components), np.array([1, columns, columns * rows])
    to_column, to_row, to_plane = np.where(last > 0, strides, 0)  # a single plane has no next

    def along(at: NDArray[np.int64]) -> Floats:
        return np.asarray((1 - x) * flat[at] + x * flat[at + to_column], np.float64)

    def across(at: NDArray[np.int64]) -> Floats:
        return np.asarray((1 - y) * along(at) + y * along(at + to_row), np.float64)

    corner = low @ strides
    return np.asarray((1 - z) * across(corner) + z * across(corner + to_plane), np.float64)
