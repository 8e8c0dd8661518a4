"""Units of measurement from the graph: what belongs to a structure set, and what is known already.

Nothing is opened here. A measurement whose mark in the graph is the digest of the same files and
the same version is left out.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from rtgraph.graphmodel.measured import MEASURE_VERSION, Measure
from rtgraph.preprocess.cases import (
    IMAGES,
    ImageChoice,
    Locate,
    Row,
    SourceFile,
    ask,
    candidate,
    edges_of,
    image_choice,
    patient_frames,
    plan_facts,
    source_files,
)
from rtgraph.preprocess.measuring import DoseTask, Unit
from rtgraph.preprocess.planning import image_of
from rtgraph.preprocess.policy import beam_doses
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.registration import DEFORMABLE, Edge, Walk, find_path
from rtgraph.store.bolt import Store

_BEAM_PARTS = frozenset({"PLAN"})  # doses that the BEAM doses of a plan are the parts of


@dataclass(slots=True)
class Units:
    """Units of some patients, and how many measurements are there already."""

    units: list[Unit] = field(default_factory=list)
    kept: dict[Measure, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of measurements, those that are there included."""
        return sum(u.size for u in self.units) + sum(self.kept.values())


@dataclass(frozen=True, slots=True)
class _Laid:
    """A structure set on its image: unit without tasks, frame of the image, files it rests on."""

    uid: str
    unit: Unit
    frame: str
    used: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """Rows of the graph about some patients."""

    sets: Sequence[Row]
    doses: Sequence[Row]
    choices: Mapping[str, Sequence[ImageChoice]]
    registrations: Sequence[Row]
    plans: Mapping[str, Row]
    candidates: Sequence[Row]
    files: Mapping[str, SourceFile]
    of_series: Mapping[str, Sequence[SourceFile]]

    def file(self, uid: str) -> SourceFile:
        """Return where an object is; one without a file, when the graph has none."""
        return self.files.get(uid) or SourceFile(uid, "", "", 0, 0, "")

    def series(self, uid: str) -> tuple[SourceFile, ...]:
        """Return the objects of a series."""
        return tuple(self.of_series.get(uid, ()))

    def edges(self, patient: str) -> tuple[tuple[Edge, ...], frozenset[str]]:
        """Return the registrations of a patient, and the frames that may be passed through."""
        rows = [r for r in self.registrations if r["patient_key"] == patient]
        return edges_of(rows), patient_frames(rows)


async def units_of(store: Store, patients: Sequence[str], measures: Collection[Measure],
                   locate: Locate) -> Units:
    """Return what is to be measured of patients.

    Parameters
    ----------
    store : Store
        The graph; its derived edges must be up to date.
    patients : sequence of str
        Their keys.
    measures : collection of Measure
        What is wanted.
    locate : callable
        Gives where a path of the graph is on this machine.
    """
    known = await _known(store, patients, locate)
    found = Units()
    laid = {str(r["structure_set"]): _laid(known, r) for r in known.sets}
    units = {uid: one.unit for uid, one in laid.items()}
    fresh: set[str] = set()  # sets whose ROIs hold no measurements, or those of other files
    for r in known.sets:
        uid = str(r["structure_set"])
        mark = mark_of(Measure.contours, laid[uid].used, ())
        if mark != r["contours_of"]:
            fresh.add(uid)
        if Measure.contours in measures and _new(found, Measure.contours, mark, r["contours_of"]):
            units[uid] = replace(units[uid], contours=mark)
    alone: list[Unit] = []
    for r in known.doses:
        if Measure.coverage in measures and (one := _of_plans(r, laid)) is not None:
            task = _task(known, r, one, Measure.coverage)
            # ROIs that were made anew have lost their COVERS, whatever the dose says
            covered = None if one.uid in fresh else r["coverage_of"]
            if _new(found, Measure.coverage, task.mark, covered):
                unit = units[one.uid]
                units[one.uid] = replace(unit, coverage=(*unit.coverage, task))
        if Measure.values in measures:
            task, of_set = _values(known, r, laid)
            if _new(found, Measure.values, task.mark, r["values_of"]):
                if of_set is None:
                    alone.append(Unit(values=(task,)))
                else:
                    unit = units[of_set.uid]
                    units[of_set.uid] = replace(unit, values=(*unit.values, task))
    found.units = [u for u in (*units.values(), *alone) if u.size]
    return found


def mark_of(measure: Measure, files: Iterable[SourceFile], more: Sequence[object]) -> str:
    """Return the digest of what a measurement is made from: version, files, and how they meet."""
    text = json.dumps([MEASURE_VERSION, str(measure), sorted(
        (f.sop_uid, f.digest, f.size, f.mtime) for f in files), *more], sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _new(found: Units, measure: Measure, mark: str, known: str | None) -> bool:
    """Tell whether a measurement is not in the graph; count it when it is."""
    if mark == known:
        found.kept[measure] = found.kept.get(measure, 0) + 1
    return mark != known


async def _known(store: Store, patients: Sequence[str], locate: Locate) -> _Known:
    keys = list(patients)
    sets = await ask(store, "measure-sets", patients=keys)
    doses = await ask(store, "measure-doses", patients=keys)
    set_uids = [str(r["structure_set"]) for r in sets]
    choices: dict[str, list[ImageChoice]] = {}
    for r in await ask(store, "case-images", structure_sets=set_uids):
        choices.setdefault(str(r["structure_set"]), []).append(image_choice(r))
    registrations = await ask(store, "case-registrations", patients=keys)
    plan_uids = sorted({str(p) for r in doses for p in r["plans"]})
    plans = await ask(store, "case-plans", plans=plan_uids)
    candidates = await ask(store, "case-doses", plans=plan_uids)
    series = sorted({c.series_uid for of_set in choices.values() for c in of_set
                     if c.modality in IMAGES})
    files = await source_files(store, [
        *set_uids, *(str(r["dose"]) for r in (*doses, *candidates)),
        *(str(r["registration"]) for r in registrations)], series, locate)
    of_series: dict[str, list[SourceFile]] = {}
    for file in files.values():
        of_series.setdefault(file.series_uid, []).append(file)
    return _Known(sets, doses, choices, registrations, {str(r["plan"]): r for r in plans},
                  candidates, files, of_series)


def _laid(known: _Known, r: Row) -> _Laid:
    """Lay a structure set on its image, as far as the graph tells."""
    uid, frame = str(r["structure_set"]), str(r["frame_uid"] or "")
    unit = Unit(structures=known.file(uid))
    try:
        image, _ = image_of(known.choices.get(uid, ()), frame)
        if not image.same_patient:
            raise Refused(Code.OTHER_PATIENT, "the image is of another patient")
        if image.n_missing:
            raise Refused(Code.MISSING_SLICES, f"{image.n_missing} of {image.n_named} slices that "
                                               "the structure set names are absent")
        image_frame = image.frames[0] if len(image.frames) == 1 else frame
        walks = _path(known, r, image_frame, frame) if frame else ()
        if any(w.edge.matrix_type == DEFORMABLE for w in walks):
            raise Refused(Code.FRAME, "contours are not carried by a deformation")
    except Refused as error:
        refused = (str(error.code), error.detail)
        return _Laid(uid, replace(unit, refused=refused), "", (known.file(uid),))
    registrations = _registrations(known, walks)
    unit = replace(unit, image=known.series(image.series_uid), walks=walks,
                   registrations=registrations)
    return _Laid(uid, unit, image_frame, (known.file(uid), *unit.image, *registrations))


def _path(known: _Known, r: Row, start: str, end: str) -> tuple[Walk, ...]:
    edges, frames = known.edges(str(r["patient_key"]))
    return tuple(find_path(edges, start, end, patient_frames=frames))


def _registrations(known: _Known, walks: Iterable[Walk]) -> tuple[SourceFile, ...]:
    return tuple(known.file(uid) for uid in sorted({w.edge.reg_uid for w in walks}))


def _of_plans(r: Row, laid: Mapping[str, _Laid]) -> _Laid | None:
    """Return the only structure set of the plans of a dose."""
    found = [laid[uid] for uid in r["structure_sets"] if uid in laid]
    return found[0] if len(found) == 1 else None


def _task(known: _Known, r: Row, one: _Laid | None, measure: Measure,
          beams: Sequence[SourceFile] = (), curves: Sequence[tuple[str, int]] = ()) -> DoseTask:
    """Return the task of a dose, with the path from the image of a structure set to its grid."""
    dose = known.file(str(r["dose"]))
    walks: tuple[Walk, ...] = ()
    refused = None
    if one is not None and one.frame:
        try:
            walks = _path(known, r, one.frame, str(r["frame_uid"] or ""))
        except Refused as error:
            refused = (str(error.code), error.detail)
    registrations = _registrations(known, walks)
    used = [dose, *beams, *registrations, *(one.used if one else ())]
    how = [[w.edge.reg_uid, w.edge.item, w.forwards] for w in walks]
    return DoseTask(dose, mark_of(measure, used, [how, list(curves)]), walks, registrations,
                    tuple(beams), tuple(curves), refused)


def _values(known: _Known, r: Row, laid: Mapping[str, _Laid]) -> tuple[DoseTask, _Laid | None]:
    """Return the task of the values of a dose, and the structure set of its DVHs."""
    sets = sorted({str(c["structure_set"]) for c in r["curves"]})
    one = laid.get(sets[0]) if len(sets) == 1 else None
    curves = [(str(c["key"]), int(c["number"])) for c in r["curves"]] if one is not None else []
    parts: tuple[SourceFile, ...] = ()
    if r["summation"] in _BEAM_PARTS and len(r["plans"]) == 1 and r["plans"][0] in known.plans:
        plan = plan_facts(known.plans[r["plans"][0]])
        of_plan = [candidate(c) for c in known.candidates if c["plan"] == plan.uid]
        parts = tuple(known.file(c.uid) for c in beam_doses(plan, of_plan))
    return _task(known, r, one, Measure.values, parts, curves), one
