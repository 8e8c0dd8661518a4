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
    """Interpolate at fractional columns, rows and planes; beyond the border the border goes on."""
    last = np.array(array.shape[::-1]) - 1
    inside = np.clip(index, 0, last)
    if nearest:
        column, row, plane = np.floor(inside + 0.5).astype(np.int64).T
        return np.asarray(array[plane, row, column], np.float64)
    low = np.minimum(np.floor(inside).astype(np.int64), np.maximum(last - 1, 0))
    x, y, z = (inside - low).T
    flat, (columns, rows) = array.reshape(-1), array.shape[:0:-1]
    strides = np.array([1, columns, columns * rows])
    to_column, to_row, to_plane = np.where(last > 0, strides, 0)

    def along(at: NDArray[np.int64]) -> Floats:
        return np.asarray((1 - x) * flat[at] + x * flat[at + to_column], np.float64)

    def across(at: NDArray[np.int64]) -> Floats:
        return np.asarray((1 - y) * along(at) + y * along(at + to_row), np.float64)

    corner = low @ strides
    return np.asarray((1 - z) * across(corner) + z * across(corner + to_plane), np.float64)
