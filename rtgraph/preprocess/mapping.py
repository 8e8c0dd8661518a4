"""Maps from points of one frame of reference to points of another, composed and applied once.

A linear step is a 4 x 4 matrix and may be turned round; a warp is stored in one direction only.
"""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from rtgraph.preprocess.geometry import Floats, Grid
from rtgraph.preprocess.interpolation import between, within
from rtgraph.preprocess.refusals import Code, Refused


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A step by a matrix (4, 4) with the last row 0 0 0 1."""

    matrix: Floats

    def carry(self, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Return points (n, 3) carried by the matrix; all of them are known."""
        moved: Floats = points @ self.matrix[:3, :3].T + self.matrix[:3, 3]
        return moved, np.ones(len(points), bool)


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """A step by a grid of offsets between two matrices.

    Attributes
    ----------
    before, after : (4, 4) float64
        Pre and post deformation matrix.
    offsets : (planes, rows, columns, 3) float64
        Offsets in mm; NaN where the deformation is not defined.
    grid : Grid
        Where the offsets are, in the registered frame.

    Notes
    -----
    PS3.3 C.20.3.1.1: registered points go through the pre deformation matrix, then the offset is
    added, then the post deformation matrix makes a source point of them:
    source = post (pre x + D(x)). The equation there numbers the offsets by the point x of the
    grid, which starts at a registered coordinate: D is read at the registered point, not where the
    first matrix has put it. C.20.3.1.2: between grid points offsets are interpolated.
    C.20.3.1.3: NaN where the deformation is not defined.
    """

    before: Floats
    offsets: Floats
    grid: Grid
    after: Floats

    def carry(self, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Return registered points (n, 3) as source points, and which of them are known.

        A point is known between the centres of the grid where offsets are defined.
        """
        index = self.grid.to_index(points)
        offset = between(self.offsets, index)
        known = within(index, self.grid) & np.all(np.isfinite(offset), axis=1)
        moved = points @ self.before[:3, :3].T + self.before[:3, 3] + np.nan_to_num(offset)
        return moved @ self.after[:3, :3].T + self.after[:3, 3], known


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Steps that are walked one after the other."""

    steps: tuple[Linear | Warp, ...] = ()

    @property
    def matrix(self) -> Floats | None:
        """The product of the steps (4, 4), the first one rightmost; None with a warp."""
        total = np.eye(4)
        for step in self.steps:
            if isinstance(step, Warp):
                return None
            total = step.matrix @ total
        return total

    def carry(self, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Return points (n, 3) after all steps, and which of them every step knows."""
        known = np.ones(len(points), bool)
        for step in self.steps:
            points, here = step.carry(points)
            known &= here
        return points, known

    def then(self, other: "Mapping") -> "Mapping":
        """Return this mapping followed by another."""
        return Mapping((*self.steps, *other.steps))

    def inverse(self) -> "Mapping":
        """Return the way back.

        Raises
        ------
        Refused
            DEFORMABLE_INVERSE: a warp has no way back.
        """
        matrix = self.matrix
        if matrix is None:
            raise Refused(Code.DEFORMABLE_INVERSE, "a deformation is wanted against its direction")
        return Mapping((Linear(np.linalg.inv(matrix).astype(np.float64)),))

    def transform(self) -> sitk.Transform:
        """Return a linear mapping as a SimpleITK transform.

        Raises
        ------
        ValueError
            A step is a warp.
        """
        matrix = self.matrix
        if matrix is None:
            raise ValueError("a warp is no affine transform")
        return sitk.AffineTransform(matrix[:3, :3].ravel().tolist(), matrix[:3, 3].tolist())


IDENTITY = Mapping()
