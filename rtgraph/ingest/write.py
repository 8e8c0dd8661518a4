"""Writing one batch of objects: what is known is asked first, then one transaction does the rest.

The transaction stands or falls as a whole and may be repeated. When another writer has put one of
the objects there in the meantime, it is rolled back and the batch is settled again.
"""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rtgraph.errors import RtgraphError, StatementRefused
from rtgraph.graphmodel import schema
from rtgraph.ingest import batch
from rtgraph.ingest.compare import Candidate, Copy, same_data_set, settle
from rtgraph.ingest.discover import Roots
from rtgraph.ingest.parse import PARSER_VERSION
from rtgraph.ingest.records import Instance, Reason, Rejected, State
from rtgraph.store.bolt import Counters, Row, Store, Transaction

TRIES = 5


class _Collision(Exception):
    """Another writer wrote an object of the batch after it was settled."""


@dataclass(slots=True)
class Written:
    """What became of the files of a batch, and what changed in the graph."""

    states: Counter[State] = field(default_factory=Counter)
    refused: list[Rejected] = field(default_factory=list)
    changes: Counters = field(default_factory=Counters)

    def add(self, other: "Written") -> None:
        """Add the outcome of another batch."""
        self.states += other.states
        self.refused += other.refused
        self.changes += other.changes


@dataclass(slots=True)
class _Settled:
    objects: list[Instance]
    copies: list[tuple[str, str, Copy]]
    known: dict[str, str]
    states: Counter[State]


async def write_batch(
    store: Store, objects: Sequence[Instance], roots: Roots, run_id: str
) -> Written:
    """Write objects with their hierarchy, copies and references.

    A batch that the server refuses is split until the object is found; that one alone becomes
    WRITE_REFUSED.
    """
    try:
        return await _write(store, objects, roots, run_id)
    except StatementRefused as error:
        if len(objects) == 1:
            refused = Rejected(objects[0].file, Reason.WRITE_REFUSED, type(error).__name__)
            return Written(Counter({State.REJECTED: 1}), [refused])
    middle = len(objects) // 2
    written = Written()
    for part in (objects[:middle], objects[middle:]):
        written.add(await write_batch(store, part, roots, run_id))
    return written


async def _write(
    store: Store, objects: Sequence[Instance], roots: Roots, run_id: str
) -> Written:
    for _ in range(TRIES):
        settled = await _settled(store, objects, roots)

        async def work(transaction: Transaction, settled: _Settled = settled) -> Counters:
            await _run(transaction, settled, run_id)
            return transaction.counters

        try:
            return Written(settled.states, [], await store.transact(work))
        except _Collision:
            continue
    raise RtgraphError("Two writers keep changing the same objects.", "Run the command again.")


async def _settled(store: Store, objects: Sequence[Instance], roots: Roots) -> _Settled:
    """Decide for each SOP Instance UID which file is the object, with what the graph has."""
    by_uid: dict[str, list[Instance]] = defaultdict(list)
    for o in objects:
        by_uid[o.sop_uid].append(o)
    rows = await store.read(schema.KNOWN_OBJECTS, rows=sorted(by_uid))
    known = {row["uid"]: row for row in rows}
    settled = _Settled([], [], {uid: row["path"] for uid, row in known.items()}, Counter())
    for uid, records in by_uid.items():
        candidates = _candidates(records, known.get(uid), roots)
        winner, copies = await asyncio.to_thread(settle, candidates, same_data_set)
        settled.copies += [(uid, winner.series_uid, c) for c in copies]
        if winner.record is not None:
            settled.objects.append(winner.record)
            settled.states[State.INDEXED] += 1
        for copy in copies:
            if copy.file.record is not None:
                settled.states[State.CONFLICT if copy.differs else State.DUPLICATE] += 1
    return settled


def _candidates(records: list[Instance], known: Row | None, roots: Roots) -> list[Candidate]:
    found = {c.path: c for c in map(Candidate.of, records)}
    if known is None:
        return list(found.values())
    for row in (known | {"header_digest": known["digest"], "series_uid": known["series"]},
                *known["copies"]):
        path = str(row["path"])
        location = roots.location(path)
        if path in found or (location is not None and not os.path.exists(location)):
            continue  # read again, or moved: the old path is gone
        found[path] = Candidate(
            path, location, row["size"], row["mtime"], row["header_digest"] or "",
            row.get("series_uid") or known["series"])
    return list(found.values())


async def _run(transaction: Transaction, settled: _Settled, run_id: str) -> None:
    parameters: dict[str, Any] = {"run": run_id, "parser": PARSER_VERSION}
    objects = settled.objects
    again = sorted(o.sop_uid for o in objects if o.sop_uid in settled.known)
    stubs = await transaction.run(schema.RETIRE, rows=again) if again else []
    left: set[str] = set()
    for step in batch.hierarchy(objects) if objects else ():
        await transaction.run(step.statement, rows=step.rows, **parameters)
    for kind, step in batch.instances(objects):
        moved = await transaction.run(step.statement, rows=step.rows, **parameters)
        if any(row["before"] != settled.known.get(row["uid"]) for row in moved):
            raise _Collision
        if moved:
            rows = [[row["uid"], row["series"]] for row in moved]
            left |= {r["series"] for r in await transaction.run(schema.settle(kind), rows=rows)}
    paths = sorted(o.file.path for o in objects)
    await transaction.run(schema.DROP_FILES, rows=paths)
    if settled.copies:
        step = batch.copies(settled.copies)
        await transaction.run(step.statement, rows=step.rows)
    for step in batch.references(objects):
        await transaction.run(step.statement, rows=step.rows, **parameters)
    await _clean(transaction, stubs, left)


async def _clean(transaction: Transaction, stubs: list[Row], left: set[str]) -> None:
    """Take away what only the old content of changed objects had held together."""
    unused = sorted({r["instance"] for r in stubs if r["instance"]})
    if unused:
        rows = await transaction.run(schema.DROP_STUBS, rows=unused)
        left |= {r["series"] for r in rows if r["series"]}
    left |= {r["series"] for r in stubs if r["series"]}
    studies = {r["study"] for r in stubs if r["study"]}
    if left:
        rows = await transaction.run(schema.DROP_EMPTY_SERIES, rows=sorted(left))
        studies |= {r["study"] for r in rows}
    if studies:
        await transaction.run(schema.DROP_EMPTY_STUDIES, rows=sorted(studies))


async def write_rejects(store: Store, rejected: Sequence[Rejected]) -> Counters:
    """Note files that are no objects, so that they are not read again while unchanged."""
    step = batch.rejects(rejected)

    async def work(transaction: Transaction) -> Counters:
        await transaction.run(step.statement, rows=step.rows)
        return transaction.counters

    return await store.transact(work)
