"""From slices to a stack: order by geometry, faults found before any pixel is read.

Slices are ordered by the projection of their position on the normal, never by a number. What the
planes do not allow is refused by name; options go on with a mark instead.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rtgraph.preprocess.geometry import STEP_MM, Floats, Grid, even
from rtgraph.preprocess.masks import Finding
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.slices import STACK_KEYS, Slice

PARALLEL = 1e-3  # cosines that differ by less are the same orientation
SAME_MM = 0.01  # slices closer than this stand at one position
SHEAR_SHARE = 0.002  # in-plane part of a step that is still rounding


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What may be gone on with, with a mark.

    Attributes
    ----------
    allow_nonuniform : bool
        Uneven steps and missing slices: resample to even planes, with a validity mask.
    allow_tilt : bool
        A sheared stack of a tilted gantry: resample to a straight grid.
    phase : str
        Which stack is meant where several share their positions, as `attribute=value`.
    """

    allow_nonuniform: bool = False
    allow_tilt: bool = False
    phase: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in order, their grid, and what was noticed about them."""

    slices: tuple[Slice, ...]
    grid: Grid
    findings: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = field(default=())  # SOP Instance UIDs of localizers


def stack_of(slices: Iterable[Slice], options: StackOptions | None = None,
             expected: Collection[str] = ()) -> Stack:
    """Return the stack that slices of one series make.

    Parameters
    ----------
    slices : iterable of Slice
        In any order.
    options : StackOptions, optional
        What is gone on with instead of being refused.
    expected : collection of str
        SOP Instance UIDs that a structure set names as slices of this series.

    Raises
    ------
    Refused
        NO_IMAGE, MIXED_GEOMETRY, DUPLICATE_POSITION, SEVERAL_STACKS, TILT, MISSING_SLICES,
        NON_UNIFORM.
    """
    options = options or StackOptions()
    everything = list(slices)
    kept, left_out = _without_localizers(everything)
    if not kept:
        raise Refused(Code.NO_IMAGE, "no slice is left")
    _same_geometry(kept)
    kept = _one_stack(kept, options.phase)
    kept.sort(key=lambda s: float(s.position @ s.axes[2]))
    grid = _grid(kept)
    findings = [*_marks(kept, left_out)]
    if grid.drift != (0.0, 0.0):
        detail = _tilt(kept, grid)
        if not options.allow_tilt:
            raise Refused(Code.TILT, detail)
        findings.append(Finding("TILT", "warning", "image", detail))
    lacking = sorted(set(expected) - {s.sop_uid for s in everything})
    if lacking:
        detail = f"{len(lacking)} of {len(expected)} slices that the structure set names are absent"
        if not options.allow_nonuniform:
            raise Refused(Code.MISSING_SLICES, detail)
        findings.append(Finding("MISSING_SLICES", "warning", "image", detail))
    if not np.all(even(grid.steps)):
        code, detail = _uneven(kept, grid.steps)
        if not options.allow_nonuniform:
            raise Refused(code, detail)
        findings.append(Finding(code, "warning", "image", detail))
    return Stack(tuple(kept), grid, tuple(findings), tuple(sorted(s.sop_uid for s in left_out)))


def phases(slices: Iterable[Slice]) -> Mapping[str, list[Slice]]:
    """Return the stacks that share their positions, as `attribute=value`; one with an empty name.

    Raises
    ------
    Refused
        DUPLICATE_POSITION: slices share a position and no attribute tells them apart.
    """
    kept = list(slices)
    if not _share_positions(kept):
        return {"": kept}
    for keyword, _ in STACK_KEYS:
        groups: dict[str, list[Slice]] = {}
        for s in kept:
            groups.setdefault(f"{keyword}={s.keys.get(keyword, '')}", []).append(s)
        if len(groups) > 1 and not any(_share_positions(g) for g in groups.values()):
            return dict(sorted(groups.items()))
    raise Refused(Code.DUPLICATE_POSITION, f"{_n_shared(kept)} slices stand where another one does")


def measured(grid: Grid, z: Floats) -> NDArray[np.bool_]:
    """Tell of positions across the planes of a grid whether measured planes surround them.

    A position is measured on a plane, or between two that are no further apart than 1.5 times the
    median step.

    Parameters
    ----------
    grid : Grid
        The planes as they were measured.
    z : (n,) float64
        Distances from the first plane along the normal, mm.
    """
    planes = grid.positions
    if len(planes) == 1:
        return np.asarray(np.abs(z) <= STEP_MM)
    k = np.clip(np.searchsorted(planes, z, side="right") - 1, 0, len(planes) - 2)
    near = np.minimum(np.abs(z - planes[k]), np.abs(z - planes[k + 1])) <= (
        STEP_MM + 0.01 * grid.step)
    inside = (z >= planes[0] - STEP_MM) & (z <= planes[-1] + STEP_MM)
    return np.asarray(near | (inside & (grid.steps[k] <= 1.5 * grid.step)))


def _without_localizers(slices: Sequence[Slice]) -> tuple[list[Slice], list[Slice]]:
    return ([s for s in slices if not s.is_localizer], [s for s in slices if s.is_localizer])


def _same_geometry(slices: Sequence[Slice]) -> None:
    first = slices[0]
    for what, differs in (
        ("ImageOrientationPatient", lambda s: not np.allclose(s.axes, first.axes, atol=PARALLEL)),
        ("Rows, Columns", lambda s: s.size != first.size),
        ("PixelSpacing", lambda s: not np.allclose(s.spacing, first.spacing, rtol=1e-4)),
    ):
        n = sum(bool(differs(s)) for s in slices)
        if n:
            raise Refused(Code.MIXED_GEOMETRY, f"{what} of {n} of {len(slices)} slices differ")


def _one_stack(slices: list[Slice], wanted: str) -> list[Slice]:
    found = phases(slices)
    if wanted:
        if wanted not in found:
            raise Refused(Code.SEVERAL_STACKS, f"there is no stack {wanted}: {', '.join(found)}")
        return found[wanted]
    if len(found) > 1:
        raise Refused(Code.SEVERAL_STACKS, f"{len(found)} stacks: {', '.join(found)}")
    return next(iter(found.values()))


def _share_positions(slices: Sequence[Slice]) -> bool:
    return _n_shared(slices) > 0


def _n_shared(slices: Sequence[Slice]) -> int:
    along = np.sort([float(s.position @ s.axes[2]) for s in slices])
    return int(np.count_nonzero(np.diff(along) < SAME_MM))


def _grid(slices: Sequence[Slice]) -> Grid:
    first, positions = slices[0], np.stack([s.position for s in slices])
    local = (positions - positions[0]) @ first.axes.T
    drift = (0.0, 0.0)
    if len(slices) > 1:
        shift = np.median(np.diff(local[:, :2], axis=0) / np.diff(local[:, 2])[:, None], axis=0)
        if float(np.abs(shift).max()) > SHEAR_SHARE:
            drift = (float(shift[0]), float(shift[1]))
        rest = local[:, :2] - np.outer(local[:, 2], drift)
        if float(np.abs(rest).max()) > max(0.1, 0.1 * min(first.spacing)):
            raise Refused(Code.MIXED_GEOMETRY, "slices are shifted against each other in plane")
    return Grid(origin=first.position, axes=first.axes, spacing=first.spacing,
                positions=np.ascontiguousarray(local[:, 2]), size=first.size, drift=drift,
                thickness_mm=first.thickness_mm)


def _tilt(slices: Sequence[Slice], grid: Grid) -> str:
    angle = np.degrees(np.arctan(np.hypot(*grid.drift)))
    stated = slices[0].tilt_deg
    return f"steps lean {angle:.2f} degrees from the normal (GantryDetectorTilt {stated:g})"


def _uneven(slices: Sequence[Slice], steps: Floats) -> tuple[Code, str]:
    """Name uneven steps: missing slices where numbers or whole multiples say so."""
    median = float(np.median(steps))
    odd = np.flatnonzero(~even(steps))
    listed = ", ".join(f"{steps[k]:g} mm after slice {k}" for k in odd[:10])
    more = f" and {len(odd) - 10} more" if len(odd) > 10 else ""
    detail = f"median step {median:g} mm; {listed}{more}"
    times = steps[odd] / median
    whole = bool(np.all(np.abs(times - np.rint(times)) < 0.05)) and bool(np.all(times > 1.5))
    numbers = [s.number for s in slices]
    jumps = all(
        a is not None and b is not None and abs(abs(b - a) - t) < 0.5
        for k, t in zip(odd, times, strict=True) for a, b in [(numbers[k], numbers[k + 1])])
    return (Code.MISSING_SLICES if whole and jumps else Code.NON_UNIFORM), detail


# Directions of columns and rows of transverse slices, as patients lie (PS3.3 C.7.3.1.1.2).
_X, _Y = np.eye(3)[0], np.eye(3)[1]
_LIES = {
    "HFS": (_X, _Y), "HFP": (-_X, -_Y), "FFS": (-_X, _Y), "FFP": (_X, -_Y),
    "HFDR": (_Y, -_X), "HFDL": (-_Y, _X), "FFDR": (-_Y, -_X), "FFDL": (_Y, _X),
}


def _marks(slices: Sequence[Slice], left_out: Sequence[Slice]) -> Iterable[Finding]:
    if left_out:
        yield Finding("LOCALIZER", "info", "image", f"{len(left_out)} localizers left out")
    rescales = {(s.slope, s.intercept) for s in slices}
    if len(rescales) > 1:
        yield Finding("RESCALE_VARIES", "warning", "image", f"{len(rescales)} pairs of values")
    n_without = sum(not s.has_rescale for s in slices)
    if n_without:
        yield Finding("NO_RESCALE", "warning", "image", f"{n_without} slices")
    if len({s.keys.get("AcquisitionNumber") for s in slices}) > 1:
        yield Finding("SEVERAL_ACQUISITIONS", "info", "image", "AcquisitionNumber varies")
    lies, axes = _LIES.get(slices[0].patient_position), slices[0].axes
    if lies and abs(axes[2, 2]) > 0.7 and min(lies[0] @ axes[0], lies[1] @ axes[1]) < 0.7:
        yield Finding("POSITION_CONFLICT", "warning", "image",
                      "PatientPosition contradicts ImageOrientationPatient, which decides")
