"""Dose and volume of ROIs from the native dose grid, with partial volumes.

Each contour stands for a slab as thick as its plane, the end slices in full. The slab is cut into
cells; a cell counts with the exact share of its area that is in the region, and with the dose that
the native grid has at its centre by linear interpolation. This is no replacement for a planning
system, whose end slices and sampling may differ.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.errors import UsageError
from rtgraph.preprocess import raster
from rtgraph.preprocess.contours import Roi
from rtgraph.preprocess.dose import Dose
from rtgraph.preprocess.geometry import Floats, Grid
from rtgraph.preprocess.interpolation import within
from rtgraph.preprocess.ledger import place
from rtgraph.preprocess.mapping import IDENTITY, Mapping
from rtgraph.preprocess.masks import Mask
from rtgraph.preprocess.raster import HoleRule, Polygon
from rtgraph.preprocess.sampling import at_points

LAYER_MM = 1.0  # a slab is cut into layers no thicker than this, or a quarter of a dose step
CELL_MM = 0.25  # the finest cells
_CELLS = 1_000_000  # cells of an ROI that are aimed at, before those of the dose grid are reached
_METRIC = re.compile(r"(?P<kind>[DV])(?P<value>\d+(?:\.\d+)?)(?P<unit>%|Gy|cc)?(?P<in>_cc)?")


@dataclass(frozen=True, eq=False)
class Dvh:
    """Doses of the cells of an ROI and their volumes.

    Attributes
    ----------
    doses_gy : (n,) float64
        Rising.
    volumes_cc : (n,) float64
        Volume of each.
    volume_cc : float
        Of the whole ROI, also where there is no dose.
    """

    doses_gy: Floats
    volumes_cc: Floats
    volume_cc: float

    @classmethod
    def nothing(cls) -> "Dvh":
        """Return the DVH of an ROI without volume."""
        return cls(np.zeros(0), np.zeros(0), 0.0)

    @property
    def covered(self) -> float:
        """The share of the ROI inside the dose grid; NaN for an ROI without volume."""
        return float(self.volumes_cc.sum()) / self.volume_cc if self.volume_cc else float("nan")

    @property
    def mean_gy(self) -> float:
        """Mean dose of the covered part."""
        return float(np.average(self.doses_gy, weights=self.volumes_cc)) if self._any else np.nan

    @property
    def min_gy(self) -> float:
        """Smallest dose of the covered part."""
        return float(self.doses_gy[0]) if self._any else np.nan

    @property
    def max_gy(self) -> float:
        """Largest dose of the covered part."""
        return float(self.doses_gy[-1]) if self._any else np.nan

    def dose_of_volume(self, volume_cc: float) -> float:
        """Return the smallest dose in the hottest part of this volume (Dx), in Gy.

        NaN when the covered part is smaller.
        """
        if not self._any or volume_cc > self._above[0] * (1 + 1e-9):
            return np.nan
        return float(np.interp(-volume_cc, -self._above, self.doses_gy))

    def volume_of_dose(self, dose_gy: float) -> float:
        """Return the volume that gets at least this dose (Vx), in cc; 0 above the maximum.

        Doses that are less by one in a million, which is rounding, count too.
        """
        first = int(np.searchsorted(self.doses_gy, dose_gy * (1 - 1e-6), side="left"))
        return float(self._above[first]) if first < len(self._above) else 0.0

    def metric(self, name: str, prescription_gy: float | None = None) -> float:
        """Return a metric by its usual name.

        Parameters
        ----------
        name : str
            Dmean, Dmin, Dmax; D95 or D95% and D0.03cc in Gy; V20Gy and V95% (of the
            prescription) as percent of the ROI, V20Gy_cc and V95%_cc in cc.
        prescription_gy : float, optional
            For V of a percentage; without it the result is NaN.

        Raises
        ------
        UsageError
            The name has no meaning.
        """
        simple = {"Dmean": self.mean_gy, "Dmin": self.min_gy, "Dmax": self.max_gy}
        if name in simple:
            return simple[name]
        found = _METRIC.fullmatch(name)
        if not found or (found["kind"] == "D" and (found["unit"] == "Gy" or found["in"])) or (
                found["kind"] == "V" and found["unit"] not in ("Gy", "%")):
            raise UsageError(f"{name!r} is no metric of a DVH.",
                             "Examples: Dmean, D95, D0.03cc, V20Gy, V95%, V20Gy_cc.")
        value = float(found["value"])
        if found["kind"] == "D":
            return self.dose_of_volume(
                value if found["unit"] == "cc" else value / 100 * self.volume_cc)
        if found["unit"] == "%":
            if prescription_gy is None:
                return np.nan
            value *= prescription_gy / 100
        volume = self.volume_of_dose(value)
        if found["in"]:
            return volume
        return volume / self.volume_cc * 100 if self.volume_cc else np.nan

    def curve(self, step_gy: float = 0.1) -> tuple[Floats, Floats]:
        """Return doses in Gy from 0 to above the maximum, and the volume in cc that gets each."""
        top = self.max_gy if self._any else 0.0
        doses = np.arange(int(np.ceil(top / step_gy)) + 2, dtype=np.float64) * step_gy
        return doses, np.array([self.volume_of_dose(d) for d in doses])

    @property
    def _any(self) -> bool:
        return len(self.doses_gy) > 0

    @cached_property
    def _above(self) -> Floats:
        """Volume that gets at least the dose of each cell."""
        return np.asarray(np.cumsum(self.volumes_cc[::-1])[::-1], np.float64)


def dvh_of(roi: Roi, grid: Grid, dose: Dose, rule: HoleRule = HoleRule.xor,
           mapping: Mapping | None = None) -> Dvh:
    """Return the DVH of an ROI.

    Parameters
    ----------
    roi : Roi
        Contours in the frame of reference of the grid.
    grid : Grid
        Image whose planes the contours lie on, which gives slabs their thickness.
    dose : Dose
        Native grid, Gy.
    rule : HoleRule
        What several contours on one plane mean.
    mapping : Mapping, optional
        From points of the image to points of the dose.
    """
    polygons = [p.polygon for p in place(roi, grid) if p.polygon is not None]
    cell, layer = _cell(polygons, grid, dose.grid), max(LAYER_MM, _step(dose.grid) / 4)
    return _gathered(_cells(polygons, grid, cell, layer, rule), dose, mapping)


def dvh_of_mask(mask: Mask, dose: Dose, mapping: Mapping | None = None) -> Dvh:
    """Return the DVH of a mask that no contours were drawn for; its voxels are the cells.

    Parameters
    ----------
    mask : Mask
        Voxels, or shares of them, each as thick as its plane.
    dose : Dose
        Native grid, Gy.
    mapping : Mapping, optional
        From points of the mask to points of the dose.
    """
    return _gathered(_voxels(mask, max(LAYER_MM, _step(dose.grid) / 4)), dose, mapping)


def _gathered(cells: Iterator[tuple[Floats, Floats]], dose: Dose, mapping: Mapping | None) -> Dvh:
    """Return the DVH of cells: centres in mm, volumes in cc."""
    doses: list[Floats] = []
    volumes: list[Floats] = []
    whole = 0.0
    for points, volume in cells:
        values = at_points(dose.array, dose.grid, points, mapping)
        known = ~np.isnan(values)
        whole += float(volume.sum())
        doses.append(values[known])
        volumes.append(volume[known])
    if not doses:
        return Dvh.nothing()
    flat, weights = np.concatenate(doses), np.concatenate(volumes)
    order = np.argsort(flat)
    return Dvh(flat[order], weights[order], whole)


def covered_share(roi: Roi, grid: Grid, dose_grid: Grid, rule: HoleRule = HoleRule.xor,
                  mapping: Mapping | None = None) -> float:
    """Return the share of an ROI inside a dose grid, from 0 to 1, as `Dvh.covered`; opens no dose.

    The border of the grid is known to half a layer (0.5 mm for dose steps up to 4 mm).
    Parameters are those of `dvh_of`. NaN for an ROI without volume.
    """
    mapping = mapping or IDENTITY
    polygons = [p.polygon for p in place(roi, grid) if p.polygon is not None]
    if not polygons:
        return float("nan")
    if mapping.matrix is not None and _all_within(polygons, grid, dose_grid, mapping):
        return 1.0
    outside, whole = 0.0, 0.0
    cell, layer = _cell(polygons, grid, dose_grid), max(LAYER_MM, _step(dose_grid) / 4)
    for points, volume in _cells(polygons, grid, cell, layer, rule):
        carried, known = mapping.carry(points)
        known &= within(dose_grid.to_index(carried), dose_grid)
        whole += float(volume.sum())
        outside += float(volume[~known].sum())
    return 1.0 - outside / whole if whole else float("nan")


def _all_within(polygons: Sequence[Polygon], grid: Grid, dose_grid: Grid, mapping: Mapping) -> bool:
    """Tell whether the slabs of all contours are in a grid, which is convex: by their corners."""
    for p in polygons:
        flat = np.column_stack([p.points, np.full(len(p.points), p.plane)])
        half = float(grid.thicknesses[p.plane]) / 2 * grid.axes[2]
        points = grid.to_points(flat)
        carried, _ = mapping.carry(np.concatenate([points - half, points + half]))
        if not within(dose_grid.to_index(carried), dose_grid).all():
            return False
    return True


def _cell(polygons: Sequence[Polygon], grid: Grid, dose_grid: Grid) -> float:
    """Return the edge of a cell in mm: fine for small ROIs, that of the dose for large ones."""
    area = sum(abs(raster.signed_area(p.points)) for p in polygons)
    wanted = np.sqrt(area * grid.spacing[0] * grid.spacing[1] / _CELLS)
    return float(np.clip(wanted, CELL_MM, min(dose_grid.spacing)))


def _step(grid: Grid) -> float:
    return float(grid.steps.min()) if len(grid.positions) > 1 else LAYER_MM


def _cells(polygons: Sequence[Polygon], grid: Grid, cell_mm: float, layer_mm: float,
           rule: HoleRule) -> Iterator[tuple[Floats, Floats]]:
    """Yield, plane by plane, the centres of cells (LPS, mm) and their volumes in the ROI (cc)."""
    scale = np.array(grid.spacing) / cell_mm
    for plane in sorted({p.plane for p in polygons}):
        here = [Polygon(p.points * scale, 0, p.exclusive) for p in polygons if p.plane == plane]
        low = np.floor(np.min([p.points.min(axis=0) for p in here], axis=0))
        high = np.ceil(np.max([p.points.max(axis=0) for p in here], axis=0))
        columns, rows = (high - low + 1).astype(int)
        moved = [Polygon(p.points - low, 0, p.exclusive) for p in here]
        share = raster.coverage(moved, (1, int(rows), int(columns)), rule)[0]
        row, column = np.nonzero(share)
        index = (np.stack([column, row], axis=1) + low) / scale
        area = share[row, column].astype(np.float64) * cell_mm**2
        yield from _layers(np.column_stack([index, np.full(len(index), plane)]), area, grid, plane,
                           layer_mm)


def _voxels(mask: Mask, layer_mm: float) -> Iterator[tuple[Floats, Floats]]:
    """Yield, plane by plane, what `_cells` yields of contours, of the voxels of a mask."""
    grid = mask.grid
    for k, part in enumerate(mask.array):
        row, column = np.nonzero(part)
        if len(row):
            plane = mask.start[0] + k
            index = np.column_stack([column + mask.start[2], row + mask.start[1],
                                     np.full(len(row), plane)])
            area = part[row, column].astype(np.float64) * grid.spacing[0] * grid.spacing[1]
            yield from _layers(index, area, grid, plane, layer_mm)


def _layers(index: NDArray[Any], area: Floats, grid: Grid, plane: int, layer_mm: float
            ) -> Iterator[tuple[Floats, Floats]]:
    """Yield cells of a plane, of these areas in mm², cut into layers."""
    thickness = float(grid.thicknesses[plane])
    layers = max(1, int(np.ceil(thickness / layer_mm - 1e-6)))
    centre = grid.to_points(index)
    for layer in range(layers):
        shift = ((layer + 0.5) / layers - 0.5) * thickness
        yield centre + shift * grid.axes[2], area * thickness / layers / 1000
