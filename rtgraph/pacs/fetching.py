"""Targets from one archive into the graph: plan, transfer and ingest at once, then the books.

    archive -> plans -> workers, an association each -> files -> arrivals -> ingest -> graph

What blocks runs in threads; everything else in the event loop. A study's plans are the most that
is held of an archive's answers.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rtgraph.config import Node, Settings
from rtgraph.cypher.library import lookup
from rtgraph.errors import PeerError, PeerFailed, ReceiverError, first_of
from rtgraph.graphmodel.archive import Kept
from rtgraph.ingest.pipeline import Progress, Source
from rtgraph.ingest.records import Instance
from rtgraph.ingest.rejected import Notice
from rtgraph.ingest.runs import Summary, run_ingest
from rtgraph.pacs.again import Incomplete, patiently, rounds
from rtgraph.pacs.answer import Answers, Say
from rtgraph.pacs.arrivals import Arrivals
from rtgraph.pacs.ledger import Ledger, SeriesResult
from rtgraph.pacs.part10 import Identity
from rtgraph.pacs.plan import TOGETHER, Chosen, Planner, SeriesPlan
from rtgraph.pacs.query import Level
from rtgraph.pacs.receive import forget, options_of
from rtgraph.pacs.request import Request
from rtgraph.pacs.scp import Scp
from rtgraph.pacs.statuses import FOR_ALL
from rtgraph.pacs.storing import Folder, Outcome, Stored, kept_at
from rtgraph.pacs.wanted import Target
from rtgraph.pacs.worker import Ways, Worker
from rtgraph.store.bolt import Store

T = TypeVar("T")
PAGE = 5000


@dataclass
class Delivery:
    """What has come from an archive; `error` says why it could not be gone on with."""

    node: str
    results: list[SeriesResult] = field(default_factory=list, repr=False)
    not_found: list[Target] = field(default_factory=list, repr=False)
    failures: Counter[str] = field(default_factory=Counter)
    conflicts: int = 0
    replaced: int = 0
    limited: bool = False
    error: PeerError | ReceiverError | None = None
    summary: Summary | None = None


@dataclass(frozen=True)
class Means:
    """What fetching needs besides an archive."""

    store: Store
    settings: Settings
    folder: Folder
    scp: Scp | None
    say: Say
    stop: asyncio.Event
    chosen: Chosen = field(default_factory=Chosen)
    rejects_file: Path | None = None
    notice: Notice | None = None
    dry_run: bool = False


class Fetching:
    """One list of targets from one archive."""

    def __init__(
        self, node: Node, means: Means, *, most: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._node, self._means, self._left = node, means, most
        self.progress = progress or Progress()
        self.arrivals, self.ledger, self.delivery = Arrivals(), Ledger(), Delivery(node.name)
        self._pool = ThreadPoolExecutor(node.associations + 1, "archive")
        self._ways = Ways(node, means.settings, means.folder, Answers(self.arrived, means.say),
                          means.scp, means.say)

    def arrived(self, stored: Stored) -> None:
        """Take an object that is on the disk; called from any thread, it may block."""
        if self.ledger.arrived(stored):
            self.arrivals.put(stored.path)

    async def run(self, targets: Sequence[Target]) -> Delivery:
        """Fetch the targets and ingest what comes; then see what is in the graph."""
        means = self._means
        if means.dry_run:
            await self._transfer(targets)
            return self.delivery
        async with asyncio.TaskGroup() as group:
            ingest = group.create_task(run_ingest(
                means.store, [means.folder.base], means.settings,
                options=options_of(means.settings), progress=self.progress,
                rejects_file=means.rejects_file, jobs=means.settings.jobs, notice=means.notice,
                source=Source(self.arrivals.pages, self._written)))
            try:
                await self._transfer(targets)
            finally:
                self.arrivals.close()
        self.delivery.summary = ingest.result()
        self.delivery.conflicts = self.ledger.conflicts
        self.delivery.replaced = self.ledger.replaced
        await self._close_books()
        return self.delivery

    def _written(self, objects: Sequence[Instance]) -> None:
        self.ledger.written(objects)
        forget(objects)

    # --- transfer --------------------------------------------------------------------------------

    async def _transfer(self, targets: Sequence[Target]) -> None:
        n = self._node.associations
        queue: asyncio.Queue[SeriesPlan | None] = asyncio.Queue(2 * n)
        planner = Planner(self._node, self._means.settings, self._means.chosen)

        async def plan() -> None:
            async for series in self._plans(planner, targets):
                await queue.put(series)
            for _ in range(n):
                await queue.put(None)

        async def work() -> None:
            worker = Worker(self._ways, self._pool, self._means.stop, self.arrivals.is_full)
            try:
                while (series := await queue.get()) is not None:
                    await self._series(series, worker)
            finally:
                await worker.close()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(plan())
                for _ in range(n):
                    group.create_task(work())
        except* (PeerError, ReceiverError) as errors:
            found = first_of(errors)
            assert isinstance(found, PeerError | ReceiverError)
            self.delivery.error = found
        finally:
            await asyncio.shield(self._call(planner.end))
            self._pool.shutdown(wait=False)

    async def _plans(
        self, planner: Planner, targets: Sequence[Target]
    ) -> AsyncIterator[SeriesPlan]:
        """Yield what the archive announces of the targets, as long as there is room for it."""
        whole: set[str] = set()  # a series may be a target, and its objects as well
        for target in targets:
            if self._stopped():
                return
            if target.level is Level.image:
                continue
            found = False
            async for plan in self._below(planner, target):
                found = True
                if plan.series_uid not in whole:
                    whole.add(plan.series_uid)
                    yield plan
            if not found and not (target.level in (Level.patient, Level.study)
                                  and await self._patient(planner.has_none_then, target)):
                self.delivery.not_found.append(target)
        objects = [t for t in targets if t.level is Level.image]
        for at in range(0, len(objects), PAGE):
            some = objects[at : at + PAGE]
            if self._stopped():
                return
            plans = await self._patient(planner.objects, some)
            known = {uid for plan in plans for uid in plan.instances}
            self.delivery.not_found += [t for t in some if t.uid not in known]
            for plan in plans:
                if plan.series_uid not in whole:
                    yield plan

    async def _below(self, planner: Planner, target: Target) -> AsyncIterator[SeriesPlan]:
        if target.level is Level.series:
            for plan in await self._patient(planner.one_series, target):
                yield plan
            return
        for study in await self._patient(planner.studies, target):
            if self._stopped():
                return
            for plan in await self._patient(planner.series, study):
                yield plan

    def _stopped(self) -> bool:
        return self._means.stop.is_set() or self.delivery.limited

    async def _call(self, function: Callable[..., T], *given: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, function, *given)

    async def _patient(self, function: Callable[..., T], *given: object) -> T:
        return await patiently(self._means.settings.retry, self._means.stop,
                               lambda: self._call(function, *given))

    # --- one series ------------------------------------------------------------------------------

    async def _series(self, plan: SeriesPlan, worker: Worker) -> None:
        await self._look(plan)
        wanted = (len(plan.coming) if plan.instances else
                  plan.announced if plan.held < plan.announced else 0)
        if self._left is not None and wanted > self._left:
            self.delivery.limited = True
            return
        if self._left is not None:
            self._left -= wanted
        if self._means.dry_run:
            self.delivery.results.append(SeriesResult(
                plan.study_uid, plan.series_uid, plan.modality, plan.announced,
                len(plan.there) or plan.held))
            return
        self.ledger.begin(plan)
        try:
            if wanted or plan.unknown:
                await self._call(self._take_leftovers, plan)
                async for attempt in rounds(self._means.settings.rounds):
                    with attempt:
                        await self._ask(plan, worker)
        except Incomplete:
            pass
        finally:
            self.delivery.results.append(self.ledger.end(plan))

    async def _look(self, plan: SeriesPlan) -> None:
        """See what of a series is in the graph already, with as much as is to be kept.

        Where corrected objects are asked for, nothing counts as there: only its content tells.
        """
        if self._means.folder.replace:
            plan.coming = set(plan.instances)
            return
        keep, store = self._means.folder.keep, self._means.store
        uids = sorted(plan.instances)
        for at in range(0, len(uids), PAGE):
            rows = await store.read(lookup("objects-held").statement, uids=uids[at : at + PAGE])
            plan.there |= {row["uid"] for row in rows if Kept(row["kept"]).satisfies(keep)}
        plan.coming = set(uids) - plan.there
        if not uids and plan.number:
            plan.held = await self._held(plan.series_uid, keep)

    async def _held(self, series_uid: str, keep: Kept) -> int:
        """Return how many objects of a series are in the graph, with at least so much kept."""
        rows = await self._means.store.read(
            lookup("series-held").statement, series=[series_uid],
            kept=[k.value for k in Kept if k.satisfies(keep)])
        return int(rows[0]["n"]) if rows else 0

    def _take_leftovers(self, plan: SeriesPlan) -> None:
        """Take what an earlier process has stored and not brought into the graph."""
        folder = self._means.folder
        if folder.replace:
            return  # a file of today may be older than the object in the archive
        for uid in sorted(plan.coming):
            path = folder.place(Identity("", uid, plan.series_uid, plan.study_uid))
            if path.is_file() and kept_at(path).satisfies(folder.keep):
                uids = Identity(plan.instances[uid], uid, plan.series_uid, plan.study_uid)
                self.arrived(Stored(uids, str(path), Outcome.DUPLICATE))

    async def _ask(self, plan: SeriesPlan, worker: Worker) -> None:
        """Ask for what has not come; raise `Incomplete` when something has not come then."""
        means = self._means
        await patiently(means.settings.retry, means.stop, lambda: self._once(plan, worker),
                        lambda: plan.arrived)
        if means.stop.is_set():
            return
        if plan.coming or (not plan.instances and plan.arrived < plan.announced):
            raise Incomplete

    async def _once(self, plan: SeriesPlan, worker: Worker) -> None:
        for request in _requests(plan):
            try:
                fetched = await worker.fetch(request)
                plan.refused |= fetched.failed_uids
                if fetched.failed:
                    self.delivery.failures["failed sub-operations"] += fetched.failed
            except PeerFailed as error:
                if error.transient or error.status in FOR_ALL:
                    raise
                self.delivery.failures[str(error)] += 1
            if reason := self._unwritable():
                raise ReceiverError(f"Objects cannot be written: {reason}.",
                                    "Make room, then run the same command again.")
            if self._means.stop.is_set():
                return
            await asyncio.sleep(self._node.pause)

    def _unwritable(self) -> str:
        scp = self._means.scp
        return self._ways.answers.unwritable or (scp.answers.unwritable if scp else "")

    # --- the books -------------------------------------------------------------------------------

    async def _close_books(self) -> None:
        """Ask the graph for what has arrived and was not seen to be written."""
        store = self._means.store
        unwritten = self.ledger.unwritten()
        uids = sorted(uid for found in unwritten.values() for uid in found)
        present: set[str] = set()
        for at in range(0, len(uids), PAGE):
            rows = await store.read(lookup("objects-held").statement, uids=uids[at : at + PAGE])
            present |= {row["uid"] for row in rows}
        for result in self.delivery.results:
            lost = unwritten.get(result.series_uid, set()) - present
            result.lost = tuple(sorted(lost))
            result.in_graph = (
                result.there + result.received - len(lost) if result.listed else
                await self._held(result.series_uid, Kept.NONE))  # some may have come again


def _requests(plan: SeriesPlan) -> Iterator[Request]:
    """Yield what is asked for: the whole series, or the objects that are wanted of it."""
    classes = frozenset(filter(None, plan.instances.values()))
    whole = not plan.partial and len(plan.coming) == len(plan.instances)
    if whole:
        yield Request(plan.study_uid, plan.series_uid, (), classes, plan.patient_id)
        return
    uids = sorted(plan.coming)
    for at in range(0, len(uids), TOGETHER):
        yield Request(plan.study_uid, plan.series_uid, tuple(uids[at : at + TOGETHER]), classes,
                      plan.patient_id)
