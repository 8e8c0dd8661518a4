"""What is measured of structure sets and doses, in a worker: from files to properties of the graph.

The same rasteriser, ledger, DVHs and sums as for arrays; here only what they found is kept. What
cannot be measured is a value with its reason and takes nothing else with it, no other ROI either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from rtgraph.graphmodel.measured import (
    DVH_MEASURES,
    MARKS,
    ROI_MEASURES,
    Measure,
)
from rtgraph.graphmodel.properties import LONGEST_DECIMAL, names
from rtgraph.graphmodel.roi_words import side_in_name
from rtgraph.graphmodel.standard_names import Side
from rtgraph.preprocess.cases import SourceFile
from rtgraph.preprocess.contours import Roi, StructureSet, carried, read_structures
from rtgraph.preprocess.dose import Dose, agreement, dose_grid, read_dose
from rtgraph.preprocess.dvh import covered_share, dvh_of
from rtgraph.preprocess.files import read
from rtgraph.preprocess.geometry import Floats, Grid
from rtgraph.preprocess.images import open_series
from rtgraph.preprocess.mapping import IDENTITY, Mapping
from rtgraph.preprocess.masks import RoiMask, make_mask
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.registration import Walk, mapping_of, read_registration
from rtgraph.preprocess.sides import profile_of, side_of
from rtgraph.preprocess.sources import current
from rtgraph.preprocess.stacks import StackOptions

_AS_IT_IS = StackOptions(allow_nonuniform=True, allow_tilt=True)  # true planes are measured
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DoseTask:
    """A dose to measure.

    Attributes
    ----------
    mark : str
        Digest of everything that it is measured from.
    walks, registrations
        The way from the frame of the image to that of the dose, and the files it rests on.
    beams : tuple of SourceFile
        BEAM doses that together are the plan, for the dose of a plan.
    curves : tuple of (str, int)
        Keys of its DVHs of one ROI, and the number of the ROI.
    refused : tuple of (str, str) or None
        Why contours cannot be laid into it: code and detail.
    """

    dose: SourceFile
    mark: str
    walks: tuple[Walk, ...] = ()
    registrations: tuple[SourceFile, ...] = ()
    beams: tuple[SourceFile, ...] = ()
    curves: tuple[tuple[str, int], ...] = ()
    refused: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A structure set with its image, and the doses that are measured in its contours.

    Attributes
    ----------
    structures : SourceFile or None
        None for doses without a structure set.
    contours : str or None
        Mark of the contours; None when they are not to be measured.
    coverage, values : tuple of DoseTask
        Doses whose grid is compared with the ROIs, and doses whose values are read.
    refused : tuple of (str, str) or None
        Why the contours cannot be laid on an image, as far as the graph tells.
    """

    structures: SourceFile | None = None
    image: tuple[SourceFile, ...] = ()
    walks: tuple[Walk, ...] = ()
    registrations: tuple[SourceFile, ...] = ()
    contours: str | None = None
    coverage: tuple[DoseTask, ...] = ()
    values: tuple[DoseTask, ...] = ()
    refused: tuple[str, str] | None = None

    @property
    def size(self) -> int:
        """The number of its measurements."""
        return (self.contours is not None) + len(self.coverage) + len(self.values)


@dataclass(slots=True)
class Outcome:
    """A measurement: facts of the object and of its parts by key, and what was not measured.

    `refused` holds code and detail of each reason; with one of them the measurement has no mark, so
    that the next run tries again.
    """

    measure: Measure
    file: SourceFile
    facts: dict[str, Any] = field(default_factory=dict)
    parts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def measure_unit(unit: Unit) -> list[Outcome]:
    """Measure what a unit asks for; everything that goes wrong is in the outcomes."""
    objects = _Objects(unit)
    found = []
    if unit.contours is not None and unit.structures is not None:
        found.append(_tried(Outcome(Measure.contours, unit.structures), unit.contours,
                            partial(_contours, objects)))
    for task in unit.coverage:
        found.append(_tried(Outcome(Measure.coverage, task.dose), task.mark,
                            partial(_coverage, objects, task)))
    for task in unit.values:
        found.append(_tried(Outcome(Measure.values, task.dose), task.mark,
                            partial(_values, objects, task)))
    return found


def _tried(outcome: Outcome, mark: str, work: Callable[[Outcome], None]) -> Outcome:
    """Do the work on an outcome; it is marked as done only when nothing was refused."""
    _part(outcome, lambda: work(outcome))
    if not outcome.refused:
        outcome.facts[MARKS[outcome.measure].name] = mark
    return outcome


def _part(outcome: Outcome, work: Callable[[], T]) -> T | None:
    """Return the result of a part of a measurement, or note why there is none."""
    try:
        return work()
    except Refused as error:
        outcome.refused.append((str(error.code), error.detail))
    except MemoryError:
        outcome.refused.append(("MEMORY", "not enough memory"))
    except Exception as error:  # what else a file may hold is no reason to stop
        outcome.refused.append((str(Code.UNREADABLE), type(error).__name__))
    return None


class _Objects:
    """The objects of a unit, each read once and when it is asked for."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    @cached_property
    def header(self) -> Dataset:
        """The structure set as it stands in the file."""
        if self.unit.structures is None:
            raise Refused(Code.REFERENCE, "no structure set")
        return opened(self.unit.structures)

    @cached_property
    def grid(self) -> Grid:
        """The planes of the image where they are."""
        if self.unit.refused is not None:
            raise Refused(Code(self.unit.refused[0]), self.unit.refused[1])
        return open_series([current(f) for f in self.unit.image], _AS_IT_IS).stack.grid

    @cached_property
    def structures(self) -> StructureSet:
        """The ROIs, carried into the frame of the image."""
        found = read_structures(self.header)
        if not self.unit.walks:
            return found
        return carried(found, _mapping(self.unit.walks, self.unit.registrations).inverse())

    @cached_property
    def rois(self) -> dict[int, Roi]:
        """The ROIs whose contours are theirs for certain, by number."""
        return {r.number: r for r in self.structures.rois if not r.ambiguous}


def _mapping(walks: Sequence[Walk], registrations: Sequence[SourceFile]) -> Mapping:
    """Return the mapping of a path."""
    if not walks:
        return IDENTITY
    items = {(i.edge.reg_uid, i.edge.item): i for f in registrations
             for i in read_registration(opened(f))}
    return mapping_of(walks, items)


def opened(file: SourceFile, *, pixels: bool = True) -> Dataset:
    """Read an object as it was ingested.

    Raises
    ------
    Refused
        FILE_MISSING, FILE_CHANGED, HEADER_ONLY, UNREADABLE.
    """
    return read(current(file), pixels=pixels)


# --- contours ------------------------------------------------------------------------------------

def _contours(objects: _Objects, outcome: Outcome) -> None:
    outcome.facts["n_long_decimals"] = long_decimals(objects.header)
    uid = outcome.file.sop_uid
    grid = objects.grid
    body: Floats | None = None
    for roi in sorted(objects.rois.values(), key=lambda r: r.interpreted_type != "EXTERNAL"):
        made = _part(outcome, partial(make_mask, roi, grid, sop_uid=uid))
        if made is None:
            continue
        profile = None if made.mask is None else profile_of(made.mask)
        if body is None and roi.interpreted_type == "EXTERNAL":
            body = profile
        outcome.parts.append((f"{uid}#{roi.number}", {
            **roi_facts(made), "side_in_name": _one_side(side_in_name(roi.name)),
            "side_in_space": _one_side(side_of(profile, body))}))


def roi_facts(made: RoiMask) -> dict[str, Any]:
    """Return the facts of an ROI that are properties of the graph."""
    return {name: list(value) if isinstance(value, tuple) else value
            for name in names(ROI_MEASURES)
            if (value := getattr(made.facts, name, None)) is not None}


def _one_side(side: Side | None) -> str | None:
    return str(side) if side in (Side.LEFT, Side.RIGHT) else None


def long_decimals(ds: Dataset) -> int:
    """Return how many decimal strings of an object are longer than 16 characters."""
    found = 0
    for tag in sorted(ds.keys()):
        element: Any = ds.get_item(tag)
        vr = element.VR or _vr(tag)
        if vr == "SQ":
            found += sum(long_decimals(item) for item in ds[tag].value or ())
        elif vr == "DS" and isinstance(element, RawDataElement):
            value = element.value or b""
            if len(value) > LONGEST_DECIMAL:
                found += sum(len(v.strip(b" \0")) > LONGEST_DECIMAL for v in value.split(b"\\"))
    return found


def _vr(tag: Any) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""


# --- doses ---------------------------------------------------------------------------------------

def _coverage(objects: _Objects, task: DoseTask, outcome: Outcome) -> None:
    grid, way = objects.grid, _way(task)
    native, _ = dose_grid(opened(task.dose, pixels=False))
    for roi in objects.rois.values():
        share = _part(outcome, partial(covered_share, roi, grid, native, mapping=way))
        if share is not None and np.isfinite(share):
            key = f"{objects.structures.sop_uid}#{roi.number}"
            outcome.parts.append((key, {"fraction": share}))


def _values(objects: _Objects, task: DoseTask, outcome: Outcome) -> None:
    dose = read_dose(opened(task.dose))
    outcome.facts["max_dose_gy"] = dose.max_gy
    if task.beams:
        sums = _part(outcome, lambda: agreement(dose, (read_dose(opened(b)) for b in task.beams)))
        if sums is not None:
            outcome.facts |= {"beam_sum_max_diff_gy": sums.max_diff_gy,
                              "beam_sum_p95_diff_gy": sums.p95_diff_gy}
    if task.curves:
        _part(outcome, lambda: _curves(objects, task, dose, outcome))


def _curves(objects: _Objects, task: DoseTask, dose: Dose, outcome: Outcome) -> None:
    way, grid, rois = _way(task), objects.grid, objects.rois
    for key, number in task.curves:
        if number not in rois:
            continue
        dvh = _part(outcome, partial(dvh_of, rois[number], grid, dose, mapping=way))
        if dvh is not None:
            values = (dvh.max_gy, dvh.mean_gy, dvh.volume_cc)
            outcome.parts.append((key, {
                name: float(value) for name, value in zip(names(DVH_MEASURES), values, strict=True)
                if np.isfinite(value)}))


def _way(task: DoseTask) -> Mapping:
    if task.refused is not None:
        raise Refused(Code(task.refused[0]), task.refused[1])
    return _mapping(task.walks, task.registrations)
