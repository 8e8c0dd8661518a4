"""What must be read again because an object of the graph has other content now.

References of image objects start at their series, a series is in the studies and a study is with
the patients that its objects state. Such an edge belongs to no object alone. So when one object
changes, those that may state the same are read again, and the edges are made anew:

    same place           objects of its series, if that refers to something
    other series, study  objects of the studies it was in
    other patient        objects of all studies of the patients it was with
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rtgraph.graphmodel import questions
from rtgraph.ingest.discover import Roots, found_at
from rtgraph.ingest.parse import PARSER_VERSION, Plan, parse
from rtgraph.ingest.records import Instance, Rejected
from rtgraph.store.bolt import Row, Store


@dataclass(frozen=True, slots=True)
class Run:
    """What writing needs besides the objects: the run, and how files are found and read again."""

    id: str
    roots: Roots
    plan: Plan


@dataclass(slots=True)
class Around:
    """The places of changed objects; `series`, `studies` and `patients` are made anew.

    Studies that are `unsettled` wait for files that were not at hand, perhaps because they moved.
    `of_patient`, `in_study` and `members` tell what was there when it was read.
    """

    of_patient: list[Row] = field(default_factory=list)
    in_study: list[Row] = field(default_factory=list)
    members: list[Row] = field(default_factory=list)
    objects: list[Instance] = field(default_factory=list)
    series: list[str] = field(default_factory=list)
    studies: list[str] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)


async def read_around(
    store: Store, objects: Sequence[Instance], known: Mapping[str, Row], run: Run
) -> Around:
    """Read again what shares its place with objects that have changed.

    Where a file is not at hand, what it states is not known: its series and study stay as they are
    until the next of their objects is read.

    Parameters
    ----------
    objects : sequence of Instance
        What is about to be written.
    known : mapping
        Rows of `KNOWN_OBJECTS` by SOP Instance UID.
    """
    changed = [(o, known[o.sop_uid]) for o in objects
               if o.sop_uid in known and is_changed(o, known[o.sop_uid])]
    if not changed:
        return Around()
    patients = {p for o, row in changed for p, _ in row["places"]
                if row["unsettled"] or any(q != o.patient_key for q, _ in row["places"])}
    studies = {t for o, row in changed if _is_elsewhere(o, row) for _, t in row["places"]}
    here = {o.sop_uid for o in objects}

    async def written(series: set[str]) -> set[str]:
        return here

    return await read_places(store, [row for _, row in changed], patients, studies, written, run)


async def read_places(
    store: Store, changed: Sequence[Row], patients: set[str], studies: set[str],
    left_out: Callable[[set[str]], Awaitable[set[str]]], run: Run,
) -> Around:
    """Read again the objects of patients, studies and of the series of changed objects.

    Parameters
    ----------
    changed : sequence of Row
        Rows of `KNOWN_OBJECTS`.
    left_out : callable
        Gets the UIDs of series and returns those of objects in them that are not read.
    """
    of_patient = await store.read(questions.STUDIES_OF, rows=sorted(patients)) if patients else []
    studies = studies | {r["study"] for r in of_patient}
    in_study = await store.read(questions.SERIES_OF, rows=sorted(studies)) if studies else []
    own = sorted({row["series"] for row in changed if row["series"]})
    referring = await store.read(questions.REFERRING, rows=own)
    series = {r["series"] for r in (*in_study, *referring)}
    members = await store.read(questions.OBJECTS_OF, rows=sorted(series)) if series else []
    without = await left_out(series)
    others = [m for m in members if m["uid"] not in without]
    again = await asyncio.to_thread(_read_again, others, run)
    unknown = {m["series"] for m in others if m["uid"] not in again}
    unknown_studies = {r["study"] for r in in_study if r["series"] in unknown}
    unsettled = unknown_studies | {
        t for row in changed if row["series"] in unknown for _, t in row["places"]}
    kept = {r["patient"] for r in of_patient if r["study"] in unknown_studies}
    return Around(of_patient, in_study, members, list(again.values()), sorted(series - unknown),
                  sorted(studies - unknown_studies), sorted(patients - kept), sorted(unsettled))


def is_changed(o: Instance, row: Row) -> bool:
    """Tell whether an object has other content than before, or another place."""
    same = (o.digest, o.series_uid, PARSER_VERSION) == (row["digest"], row["series"], row["parser"])
    moved = o.file.path != row["path"]
    return row["unsettled"] or not (
        same and (moved or o.file.mtime == row["mtime"])
        and [o.patient_key, o.study_uid] in row["places"])


def _is_elsewhere(o: Instance, row: Row) -> bool:
    now = (o.series_uid, [[o.patient_key, o.study_uid]])
    return row["unsettled"] or now != (row["series"], row["places"])


def _read_again(members: Iterable[Row], run: Run) -> dict[str, Instance]:
    read = ((m["uid"], reread(m["uid"], m["path"], run)) for m in members)
    return {uid: o for uid, o in read if o is not None}


def reread(uid: str, path: str, run: Run) -> Instance | None:
    """Return the object that a path of the graph holds; None when it is not that one any more."""
    location = run.roots.location(path)
    found = found_at(location, path) if location else None
    if found is None or isinstance(found, Rejected):
        return None
    read = parse(found, run.plan)
    return read if isinstance(read, Instance) and read.sop_uid == uid else None
