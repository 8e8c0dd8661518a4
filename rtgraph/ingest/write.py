"""Writing one batch of objects: what is known is asked first, then one transaction does the rest.

The transaction stands or falls as a whole and may be repeated. When another writer has put one of
the objects there in the meantime, it is rolled back and the batch is decided upon again.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rtgraph.errors import RtgraphError, StatementRefused
from rtgraph.graphmodel import attached, questions, revision, statements
from rtgraph.graphmodel.shared import SHARED
from rtgraph.graphmodel.usertags import user_values
from rtgraph.ingest import batch, opening
from rtgraph.ingest.decide import Decision, decide
from rtgraph.ingest.parse import PARSER_VERSION
from rtgraph.ingest.records import Instance, Reason, Rejected, State
from rtgraph.ingest.revise import Around, Run
from rtgraph.ingest.tags import user_rows
from rtgraph.store.bolt import Counters, Store, Transaction

TRIES = 60
# Another writer took away a stub or an empty series between two steps of a statement.
_DELETED_MEANWHILE = "Neo.ClientError.Statement.EntityNotFound"
# What the driver raises on values that it has no form for.
_UNSENDABLE = (OverflowError, TypeError, ValueError)


Prepared = TypeVar("Prepared")


class _Collision(Exception):
    """An object of the batch is in the graph, or not as it was when the batch was decided upon."""


@dataclass(slots=True)
class Written:
    """What became of the files of a batch, and what changed in the graph."""

    states: Counter[State] = field(default_factory=Counter)
    refused: list[Rejected] = field(default_factory=list)
    changes: Counters = field(default_factory=Counters)

    def add(self, other: "Written") -> None:
        """Add the outcome of another batch."""
        self.states.update(other.states)
        self.refused += other.refused
        self.changes += other.changes


async def write_batch(store: Store, objects: Sequence[Instance], run: Run) -> Written:
    """Write objects with their hierarchy, copies and references.

    A batch that the server refuses is split until the object is found; that one alone becomes
    WRITE_REFUSED.
    """
    try:
        return await _write(store, objects, run)
    except (StatementRefused, *_UNSENDABLE) as error:
        if len(objects) == 1:
            refused = Rejected(objects[0].file, Reason.WRITE_REFUSED, type(error).__name__)
            return Written(Counter({State.REJECTED: 1}), [refused])
    middle = len(objects) // 2
    written = Written()
    for part in (objects[:middle], objects[middle:]):
        written.add(await write_batch(store, part, run))
    return written


async def _write(store: Store, objects: Sequence[Instance], run: Run) -> Written:
    async def decided(attempt: int) -> Decision:
        return await decide(store, objects, run, all_uids=attempt > 0)

    async def write(transaction: Transaction, decision: Decision) -> None:
        await put(transaction, decision, run)

    decision, changes = await until_alone(store, decided, write)
    return Written(decision.states, [], changes)


async def until_alone(
    store: Store, prepare: Callable[[int], Awaitable[Prepared]],
    do: Callable[[Transaction, Prepared], Awaitable[None]],
) -> tuple[Prepared, Counters]:
    """Prepare, and do it in one transaction; both again when another writer came between.

    `prepare` gets the number of times that this has happened.
    """
    for attempt in range(TRIES):
        # by chance, so that writers that met once do not meet again
        await asyncio.sleep(random.uniform(0, 0.05 * attempt))
        prepared = await prepare(attempt)

        async def work(transaction: Transaction, prepared: Prepared = prepared) -> Counters:
            await do(transaction, prepared)
            return transaction.counters

        try:
            return prepared, await store.transact(work)
        except _Collision:
            pass
        except StatementRefused as error:
            if getattr(error.__cause__, "code", None) != _DELETED_MEANWHILE:
                raise
    raise RtgraphError("Two writers keep changing the same objects.", "Run the command again.")


async def put(transaction: Transaction, decision: Decision, run: Run) -> None:
    """Write what was decided; what it replaces, and what only that held together, goes."""
    parameters: dict[str, Any] = {"run": run.id, "parser": PARSER_VERSION}
    known = {uid: row["path"] for uid, row in decision.known.items()}
    objects = decision.objects
    await hold(transaction, decision)
    again = [o for o in objects if o.sop_uid in known]
    left = await take_back(transaction, sorted(o.sop_uid for o in again), decision.around)
    for step in batch.hierarchy(objects) if objects else ():
        await transaction.run(step.statement, rows=step.rows, **parameters)
    again += await _create(transaction, [o for o in objects if o.sop_uid not in known], parameters)
    for kind, step in batch.instances(again, again=True):
        moved = await transaction.run(step.statement, rows=step.rows, **parameters)
        if any(row["before"] != known.get(row["uid"]) for row in moved):
            raise _Collision
        if moved:
            rows = [[row["uid"], row["series"]] for row in moved]
            left.series |= {
                r["series"] for r in await transaction.run(statements.settle(kind), rows=rows)}
    if (tags := run.plan.tags) and objects:
        await transaction.run(
            user_values(tuple(t.name for t in tags)), rows=user_rows(objects, tags))
    if (await transaction.run(statements.ANY_FILES))[0]["n"]:
        paths = {o.file.path for o in objects}
        await transaction.run(
            statements.DROP_FILES, rows=sorted(paths | _above(paths) | set(decision.gone)))
    if decision.copies:
        step = batch.copies(decision.copies)
        await transaction.run(step.statement, rows=step.rows)
    for step in (batch.variants(objects), *batch.parts(objects)) if objects else ():
        await transaction.run(step.statement, rows=step.rows)
    missing: set[str] = set()
    for step in batch.references(objects):
        for row in await transaction.run(step.statement, rows=step.rows, **parameters):
            missing.update(row.get("missing", ()))
    if placed := batch.placements(objects, missing):
        await transaction.run(placed.statement, rows=placed.rows)
    for step in batch.links(objects):
        await transaction.run(step.statement, rows=step.rows)
    await clean(transaction, left)


async def _create(
    transaction: Transaction, objects: Sequence[Instance], parameters: dict[str, Any]
) -> list[Instance]:
    """Write objects as new; return those whose node was there, mostly as a stub."""
    there: set[str] = set()
    for _, step in batch.instances(objects):
        rows = await transaction.run(step.statement, rows=step.rows, **parameters)
        there.update(row["uid"] for row in rows)
    return [o for o in objects if o.sop_uid in there]


async def hold(transaction: Transaction, decision: Decision) -> None:
    """Lock what is known, and see that it still is what the batch was decided with."""
    around = decision.around
    for before, key, hold, look in (
        (decision.known.values(), "uid", revision.HOLD_OBJECTS, questions.KNOWN_OBJECTS),
        (around.of_patient, "patient", revision.HOLD_PATIENTS, questions.STUDIES_OF),
        (around.in_study, "study", revision.HOLD_STUDIES, questions.SERIES_OF),
        (around.members, "series", revision.HOLD_SERIES, questions.OBJECTS_OF),
    ):
        uids = sorted({row[key] for row in before})
        if uids:
            await transaction.run(hold, rows=uids)
            now = await transaction.run(look, rows=uids)
            if sorted(map(repr, now)) != sorted(map(repr, before)):
                raise _Collision


@dataclass(slots=True)
class Left:
    """What may have lost the last that it was there for."""

    stubs: set[str] = field(default_factory=set)
    series: set[str] = field(default_factory=set)
    studies: set[str] = field(default_factory=set)
    patients: set[str] = field(default_factory=set)
    shared: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


async def take_back(transaction: Transaction, again: list[str], around: Around) -> Left:
    """Take away what objects that are written again had stated, and the places around them."""
    left = Left(
        series=set(around.series), studies=set(around.studies), patients=set(around.patients))
    for statement, uids in (
        (attached.RETIRE_PARTS, again), (attached.RETIRE_REGISTRATIONS, again),
        (revision.RETIRE, again), (revision.RETIRE_SERIES, around.series),
    ):
        for r in await transaction.run(statement, rows=uids) if uids else ():
            if r["label"]:
                left.shared[r["label"]].add(r["key"])
            for found, level in ((left.stubs, "instance"), (left.series, "series"),
                                 (left.studies, "study")):
                found.update([uid] if (uid := r.get(level)) else ())
    if around.studies:
        rows = await transaction.run(revision.RELEASE, rows=around.studies)
        left.patients |= {r["patient"] for r in rows}
    if around.unsettled:
        await transaction.run(revision.UNSETTLE, rows=around.unsettled)
    if around.patients:
        await transaction.run(revision.FORGET, rows=around.patients)
    return left


async def clean(transaction: Transaction, left: Left) -> None:
    """Take away what only the old content of changed objects had held together."""
    for shared in SHARED:
        if keys := left.shared.get(shared.label):
            await transaction.run(attached.left(shared), rows=sorted(keys))
    if left.stubs:
        rows = await transaction.run(revision.DROP_STUBS, rows=sorted(left.stubs))
        left.series |= {r["series"] for r in rows if r["series"]}
    if left.series:
        rows = await transaction.run(revision.EMPTY_SERIES, rows=sorted(left.series))
        left.studies |= {r["study"] for r in rows if r["study"]}
        await transaction.run(revision.DROP_SERIES, rows=sorted({r["series"] for r in rows}))
    if left.studies:
        rows = await transaction.run(revision.EMPTY_STUDIES, rows=sorted(left.studies))
        left.patients |= {r["patient"] for r in rows if r["patient"]}
        await transaction.run(revision.DROP_STUDIES, rows=sorted({r["study"] for r in rows}))
    if left.patients:
        await transaction.run(revision.DROP_PATIENTS, rows=sorted(left.patients))


def _above(paths: Iterable[str]) -> set[str]:
    """Folders and archives in which something was read: none of them is unreadable any more."""
    return {above for path in paths for above in opening.above(path)}


async def write_rejects(store: Store, rejected: Sequence[Rejected]) -> Counters:
    """Note files that are no objects, so that they are not read again while unchanged."""
    step = batch.rejects(rejected)
    above = _above(r.file.path for r in rejected)

    async def work(transaction: Transaction) -> Counters:
        if above:
            await transaction.run(statements.DROP_FILES, rows=sorted(above))
        await transaction.run(step.statement, rows=step.rows)
        return transaction.counters

    return await store.transact(work)
