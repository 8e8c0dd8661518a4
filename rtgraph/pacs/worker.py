"""Who fetches: one worker an association, and which way is taken."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from rtgraph.config import Node, Settings
from rtgraph.errors import PeerError, PeerFailed
from rtgraph.pacs.answer import Answers, Say
from rtgraph.pacs.dicomweb import WebFetcher
from rtgraph.pacs.peer import Peer
from rtgraph.pacs.request import Fetched, Fetcher, Request
from rtgraph.pacs.scp import Scp
from rtgraph.pacs.statuses import FOR_ALL, SUCCESS
from rtgraph.pacs.storing import Folder
from rtgraph.pacs.transfer import Getter, Mover

# Seconds between two looks at a request that is under way.
WATCH = 0.25


@dataclass
class Ways:
    """How objects are fetched from an archive; all workers change together.

    `scp` is where C-MOVE sends to; without it only C-GET is left.
    """

    node: Node
    settings: Settings
    folder: Folder
    answers: Answers
    scp: Scp | None
    say: Say
    method: str = ""
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        if self.node.url is not None:
            self.method = "web"
        elif self.node.retrieve == "get" or self.scp is None:
            self.method = "get"
        else:
            self.method = "move"

    def fetcher(self) -> Fetcher:
        """Return a new fetcher of the way that is taken now."""
        if self.method == "web":
            return WebFetcher(self.node, self.settings, self.answers, self.folder)
        peer = Peer(self.node, self.settings)
        if self.method == "get" or self.scp is None:
            return Getter(peer, self.answers, self.folder)
        scp = self.scp
        return Mover(peer, lambda: scp.last)

    def may_get(self) -> bool:
        """Tell whether C-GET may be taken instead of C-MOVE."""
        return self.method == "move" and self.node.retrieve == "auto"

    def get_instead(self, why: str) -> None:
        """Take C-GET from now on."""
        with self._lock:
            if self.method == "move":
                self.method = "get"
                self.say(f"{self.node.name}: C-MOVE {why}; C-GET is used")


class Worker:
    """Fetches one request after the other on one association."""

    def __init__(
        self, ways: Ways, pool: ThreadPoolExecutor, stop: asyncio.Event,
        waits: Callable[[], bool],
    ) -> None:
        self._ways, self._pool, self._stop, self._waits = ways, pool, stop, waits
        self._fetcher: Fetcher | None = None
        self._method = ""

    async def fetch(self, request: Request) -> Fetched:
        """Fetch objects; when C-MOVE cannot work, by C-GET.

        Raises
        ------
        PeerError
            The archive cannot be asked, fails, or has stopped answering.
        """
        scp, method = self._ways.scp, self._ways.method
        before = scp.associations if scp else 0
        try:
            fetched = await self._once(request)
        except PeerError as error:
            if error.transient or not self._ways.may_get():
                raise
            if _is_no_move(error):
                self._ways.get_instead("is refused")
            elif scp and scp.associations == before:
                self._ways.get_instead("does not reach us")
            else:
                raise
            return await self._once(request)
        if (method == "move" and scp and scp.associations == before and fetched.status != SUCCESS
                and not fetched.completed and self._ways.may_get()):
            self._ways.get_instead("does not reach us")
            return await self._once(request)
        return fetched

    async def _once(self, request: Request) -> Fetched:
        if self._fetcher is None or self._method != self._ways.method:
            await self.close()
            self._method, self._fetcher = self._ways.method, self._ways.fetcher()
        fetcher, silence = self._fetcher, self._ways.settings.silence
        loop, cancelled = asyncio.get_running_loop(), False
        task = loop.run_in_executor(self._pool, fetcher.fetch, request)
        try:
            while not (await asyncio.wait({task}, timeout=WATCH))[0]:
                if self._stop.is_set() and not cancelled:
                    fetcher.cancel()
                    cancelled = True
                if silence and fetcher.silent() > silence and not self._waits():
                    fetcher.give_up()
            return task.result()
        except asyncio.CancelledError:
            fetcher.give_up()
            await asyncio.wait({task})
            task.exception()  # nobody else will ask
            raise

    async def close(self) -> None:
        """Close the association; what came on it is synced then."""
        fetcher, self._fetcher = self._fetcher, None
        if fetcher is not None:
            await asyncio.get_running_loop().run_in_executor(self._pool, fetcher.close)


def _is_no_move(error: PeerError) -> bool:
    return not isinstance(error, PeerFailed) or error.status in FOR_ALL
