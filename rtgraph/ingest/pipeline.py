"""Folders into the graph: walk, read in worker processes, write by partition of patients.

    walk -> unchanged? -> chunks -> workers -> queue of each writer -> transactions

Every queue is bounded by the number of objects, so the slowest part sets the pace and memory stays
flat. Objects of one patient go to one writer; a TaskGroup ends everything when one part fails.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from rtgraph.errors import TooManyRejects
from rtgraph.ingest.derive import derive
from rtgraph.ingest.discover import Roots, chunks, walk
from rtgraph.ingest.filters import Modalities
from rtgraph.ingest.known import PAGE, Changed, Start, changed
from rtgraph.ingest.pool import CHUNK, Workers, in_thread
from rtgraph.ingest.prune import Pruned, mark_forsaken, prune, retire_forsaken
from rtgraph.ingest.records import Found, Instance, Rejected, State
from rtgraph.ingest.rejected import RejectLimit, Retry, known_rejects
from rtgraph.ingest.revise import Run
from rtgraph.ingest.waiting import Line, unless
from rtgraph.ingest.write import Written, write_batch, write_rejects
from rtgraph.store.bolt import Counters, Store

REJECTS_KEPT = 1000

Sink = Callable[[Rejected], None]


@dataclass
class Progress:
    """Where a run stands; the command line prints it while it changes.

    `queued` objects wait to be written, `written` are; `retries` counts transactions that were
    repeated. `total` is known when the walk has ended. The derived pass has done `derived` of
    `to_derive` series. `fallbacks` counts files that the quick scanner left to pydicom, by reason.
    """

    seen: int = 0
    read: int = 0
    states: Counter[State] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)
    walked: bool = False
    phase: str = "read"
    queued: int = 0
    written: int = 0
    retries: int = 0
    derived: int = 0
    to_derive: int = 0
    changes: Counters = field(default_factory=Counters)
    pruned: Pruned = field(default_factory=Pruned)
    known_rejects: int = 0  # unchanged files, counted where there is a limit
    fresh_tags: tuple[str, ...] = ()
    too_many: TooManyRejects | None = None

    @property
    def total(self) -> int | None:
        """All files, once they are known."""
        return self.seen if self.walked else None

    def take_read(self, o: Instance) -> None:
        """Count an object that was read."""
        self.invalid.update(keyword for keyword, _, _ in o.invalid)
        if reason := o.fallback:
            self.fallbacks[reason] += 1

    def take_rejected(self, r: Rejected) -> None:
        """Count a file that is no object."""
        self.states[State.REJECTED] += 1
        self.reasons[r.reason.value] += 1

    def take(self, written: Written) -> None:
        """Count the outcome of a batch."""
        self.states.update(written.states)
        self.changes += written.changes
        self.reasons.update(r.reason.value for r in written.refused)

    def take_derived(self, done: int, series: int) -> None:
        """Note how far the derived pass is."""
        self.derived, self.to_derive = done, series


@dataclass(frozen=True)
class Source:
    """Files that come while a run goes on, instead of a walk through folders.

    Attributes
    ----------
    pages : callable
        Gets the roots and returns the files in lists; an empty one lets the run look whether it is
        to stop. The run ends with them.
    written : callable
        Gets the objects of a batch when they are in the graph.
    """

    pages: Callable[[Roots], Iterator[list[Found | Rejected]]]
    written: Callable[[Sequence[Instance]], None] = lambda objects: None


@dataclass(frozen=True)
class Options:
    """How a run is done; after `linger` seconds a batch is written that is not full yet."""

    writers: int = 2
    batch: int = 5000
    linger: float | None = None
    full: bool = False
    follow_links: bool = False
    names: bool = False
    prune: bool = False
    limit: RejectLimit | None = None
    modalities: Modalities = field(default_factory=Modalities)


@dataclass(frozen=True)
class Flow:
    """The parts of a run that all its tasks share; `retries` were counted before it."""

    store: Store
    workers: Workers
    run: Run
    options: Options
    progress: Progress
    rejected: Sink
    stop: asyncio.Event
    lines: Sequence[Line[Instance]]
    noted: Line[Rejected]
    retries: int
    source: Source | None = None


async def ingest(
    store: Store, start: Start, workers: Workers, *, run: Run, options: Options,
    progress: Progress, rejected: Sink, stop: asyncio.Event, retry: Retry | None = None,
    source: Source | None = None,
) -> bool:
    """Read files and write them; then bring derived facts up to date.

    Parameters
    ----------
    rejected : callable
        Gets every file that is no object, as soon as it is known.
    retry : Retry, optional
        What of the files below the paths is read.
    source : Source, optional
        Gives the files instead of a walk through the paths.
    stop : asyncio.Event
        Once set, no more files are read. What has been read is written, and what is derived from
        it is left to the next run, which finds the marks; so it is when a derived pass is stopped.

    Returns
    -------
    bool
        Whether the run came to its end.
    """
    lines = [Line[Instance](options.batch) for _ in range(options.writers)]
    flow = Flow(store, workers, run, options, progress, rejected, stop, lines,
                Line(REJECTS_KEPT), store.retries, source)
    async with asyncio.TaskGroup() as group:
        for line in lines:
            group.create_task(_write(flow, line))
        group.create_task(_note(flow))
        await _read(flow, _pages(flow, start, retry), frozenset(start.fresh))
        for line in lines:
            await line.put([])
        await flow.noted.put([])
    if stop.is_set():
        return False
    if options.prune:
        progress.phase = "prune"
        progress.changes += await prune(store, start.paths, run, progress.pruned)
    progress.changes += await retire_forsaken(store, run, progress.pruned)
    progress.phase = "derive"
    changes = await unless(stop, derive(store, progress.take_derived))
    progress.changes += changes or Counters()
    progress.retries = store.retries - flow.retries
    return changes is not None


def _pages(flow: Flow, start: Start, retry: Retry | None) -> Iterator[list[Found | Rejected]]:
    if flow.source is not None:
        return flow.source.pages(start.roots)
    files = walk(start.paths, start.roots, follow_links=flow.options.follow_links)
    return chunks(filter(retry.wants, files) if retry else files, PAGE)


async def _read(
    flow: Flow, files: Iterator[list[Found | Rejected]], fresh: frozenset[str]
) -> None:
    """Hand every changed file to a reader; a bounded number of chunks is on its way."""
    progress, room = flow.progress, asyncio.Semaphore(flow.workers.ahead)

    async def one(chunk: Changed) -> None:
        try:
            await _chunk(flow, chunk)
        finally:
            room.release()

    async with asyncio.TaskGroup() as group, aclosing(in_thread(files)) as pages:
        async for page in pages:
            found = [f for f in page if isinstance(f, Found)]
            lost = [f for f in page if isinstance(f, Rejected)]
            page_changed = await changed(flow.store, found, fresh, full=flow.options.full)
            progress.seen += len(page) - len(page_changed.files)
            progress.states[State.UNCHANGED] += len(found) - len(page_changed.files)
            await _reject(flow, lost)
            await _judge(flow, found, page_changed)
            for at in range(0, len(page_changed.files), CHUNK):
                part = page_changed.files[at : at + CHUNK]
                await room.acquire()
                if flow.stop.is_set():
                    return
                progress.seen += len(part)
                group.create_task(one(Changed(part, page_changed.held)))
            if flow.stop.is_set():
                return
        progress.walked = True


async def _chunk(flow: Flow, chunk: Changed) -> None:
    """Read a chunk of files and hand every object to the writer of its patient."""
    results = await flow.workers.read(chunk.files, flow.run.plan)
    flow.progress.read += len(chunk.files)
    parts: list[list[Instance]] = [[] for _ in flow.lines]
    for r in results:
        if isinstance(r, Instance) and not flow.options.modalities.takes(r):
            flow.progress.states[State.EXCLUDED] += 1
        elif isinstance(r, Instance):
            flow.progress.take_read(r)
            parts[int(r.patient_key[:8], 16) % len(parts)].append(r)
    # first, so that a run that is killed does not forget what the path held
    await mark_forsaken(flow.store, chunk.forsaken(results))
    await _reject(flow, [r for r in results if isinstance(r, Rejected)])
    await _judge(flow)
    for line, part in zip(flow.lines, parts, strict=True):
        if part:
            flow.progress.queued += len(part)
            await line.put(part)


async def _reject(flow: Flow, lost: list[Rejected]) -> None:
    for r in lost:
        flow.progress.take_rejected(r)
        flow.rejected(r)
    if lost:
        await flow.noted.put(lost)


async def _judge(flow: Flow, found: Sequence[Found] = (), page: Changed | None = None) -> None:
    """Stop when too many files are rejected; those that are so still count as well."""
    progress, limit = flow.progress, flow.options.limit
    if limit is None or flow.stop.is_set():
        return
    if page is not None:
        again = {f.path for f in page.files}
        progress.known_rejects += await known_rejects(
            flow.store, [f.path for f in found if f.path not in again])
    try:
        limit.check(progress.states[State.REJECTED] + progress.known_rejects,
                    progress.states.total())
    except TooManyRejects as error:
        progress.too_many = error
        flow.stop.set()


async def _write(flow: Flow, line: Line[Instance]) -> None:
    """Write the objects of a partition of patients, a batch a transaction."""
    progress, size = flow.progress, flow.options.batch

    async def write(objects: list[Instance]) -> None:
        written = await write_batch(flow.store, objects, flow.run)
        if not progress.written:
            await flow.store.resample()
        progress.take(written)
        progress.queued -= len(objects)
        progress.written += len(objects)
        progress.retries = flow.store.retries - flow.retries
        if written.refused:
            progress.changes += await write_rejects(flow.store, written.refused)
        for r in written.refused:
            flow.rejected(r)
        if flow.source:
            flow.source.written(objects)

    waiting: list[Instance] = []
    due: float | None = None  # when what waits is written, be it a full batch or not
    clock, linger = asyncio.get_running_loop().time, flow.options.linger
    while True:
        try:
            async with asyncio.timeout_at(due):
                part = await line.get()
        except TimeoutError:
            objects, waiting, due = waiting, [], None
            await write(objects)
            continue
        if not part:
            break
        waiting += part
        while len(waiting) >= size:
            objects, waiting, due = waiting[:size], waiting[size:], None
            await write(objects)
        if waiting and due is None and linger is not None:
            due = clock() + linger
    if waiting:
        await write(waiting)


async def _note(flow: Flow) -> None:
    """Note files that are no objects, so that they are not read again while unchanged."""
    waiting: list[Rejected] = []
    while part := await flow.noted.get():
        waiting += part
        if len(waiting) >= REJECTS_KEPT:
            flow.progress.changes += await write_rejects(flow.store, waiting)
            waiting = []
    if waiting:
        flow.progress.changes += await write_rejects(flow.store, waiting)
