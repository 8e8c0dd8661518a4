"""Folders into the graph: walk, read in worker processes, write by partition of patients.

    discovery -> chunks -> unchanged? -> process pool -> queue of each writer -> transactions

Every queue is bounded, so the slowest part sets the pace and memory stays flat. Objects of one
patient go to one writer; a TaskGroup ends everything when one part fails.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from rtgraph.graphmodel import questions, statements
from rtgraph.ingest.derive import derive
from rtgraph.ingest.discover import chunks, readable, walk, with_roots
from rtgraph.ingest.parse import PARSER_VERSION, Plan, parse_many
from rtgraph.ingest.records import Found, Instance, Rejected, State
from rtgraph.ingest.revise import Run
from rtgraph.ingest.write import Written, write_batch, write_rejects
from rtgraph.store.bolt import Counters, Store

CHUNK = 64
REJECTS_KEPT = 1000


@dataclass
class Progress:
    """Where a run stands; the command line prints it while it changes."""

    seen: int = 0
    read: int = 0
    states: Counter[State] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    walked: bool = False
    phase: str = "read"
    changes: Counters = field(default_factory=Counters)

    def take(self, written: Written) -> None:
        """Count the outcome of a batch."""
        self.states.update(written.states)
        self.changes += written.changes
        self.reasons.update(r.reason.value for r in written.refused)


@dataclass(frozen=True)
class Options:
    """How a run is done."""

    writers: int = 2
    batch: int = 5000
    full: bool = False
    follow_links: bool = False
    names: bool = False


Sink = Callable[[Rejected], None]


async def ingest(
    store: Store, paths: Sequence[Path], executor: Executor | None, *, key: str, run_id: str,
    roots: Mapping[str, str], options: Options, progress: Progress, rejected: Sink,
) -> None:
    """Read files below `paths` and write them; then bring derived facts up to date.

    Parameters
    ----------
    executor : Executor
        Where files are read; None reads in a thread of this process.
    key : str
        Key of the store, for `patient_key`.
    roots : mapping
        Names and folders that paths in the graph are relative to; new ones are added to the graph.
    rejected : callable
        Gets every file that is no object, as soon as it is known.
    """
    starts, all_roots = with_roots(paths, roots)
    for name, folder in all_roots.by_name.items():
        if roots.get(name) != folder:
            await store.write(statements.ROOT_NODE, name=name, path=readable(folder))
    plan = Plan(key, options.names)
    run = Run(run_id, all_roots, plan)
    queues: list[asyncio.Queue[list[Instance] | None]] = [
        asyncio.Queue(maxsize=16) for _ in range(options.writers)]
    noted: asyncio.Queue[list[Rejected] | None] = asyncio.Queue(maxsize=16)
    files = walk(starts, all_roots, follow_links=options.follow_links)
    async with asyncio.TaskGroup() as group:
        for queue in queues:
            group.create_task(_writer(store, queue, run, options, progress, rejected))
        group.create_task(_reject_writer(store, noted, progress))
        await _read(store, files, executor, plan, options, progress, rejected, queues, noted)
        for queue in queues:
            await queue.put(None)
        await noted.put(None)
    progress.phase = "derive"
    progress.changes += await derive(store)


async def _read(
    store: Store, files: Iterator[Found | Rejected], executor: Executor | None, plan: Plan,
    options: Options, progress: Progress, rejected: Sink,
    queues: Sequence[asyncio.Queue[list[Instance] | None]],
    noted: asyncio.Queue[list[Rejected] | None],
) -> None:
    """Hand every file to a reader and every object to the writer of its patient."""

    async def one(chunk: list[Found | Rejected]) -> None:
        found = [f for f in chunk if isinstance(f, Found)]
        lost = [f for f in chunk if isinstance(f, Rejected)]
        if not options.full:
            found = await _changed(store, found, progress)
        results = await in_executor(executor, found, plan)
        lost += [r for r in results if isinstance(r, Rejected)]
        progress.read += len(found)
        for reject in lost:
            progress.states[State.REJECTED] += 1
            progress.reasons[reject.reason.value] += 1
            rejected(reject)
        if lost:
            await noted.put(lost)
        parts: list[list[Instance]] = [[] for _ in queues]
        for r in results:
            if isinstance(r, Instance):
                progress.invalid.update(keyword for keyword, _, _ in r.invalid)
                parts[int(r.patient_key[:8], 16) % len(queues)].append(r)
        for queue, part in zip(queues, parts, strict=True):
            if part:
                await queue.put(part)

    running: set[asyncio.Task[None]] = set()
    async with asyncio.TaskGroup() as group:
        async for chunk in in_thread(chunks(files, CHUNK)):
            progress.seen += len(chunk)
            while len(running) >= 8:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            running.add(group.create_task(one(chunk)))
        progress.walked = True


async def in_thread(chunked: Iterator[list[Found | Rejected]]
                    ) -> AsyncIterator[list[Found | Rejected]]:
    """Walk in a thread, so that slow storage does not hold up the writers."""
    while (chunk := await asyncio.to_thread(next, chunked, None)) is not None:
        yield chunk


async def in_executor(
    executor: Executor | None, found: list[Found], plan: Plan
) -> list[Instance | Rejected]:
    """Read a chunk where reading is done."""
    if not found:
        return []
    if executor is None:
        return await asyncio.to_thread(parse_many, found, plan)
    return await asyncio.get_running_loop().run_in_executor(executor, parse_many, found, plan)


async def _changed(store: Store, found: list[Found], progress: Progress) -> list[Found]:
    """Leave out files that the graph knows with the same size, time and reader."""
    rows = await store.read(questions.KNOWN_FILES, rows=[f.path for f in found])
    known = {(r["path"], r["size"], r["mtime"]) for r in rows if r["parser"] == PARSER_VERSION}
    changed = [f for f in found if (f.path, f.size, f.mtime) not in known]
    progress.states[State.UNCHANGED] += len(found) - len(changed)
    return changed


async def _writer(
    store: Store, queue: asyncio.Queue[list[Instance] | None], run: Run, options: Options,
    progress: Progress, rejected: Sink,
) -> None:
    """Write the objects of a partition of patients, a batch a transaction."""
    waiting: list[Instance] = []
    while True:
        part = await queue.get()
        waiting += part or []
        while len(waiting) >= options.batch or (part is None and waiting):
            objects, waiting = waiting[: options.batch], waiting[options.batch :]
            written = await write_batch(store, objects, run)
            progress.take(written)
            if written.refused:
                progress.changes += await write_rejects(store, written.refused)
            for r in written.refused:
                rejected(r)
        if part is None:
            return


async def _reject_writer(
    store: Store, noted: asyncio.Queue[list[Rejected] | None], progress: Progress
) -> None:
    waiting: list[Rejected] = []
    while True:
        part = await noted.get()
        waiting += part or []
        if len(waiting) >= REJECTS_KEPT or (part is None and waiting):
            progress.changes += await write_rejects(store, waiting)
            waiting = []
        if part is None:
            return
