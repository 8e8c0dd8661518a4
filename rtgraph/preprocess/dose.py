"""Dose grids in Gy on their true planes, sums of them, and their resampling to an image.

The native grid is read as it is: any orientation, pixels that are not square, 16 and 32 bit,
offsets relative or absolute, falling or uneven. Nothing is clipped or normalised.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from rtgraph.preprocess.geometry import Floats, Grid, axes_of
from rtgraph.preprocess.mapping import Mapping
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.sampling import at_points, resample
from rtgraph.preprocess.slices import numbers

SUMMATION_TERMS = frozenset({
    "PLAN", "MULTI_PLAN", "PLAN_OVERVIEW", "FRACTION", "BEAM", "BRACHY", "FRACTION_SESSION",
    "BEAM_SESSION", "BRACHY_SESSION", "CONTROL_POINT", "RECORD"})
TRANSVERSE = 0.99999  # cosine of the normal with the patient's z for absolute offsets
AGREES_MAX, AGREES_P95 = 0.03, 0.01  # of the maximum: differences of a sum that are none


@dataclass(frozen=True, slots=True, eq=False)
class Dose:
    """A dose on its native grid.

    Attributes
    ----------
    array : (planes, rows, columns) float32
        Gy; planes in the order of their position along the normal.
    grid : Grid
        Native grid, LPS, mm; planes need not be even.
    sop_uid, frame_uid, dose_type, summation
        SOPInstanceUID, FrameOfReferenceUID, DoseType, DoseSummationType.
    """

    array: NDArray[np.float32]
    grid: Grid
    sop_uid: str
    frame_uid: str
    dose_type: str = "PHYSICAL"
    summation: str = "PLAN"

    @property
    def max_gy(self) -> float:
        """The largest value of the native grid."""
        return float(self.array.max())


def read_dose(ds: Dataset) -> Dose:
    """Return the dose of an RT Dose object.

    Parameters
    ----------
    ds : Dataset
        The whole object.

    Raises
    ------
    Refused
        HEADER_ONLY without pixels; UNITS other than GY; SCALING absent or not positive; GRID:
        orientation, spacing or offsets cannot be used; UNREADABLE pixels.

    Notes
    -----
    PS3.3 C.8.8.3: values are the stored integers times DoseGridScaling. C.8.8.3.2: offsets are
    relative when the first one is 0, else positions along the patient's z.
    """
    uid = str(ds.get("SOPInstanceUID", ""))
    if "PixelData" not in ds:
        raise Refused(Code.HEADER_ONLY, f"{uid} has no pixel data")
    units = str(ds.get("DoseUnits") or "")
    if units != "GY":
        raise Refused(Code.UNITS, f"DoseUnits of {uid} are {units or 'absent'}, not GY")
    scaling = numbers([ds.get("DoseGridScaling")], 1)
    if scaling is None or not scaling[0] > 0:
        raise Refused(Code.SCALING, f"{uid} has no DoseGridScaling above 0")
    grid, order = dose_grid(ds)
    stored = _stored(ds)
    if stored.shape != grid.shape:
        raise Refused(Code.GRID, f"{uid} has pixels of {stored.shape}, its header {grid.shape}")
    array = (stored[order].astype(np.float64) * scaling[0]).astype(np.float32)
    return Dose(array, grid, uid, str(ds.get("FrameOfReferenceUID") or ""),
                str(ds.get("DoseType") or ""), str(ds.get("DoseSummationType") or ""))


def dose_grid(ds: Dataset) -> tuple[Grid, NDArray[np.int64]]:
    """Return the grid of an RT Dose, and its frames in the order of the planes.

    Raises
    ------
    Refused
        GRID: the header does not say where the planes are.
    """
    position = numbers(ds.get("ImagePositionPatient"), 3)
    spacing = numbers(ds.get("PixelSpacing"), 2)
    orientation = numbers(ds.get("ImageOrientationPatient"), 6)
    if position is None or spacing is None or orientation is None or not np.all(spacing > 0):
        raise Refused(Code.GRID, "no position, orientation or spacing is stated")
    axes = axes_of(orientation.tolist())
    frames = int(ds.get("NumberOfFrames") or 1)
    along = _along(ds, frames, axes[2], float(position[2]))
    order = np.argsort(along, kind="stable")
    thickness = numbers([ds.get("SliceThickness")], 1)
    return Grid(
        origin=position + along[order[0]] * axes[2], axes=axes,
        spacing=(float(spacing[1]), float(spacing[0])), positions=along[order] - along[order[0]],
        size=(int(ds.Columns), int(ds.Rows)),
        thickness_mm=float(thickness[0]) if thickness is not None and thickness[0] > 0
        else float(spacing.mean())), order


def _along(ds: Dataset, frames: int, normal: Floats, z: float) -> Floats:
    """Return the position of each frame along the normal, from ImagePositionPatient."""
    stated = ds.get("GridFrameOffsetVector")
    if frames == 1 and stated in (None, ""):
        return np.zeros(1)
    offsets = numbers([stated] if isinstance(stated, int | float) else stated, frames)
    if offsets is None:
        raise Refused(Code.GRID, f"GridFrameOffsetVector has no {frames} numbers")
    if offsets[0] != 0:
        if abs(normal[2]) < TRANSVERSE or abs(offsets[0] - z) > 1e-3:
            raise Refused(Code.GRID, "GridFrameOffsetVector begins neither with 0 nor with the z "
                                     "of transverse planes")
        offsets = (offsets - offsets[0]) * np.sign(normal[2])
    steps = np.diff(offsets)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise Refused(Code.GRID, "GridFrameOffsetVector neither rises nor falls throughout")
    return offsets


def _stored(ds: Dataset) -> NDArray[np.generic]:
    if "TransferSyntaxUID" not in getattr(ds, "file_meta", {}):
        ds.ensure_file_meta()
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    try:
        stored = np.asarray(ds.pixel_array)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError,
            NotImplementedError) as error:
        raise Refused(Code.UNREADABLE, f"the pixels of {ds.get('SOPInstanceUID')} cannot be read "
                                       f"({type(error).__name__})") from error
    return stored.reshape(-1, *stored.shape[-2:])


def dose_at(dose: Dose, points: Floats) -> Floats:
    """Interpolate the dose linearly at points of the patient.

    Parameters
    ----------
    dose : Dose
        Native grid.
    points : (n, 3) float64
        LPS, mm, in the frame of reference of the dose.

    Returns
    -------
    (n,) float64
        Gy; NaN where a point lies outside the voxel centres of the grid.
    """
    return at_points(dose.array, dose.grid, points)


def dose_on(dose: Dose, grid: Grid, mapping: Mapping | None = None,
            outside: float = 0.0) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Resample a dose once onto the grid of an image.

    Parameters
    ----------
    dose : Dose
        Native grid.
    grid : Grid
        The image.
    mapping : Mapping, optional
        From points of the image to points of the dose, when their frames differ.
    outside : float
        Value outside the native grid: 0, or NaN.

    Returns
    -------
    dose_gy : (planes, rows, columns) float32, covered : bool
        Linear interpolation, and where it had values on all sides.
    """
    return resample(dose.array, dose.grid, grid, mapping=mapping, outside=outside)


def summed(doses: Sequence[Dose], weights: Sequence[float]) -> Dose:
    """Return the weighted sum on the grid of the first dose.

    Doses on the same grid are added voxel by voxel, others interpolated. Where one of them has no
    value the sum has none either, so the result is cut to what all cover.

    Raises
    ------
    Refused
        FRAME: they have different frames of reference. UNITS: different dose types. GRID: the
        grids do not overlap.
    """
    first = doses[0]
    if len({d.frame_uid for d in doses}) > 1:
        raise Refused(Code.FRAME, "doses of several frames of reference are not added")
    if len({d.dose_type for d in doses}) > 1:
        raise Refused(Code.UNITS, "doses of several types are not added")
    total = np.zeros(first.grid.shape, np.float64)
    covered = np.ones(first.grid.shape, bool)
    for d, weight in zip(doses, weights, strict=True):
        if d.grid.same_as(first.grid):
            total += weight * d.array
            continue
        values, here = dose_on(d, first.grid)
        total += weight * values
        covered &= here
    box = _box(covered)
    if box is None:
        raise Refused(Code.GRID, "the dose grids do not overlap")
    start = [s.start for s in box]
    grid = first.grid.cropped(start, [s.stop - s.start for s in box])
    return replace(first, array=total[box].astype(np.float32), grid=grid,
                   summation="SUM" if len(doses) > 1 else first.summation)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a dose is from a sum: largest and 95th percentile of the difference, in Gy."""

    max_diff_gy: float
    p95_diff_gy: float

    def agrees(self, max_gy: float) -> bool:
        """Tell whether both are small beside the maximum of the dose."""
        return (self.max_diff_gy <= AGREES_MAX * max_gy
                and self.p95_diff_gy <= AGREES_P95 * max_gy)


def agreement(dose: Dose, parts: Iterable[Dose]) -> Agreement | None:
    """Compare a dose with the sum of its parts on its own grid; None where none of it is covered.

    Parameters
    ----------
    dose : Dose
        For example the dose of a plan.
    parts : iterable of Dose
        For example of its beams; one is held at a time, those on other grids are interpolated.

    Raises
    ------
    Refused
        FRAME or UNITS, as for `summed`.
    """
    total = np.zeros(dose.grid.shape, np.float64)
    covered = np.zeros(dose.grid.shape, bool)
    for k, part in enumerate(parts):
        if part.frame_uid != dose.frame_uid:
            raise Refused(Code.FRAME, "doses of several frames of reference are not compared")
        if part.dose_type != dose.dose_type:
            raise Refused(Code.UNITS, "doses of several types are not compared")
        values, here = dose_on(part, dose.grid)
        total += values
        covered = here if k == 0 else covered & here
    if not covered.any():
        return None
    apart = np.abs(total - dose.array)[covered]
    return Agreement(float(apart.max()), float(np.percentile(apart, 95)))


def _box(covered: NDArray[np.bool_]) -> tuple[slice, slice, slice] | None:
    """Return the box of planes, rows and columns where a sum is known."""
    if covered.all():
        return slice(0, covered.shape[0]), slice(0, covered.shape[1]), slice(0, covered.shape[2])
    found = []
    for axis in range(3):
        known = np.flatnonzero(covered.any(axis=tuple(a for a in range(3) if a != axis)))
        if not len(known):
            return None
        found.append(slice(int(known[0]), int(known[-1]) + 1))
    z, y, x = found
    return z, y, x
