"""A retrieval: targets from several archives, or what is referred to and absent, round by round.

Each list of targets from one archive leaves a RetrieveRun in the graph, with what was announced,
what came and what did not.
"""

import asyncio
import json
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from rtgraph import __version__
from rtgraph.config import Node, Settings
from rtgraph.errors import ExitCode, ReceiverError, RtgraphError
from rtgraph.graphmodel import archive, schema
from rtgraph.ingest.lifetime import mark_killed, this_process
from rtgraph.ingest.pipeline import Progress
from rtgraph.pacs.announce import announce, note_requested, of_results
from rtgraph.pacs.answer import Say
from rtgraph.pacs.fetching import Delivery, Fetching, Means
from rtgraph.pacs.ledger import SeriesResult, totals
from rtgraph.pacs.receive import folder_of
from rtgraph.pacs.scp import Scp
from rtgraph.pacs.storing import Stored
from rtgraph.pacs.wanted import Target, dangling, placed
from rtgraph.store.bolt import Store

__all__ = ["Limits", "Retrieval", "retrieve"]


@dataclass(frozen=True)
class Limits:
    """How far what is referred to is followed: rounds, and objects in all."""

    depth: int = 3
    objects: int | None = None


@dataclass
class Retrieval:
    """What a retrieval has done; `progress` is that of the ingest that goes on now."""

    deliveries: list[Delivery] = field(default_factory=list)
    dry_run: bool = False
    interrupted: bool = False
    unsynced: int = 0
    progress: Progress = field(default_factory=Progress)

    @property
    def results(self) -> list[SeriesResult]:
        """The series of all archives."""
        return [r for d in self.deliveries for r in d.results]

    @property
    def exit_code(self) -> ExitCode:
        """0 when all that was announced is in the graph, 1 with a shortfall, 3 if not done."""
        if self.interrupted:
            return ExitCode.interrupted
        if self.unsynced or any(d.error for d in self.deliveries):
            return ExitCode.incomplete
        short = any(r.short for r in self.results) and not self.dry_run
        return ExitCode.findings if short or self.not_found else ExitCode.done

    @property
    def not_found(self) -> list[Target]:
        """Targets that no archive has."""
        if not self.deliveries:
            return []
        names = [{(t.level, t.uid) for t in d.not_found} for d in self.deliveries]
        nowhere = set.intersection(*names)
        return [t for t in self.deliveries[0].not_found if (t.level, t.uid) in nowhere]


class _Desk:
    """Where the storage SCP puts what comes: the fetching that goes on now."""

    def __init__(self) -> None:
        self.current: Fetching | None = None

    def arrived(self, stored: Stored) -> None:
        """Take an object; between two lists it is on the disk, and the next run finds it."""
        if self.current is not None:
            self.current.arrived(stored)


async def retrieve(
    store: Store, settings: Settings, nodes: Sequence[Node], targets: Sequence[Target] | None, *,
    means: Callable[[Means], Means] = lambda m: m, limits: Limits = Limits(),
    stop: asyncio.Event, say: Say, retrieval: Retrieval,
) -> Retrieval:
    """Fetch targets from archives, one archive after the other.

    Parameters
    ----------
    targets : sequence of Target, optional
        None: what is referred to and absent, then what that refers to, within the limits.
    means : callable
        Adds to what fetching needs: filters, list of rejected files, dry run.
    retrieval : Retrieval
        Is filled while it goes on, and returned.

    Raises
    ------
    ReceiverError
        Objects cannot be received, and C-GET cannot do instead.
    """
    key = await store.prepare(schema.schema())
    await mark_killed(store, key)
    folder, desk = folder_of(settings), _Desk()
    given = means(Means(store, settings, folder, None, say, stop))
    scp = None if given.dry_run else _scp(settings, nodes, desk, given)
    run = _Run(key, settings, replace(given, scp=scp), desk, retrieval)
    try:
        if targets is not None:
            found = await placed(store, targets)
            for node in nodes:
                await run.once(node, found, limits.objects)
        else:
            await _follow(run, nodes, limits)
    finally:
        if scp is not None:
            await asyncio.to_thread(scp.stop, 1.0)
            retrieval.unsynced += scp.unsynced
    retrieval.interrupted = stop.is_set()
    return retrieval


def _scp(settings: Settings, nodes: Sequence[Node], desk: _Desk, means: Means) -> Scp | None:
    """Start the storage SCP where an archive may send to it."""
    moving = [n for n in nodes if n.url is None and n.retrieve != "get"]
    if not moving:
        means.folder.prepare()
        return None
    scp = Scp(settings, means.folder, desk.arrived, senders=_addresses(moving), say=means.say)
    try:
        scp.start()
    except ReceiverError as error:
        if any(n.retrieve == "move" for n in moving):
            raise
        means.folder.prepare()
        means.say(f"{error} C-GET is used.")
        return None
    return scp


def _addresses(nodes: Sequence[Node]) -> list[str]:
    """The addresses of archives: what they move to us comes from there."""
    found: set[str] = set()
    for node in nodes:
        try:
            entries = socket.getaddrinfo(node.host, node.port, proto=socket.IPPROTO_TCP)
        except OSError:
            continue  # asking it will tell
        found |= {str(entry[4][0]).partition("%")[0] for entry in entries}
    return sorted(found)


async def _follow(run: "_Run", nodes: Sequence[Node], limits: Limits) -> None:
    """Fetch what dangles, and again what dangles then."""
    left, asked = limits.objects, set[str]()
    for _ in range(limits.depth):
        targets = [t for t in await dangling(run.means.store) if t.uid not in asked]
        asked |= {t.uid for t in targets}
        for node in nodes:
            if not targets or run.means.stop.is_set() or left == 0:
                return
            delivery = await run.once(node, targets, left)
            if left is not None:
                left = max(0, left - sum(r.received for r in delivery.results))
                if delivery.limited:
                    return
            targets = delivery.not_found
        if run.means.dry_run:
            return


@dataclass
class _Run:
    """What every list of targets is fetched with."""

    key: str
    settings: Settings
    means: Means
    desk: _Desk
    retrieval: Retrieval

    async def once(self, node: Node, targets: Sequence[Target], most: int | None) -> Delivery:
        """Fetch a list from an archive and write down what became of it."""
        progress = self.retrieval.progress = Progress()
        fetching = Fetching(node, self.means, most=most, progress=progress)
        self.retrieval.deliveries.append(fetching.delivery)
        if self.means.dry_run:
            return await fetching.run(targets)
        started = datetime.now(UTC)
        record: dict[str, object] = {
            "id": f"{started:%Y-%m-%dT%H:%M:%SZ}-{secrets.token_hex(2)}", "started": started,
            "finished": None, "process": this_process(self.key), "state": "RUNNING",
            "tool_version": __version__, "archive": node.name, "options": _options(self.means),
            "n_announced": None, "n_received": None, "n_failed": None}
        await self.means.store.change(archive.RETRIEVE_RUN_NODE, **record)
        self.desk.current, state = fetching, "FAILED"
        try:
            delivery = await fetching.run(targets)
            state = _state(delivery, self.means.stop.is_set())
            await announce(self.means.store, of_results(self.key, delivery.results),
                           str(record["id"]))
            await note_requested(self.means.store, delivery.results, str(record["id"]))
        except asyncio.CancelledError:
            state = "INTERRUPTED"
            raise
        finally:
            self.desk.current = None
            counts = totals(fetching.delivery.results)
            await _end(self.means.store, record | {
                "finished": datetime.now(UTC), "state": state,
                "n_announced": counts["announced"], "n_received": counts["received"],
                "n_failed": counts["failed"]}, must=state not in ("FAILED", "INTERRUPTED"))
        return delivery


def _state(delivery: Delivery, stopped: bool) -> str:
    if stopped:
        return "INTERRUPTED"
    if delivery.error:
        return "FAILED"
    return "SHORT" if any(r.short for r in delivery.results) or delivery.not_found else "DONE"


def _options(means: Means) -> str:
    chosen = means.chosen
    return json.dumps({
        "keep": means.folder.keep.value, "sync": means.folder.sync,
        "modalities": sorted(chosen.modalities), "without": sorted(chosen.without),
        "dates": chosen.dates, "replace": means.folder.replace}, sort_keys=True)


async def _end(store: Store, record: Mapping[str, object], *, must: bool) -> None:
    """Write the end of a run; one that failed because the server is lost cannot be told to it."""
    try:
        note = store.change if must else store.write
        await asyncio.shield(note(archive.RETRIEVE_RUN_NODE, **record))
    except RtgraphError:
        if must:
            raise
