"""Where voxels lie: planes of pixels in the patient, LPS, mm.

A `Grid` knows the true position of each plane, so that uneven steps and gaps keep their place. Axes
are those of the array: the column index grows along `axes[0]`, the row index along `axes[1]`, the
plane along `axes[2]`, which is their cross product (PS3.3 C.7.6.2.1.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray

from rtgraph.preprocess.refusals import Code, Refused

Floats = NDArray[np.float64]
STEP_MM = 0.01  # steps are equal within this and a share of the median step
STEP_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Grid:
    """Parallel planes of equal pixels.

    Attributes
    ----------
    origin : (3,) float64
        Centre of the first voxel of the first plane.
    axes : (3, 3) float64
        Unit vectors, one a row: along columns, along rows, across planes.
    spacing : (float, float)
        Distance of neighbouring columns and of neighbouring rows.
    positions : (planes,) float64
        Distance of each plane from the first along `axes[2]`, rising from 0.
    size : (int, int)
        Number of columns and of rows.
    drift : (float, float)
        Shift of a plane along `axes[0]` and `axes[1]` for each mm of its position; not zero only
        where a tilted gantry has sheared the stack.
    thickness_mm : float
        What a single plane stands for; without meaning when there are several.
    """

    origin: Floats
    axes: Floats
    spacing: tuple[float, float]
    positions: Floats
    size: tuple[int, int]
    drift: tuple[float, float] = (0.0, 0.0)
    thickness_mm: float = field(default=1.0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns: the shape of an array on this grid."""
        return (len(self.positions), self.size[1], self.size[0])

    @property
    def steps(self) -> Floats:
        """Distances between neighbouring planes."""
        return np.diff(self.positions)

    @property
    def step(self) -> float:
        """The distance of planes: the mean of even ones, else the median; of one its thickness."""
        if len(self.positions) == 1:
            return self.thickness_mm
        steps = self.steps
        return float(steps.mean() if np.all(even(steps)) else np.median(steps))

    @property
    def uniform(self) -> bool:
        """Tell whether the planes are equally far from each other and not sheared."""
        return self.drift == (0.0, 0.0) and bool(np.all(even(self.steps)))

    @property
    def thicknesses(self) -> Floats:
        """What each plane stands for, in mm: half way to both neighbours, at the ends one step."""
        if len(self.positions) == 1:
            return np.array([self.thickness_mm])
        before, after = self._steps_beside()
        return (before + after) / 2

    @property
    def nearest_steps(self) -> Floats:
        """The smaller distance to a neighbour of each plane: the local spacing of contours."""
        if len(self.positions) == 1:
            return np.array([self.thickness_mm])
        return np.minimum(*self._steps_beside())

    def to_index(self, points: ArrayLike) -> Floats:
        """Return column, row and plane, as fractions, of points (n, 3)."""
        local = self.to_local(points)
        local[:, 0] /= self.spacing[0]
        local[:, 1] /= self.spacing[1]
        local[:, 2] = self._plane_index(local[:, 2])
        return local

    def to_local(self, points: ArrayLike) -> Floats:
        """Return mm along columns, rows and planes from the first voxel, for points (n, 3)."""
        local: Floats = (np.asarray(points, np.float64) - self.origin) @ self.axes.T
        local[:, 0] -= self.drift[0] * local[:, 2]
        local[:, 1] -= self.drift[1] * local[:, 2]
        return local

    def to_points(self, index: ArrayLike) -> Floats:
        """Return the points (n, 3) of columns, rows and planes (n, 3), fractions included."""
        wanted = np.asarray(index, np.float64)
        along = np.interp(wanted[:, 2], np.arange(len(self.positions)), self.positions)
        return self._points(wanted[:, 0], wanted[:, 1], along)

    def plane_points(self, plane: int) -> Floats:
        """Return the voxel centres of a plane, (rows * columns, 3)."""
        row, column = np.divmod(np.arange(self.size[0] * self.size[1]), self.size[0])
        return self._points(column, row, np.full(len(row), self.positions[plane]))

    def corners(self) -> Floats:
        """Return the centres of the eight outermost voxels, (8, 3)."""
        ends = [(0, self.size[0] - 1), (0, self.size[1] - 1), (0, len(self.positions) - 1)]
        return self.to_points([(c, r, p) for c in ends[0] for r in ends[1] for p in ends[2]])

    def cropped(self, start: Sequence[int], shape: Sequence[int]) -> "Grid":
        """Return the grid of a box: `start` and `shape` in the order plane, row, column."""
        first = self.to_points([(start[2], start[1], start[0])])[0]
        positions = self.positions[start[0]:start[0] + shape[0]]
        return replace(self, origin=first, positions=positions - positions[0],
                       size=(int(shape[2]), int(shape[1])))

    def straight(self) -> "Grid":
        """Return a uniform grid over the same extent: median step, no shear."""
        if self.uniform:
            return self
        count = int(np.ceil((self.positions[-1] - 1e-6) / self.step)) + 1
        origin, size = self.origin, list(self.size)
        for axis in (0, 1):
            shift = self.drift[axis] * self.positions[-1]
            size[axis] += int(np.ceil(abs(shift) / self.spacing[axis]))
            origin = origin + self.axes[axis] * min(shift, 0.0)
        planes = np.arange(count, dtype=np.float64) * self.step
        return replace(self, origin=origin, positions=planes, size=(size[0], size[1]),
                       drift=(0.0, 0.0))

    def resampled(self, spacing_mm: Sequence[float] | None, orientation: str | None) -> "Grid":
        """Return a grid over the same extent with other spacing or axes.

        Parameters
        ----------
        spacing_mm : (3,) of float, optional
            Along columns, rows and planes of the result; as it is when absent.
        orientation : str, optional
            LPS or RAS: axes parallel to those of the patient. Absent: the axes stay.
        """
        axes = {None: self.axes, "LPS": np.eye(3), "RAS": np.diag([-1.0, -1.0, 1.0])}[orientation]
        if spacing_mm is None:
            turned = np.abs(axes @ self.axes.T)
            steps = np.array([*self.spacing, self.step])
            spacing_mm = tuple(float(steps[np.argmax(row)]) for row in turned)
        local = self.corners() @ axes.T
        low, high = local.min(axis=0), local.max(axis=0)
        count = np.floor((high - low) / np.array(spacing_mm) + 1e-6).astype(int) + 1
        return Grid(origin=low @ axes, axes=axes, spacing=(spacing_mm[0], spacing_mm[1]),
                    positions=np.arange(count[2]) * float(spacing_mm[2]),
                    size=(int(count[0]), int(count[1])), thickness_mm=float(spacing_mm[2]))

    def same_as(self, other: "Grid", tolerance_mm: float = 1e-3) -> bool:
        """Tell whether both have the same voxels."""
        return (self.shape == other.shape
                and bool(np.allclose(self.corners(), other.corners(), atol=tolerance_mm))
                and bool(np.allclose(self.positions, other.positions, atol=tolerance_mm)))

    def _points(self, column: Floats | NDArray[np.int64], row: Floats | NDArray[np.int64],
                along: Floats) -> Floats:
        return (self.origin
                + np.outer(column * self.spacing[0] + self.drift[0] * along, self.axes[0])
                + np.outer(row * self.spacing[1] + self.drift[1] * along, self.axes[1])
                + np.outer(along, self.axes[2]))

    def _steps_beside(self) -> tuple[Floats, Floats]:
        steps = self.steps
        return np.concatenate([steps[:1], steps]), np.concatenate([steps, steps[-1:]])

    def _plane_index(self, along: Floats) -> Floats:
        """Return fractional planes; beyond the ends the last step goes on."""
        planes = self.positions
        if len(planes) == 1:
            return along / self.thickness_mm
        k = np.clip(np.searchsorted(planes, along, side="right") - 1, 0, len(planes) - 2)
        return k + (along - planes[k]) / (planes[k + 1] - planes[k])


def even(steps: Floats) -> NDArray[np.bool_]:
    """Tell of each step whether it equals the median step."""
    if not len(steps):
        return np.ones(0, bool)
    median = float(np.median(steps))
    return np.abs(steps - median) <= STEP_MM + STEP_SHARE * median


def axes_of(orientation: Sequence[float]) -> Floats:
    """Return the axes (3, 3) of an ImageOrientationPatient.

    Raises
    ------
    Refused
        These are not two unit vectors at a right angle.
    """
    if len(orientation) != 6:
        raise Refused(Code.GRID, "ImageOrientationPatient has not six values")
    row, column = np.reshape(np.asarray(orientation, np.float64), (2, 3))
    lengths = np.linalg.norm([row, column], axis=1)
    if not np.all(np.abs(lengths - 1) < 0.01) or abs(float(row @ column)) > 0.01:
        raise Refused(Code.GRID, "ImageOrientationPatient is not two unit vectors at right angles")
    row = row / lengths[0]
    column = column - (column @ row) * row
    column = column / np.linalg.norm(column)
    return np.stack([row, column, np.cross(row, column)])


def to_image(array: NDArray[np.generic], grid: Grid) -> sitk.Image:
    """Return an array (planes, rows, columns) as a SimpleITK image.

    Raises
    ------
    Refused
        The planes are not equally far from each other: such an image has no place for them.
    """
    if not grid.uniform:
        raise Refused(Code.NON_UNIFORM, f"steps {_range(grid.steps)} mm")
    image = sitk.GetImageFromArray(array)
    image.SetOrigin([float(x) for x in grid.origin])
    image.SetSpacing([float(s) for s in (*grid.spacing, grid.step)])
    image.SetDirection([float(x) for x in grid.axes.T.ravel()])
    return image


def grid_of(image: sitk.Image) -> Grid:
    """Return the grid of a SimpleITK image of three dimensions."""
    columns, rows, planes = image.GetSize()
    x, y, z = image.GetSpacing()
    return Grid(origin=np.array(image.GetOrigin()),
                axes=np.array(image.GetDirection()).reshape(3, 3).T, spacing=(x, y),
                positions=np.arange(planes) * z, size=(columns, rows), thickness_mm=z)


def _range(steps: Floats) -> str:
    return f"{steps.min():.3f} to {steps.max():.3f}" if len(steps) else "none"
