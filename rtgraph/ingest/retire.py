"""Objects that are lost leave the graph, in one transaction with all that stands around them.

What they stated goes with them. Where they shared a place with others that stay, those are read
and written again: who refers to them (so that a Missing node is placed as references say), objects
of their series if it refers to something, objects of studies and patients that are stated
differently, and the objects that now supply the values of a series, study or patient.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rtgraph.graphmodel import questions, retire, revision
from rtgraph.graphmodel.families import Family, family
from rtgraph.ingest import write
from rtgraph.ingest.decide import Decision, decide
from rtgraph.ingest.records import Instance
from rtgraph.ingest.revise import Around, Run, read_places, reread
from rtgraph.store.bolt import Counters, Row, Store, Transaction

_LEVELS = (
    ("patient", revision.FORGET), ("study", retire.FORGET_STUDIES),
    ("series", retire.FORGET_SERIES),
)


@dataclass(slots=True)
class _Loss:
    """What is lost, what was there before, and what is written again; `forget` by level."""

    lost: list[str]
    before: Decision
    again: Decision
    forget: Mapping[str, set[str]]


async def lose(store: Store, uids: Sequence[str], run: Run) -> Counters:
    """Take objects out of the graph; those that are referred to become Missing nodes."""

    async def read(attempt: int) -> _Loss:
        return await _read_beside(store, uids, run)

    async def do(transaction: Transaction, loss: _Loss) -> None:
        await _lose(transaction, loss, run)

    _, changes = await write.until_alone(store, read, do)
    return changes


async def _lose(transaction: Transaction, loss: _Loss, run: Run) -> None:
    await write.hold(transaction, loss.before)
    await write.hold(transaction, loss.again)
    left = await write.take_back(transaction, loss.lost, Around())
    rows = await transaction.run(retire.LEAVE, rows=loss.lost)
    left.series |= {r["series"] for r in rows if r["series"]}
    referred = await transaction.run(retire.REFERRED, rows=loss.lost)
    for kind, stubs in _stubs(referred).items():
        await transaction.run(retire.stubs(kind), rows=stubs, run=run.id)
    gone = set(loss.lost) - {r["uid"] for r in referred}
    await transaction.run(retire.DROP_OBJECTS, rows=sorted(gone))
    for level, statement in _LEVELS:
        if loss.forget[level]:
            await transaction.run(statement, rows=sorted(loss.forget[level]))
    held = loss.again.around
    around = replace(held, of_patient=[], in_study=[], members=[])  # they were just held
    await write.put(transaction, replace(loss.again, around=around), run)
    await write.clean(transaction, left)


def _stubs(referred: Iterable[Row]) -> dict[Family, list[list[str | None]]]:
    """Rows by family of the stated class: that of the first reference, in order of writing."""
    first: dict[str, tuple[bool, tuple[str, ...], str, str | None]] = {}
    for row in referred:
        stated = row["stated"]
        key = (row["of_series"], family(stated).labels, row["source"], stated or "")
        if row["uid"] not in first or key < first[row["uid"]]:
            first[row["uid"]] = key
    stubs: dict[Family, list[list[str | None]]] = defaultdict(list)
    for uid, (_, _, _, stated) in sorted(first.items()):
        stubs[family(stated or None)].append([uid, stated or None])
    return stubs


async def _read_beside(store: Store, uids: Sequence[str], run: Run) -> _Loss:
    """Ask and read what has to be written again when these objects go."""
    known = await store.read(questions.KNOWN_OBJECTS, rows=sorted(uids))
    lost = {row["uid"] for row in known}
    around = await _around(store, known, run)
    objects = {o.sop_uid: o for o in around.objects}
    objects |= await _read(await _referrers(store, lost), {*lost, *objects}, run)
    forget: dict[str, set[str]] = {level: set() for level, _ in _LEVELS}
    for row in await store.read(retire.SUPPLIERS, rows=sorted(lost)):
        o = await _supplier(row, objects, run)
        if o is not None:
            objects[o.sop_uid] = o
            for level, _ in _LEVELS:
                forget[level] |= {row[level]} - {None}
    again = await decide(store, list(objects.values()), run)
    again.around = _both(around, again.around)
    return _Loss(sorted(lost), Decision({row["uid"]: row for row in known}, around), again, forget)


async def _around(store: Store, known: Sequence[Row], run: Run) -> Around:
    """As `read_around`, for objects of which nothing is left."""
    elsewhere = [row for row in known if row["unsettled"] or len(row["places"]) > 1]
    patients = {p for row in elsewhere for p, _ in row["places"]
                if row["unsettled"] or len({q for q, _ in row["places"]}) > 1}
    studies = {t for row in elsewhere for _, t in row["places"]}
    lost = {row["uid"] for row in known}

    async def going(series: set[str]) -> set[str]:
        return lost | await _forsaken(store, series)

    return await read_places(store, known, patients, studies, going, run)


async def _forsaken(store: Store, series: set[str]) -> set[str]:
    rows = await store.read(retire.FORSAKEN_OF, rows=sorted(series)) if series else []
    return {r["uid"] for r in rows}


async def _referrers(store: Store, lost: set[str]) -> dict[str, str]:
    """Paths of the objects that refer to lost ones; of a series that does, all objects."""
    rows = await store.read(retire.REFERRERS, rows=sorted(lost))
    wanted = {r["uid"]: r["path"] for r in rows if r["uid"] and r["path"]}
    series = {r["series"] for r in rows if r["series"]}
    members = await store.read(questions.OBJECTS_OF, rows=sorted(series)) if series else []
    going = await _forsaken(store, series)
    return wanted | {m["uid"]: m["path"] for m in members if m["uid"] not in going}


async def _read(wanted: Mapping[str, str], without: set[str], run: Run) -> dict[str, Instance]:
    def read() -> dict[str, Instance]:
        found = ((uid, reread(uid, path, run)) for uid, path in wanted.items()
                 if uid not in without)
        return {uid: o for uid, o in found if o is not None}

    return await asyncio.to_thread(read)


async def _supplier(row: Row, objects: Mapping[str, Instance], run: Run) -> Instance | None:
    """Return the first object that is in a patient, study or series by what it states itself."""
    for uid, path in row["next"]:
        o = objects.get(uid) or await asyncio.to_thread(reread, uid, path, run)
        if o and row["patient"] in (None, o.patient_key) and row["study"] in (None, o.study_uid) \
                and row["series"] in (None, o.series_uid):
            return o
    return None


def _both(a: Around, b: Around) -> Around:
    """Places that are made anew for one reason or the other; what `b` has read is kept."""
    return replace(
        b, series=sorted({*a.series, *b.series}), studies=sorted({*a.studies, *b.studies}),
        patients=sorted({*a.patients, *b.patients}),
        unsettled=sorted({*a.unsettled, *b.unsettled}))
