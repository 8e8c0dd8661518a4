"""What is on the disk waits here until an ingest takes it: bounded, between threads and the loop.

Associations put paths in from their threads and wait when the ingest is slower than the network.
The ingest takes pages out; without anything new it gets empty ones, so that it can be stopped.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from math import inf
from threading import Condition

from rtgraph.ingest.discover import Roots, chunks, walk
from rtgraph.ingest.records import Found, Rejected

MOST = 20_000
PAGE = 2048
# Seconds that a page waits for more files; small files come by the hundred a second.
GATHER = 0.5


class Arrivals:
    """Paths of files that have arrived.

    Parameters
    ----------
    quiet : float, optional
        Seconds without a new file after which pages end, to go on with the next call; without it
        they end when `close` was called.
    longest : float, optional
        Seconds after which pages end although files come.
    """

    def __init__(self, quiet: float | None = None, longest: float | None = None) -> None:
        self._quiet, self._longest = quiet, longest
        self._paths: deque[str] = deque()
        self._changed = Condition()
        self._closed = False
        self._last = -inf

    def put(self, path: str) -> None:
        """Add a file; wait while too many are there already."""
        with self._changed:
            while len(self._paths) >= MOST and not self._closed:
                self._changed.wait()
            self._paths.append(path)
            self._last = time.monotonic()
            self._changed.notify_all()

    def is_full(self) -> bool:
        """Tell whether associations wait for the ingest."""
        return len(self._paths) >= MOST

    def close(self) -> None:
        """Let the pages end when what is here is taken; nobody waits any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait(self) -> bool:
        """Wait until a file is here; False when none will come any more."""
        with self._changed:
            while not self._paths and not self._closed:
                self._changed.wait()
            return bool(self._paths)

    def pages(
        self, roots: Roots, folders: Sequence[str] = (), until: int = 0
    ) -> Iterator[list[Found | Rejected]]:
        """Yield files as an ingest takes them; an empty page each half second without any.

        Parameters
        ----------
        roots : Roots
            Of the graph.
        folders : sequence of str
            Read as well, for what an earlier process has left there.
        until : int
            Time in ns; files below the folders that are newer come by `put`.
        """
        left = (f for f in walk(folders, roots)
                if isinstance(f, Rejected) or f.mtime <= until) if folders else iter(())
        left_pages, began = chunks(left, PAGE), time.monotonic()
        while True:
            found = next(left_pages, None)
            if found is not None:
                yield found
            paths = self._take(GATHER if found is None else 0.0)
            if found is None and paths is None:
                return
            if paths or found is None:
                yield list(walk(paths, roots)) if paths else []
            if self._longest is not None and time.monotonic() - began > self._longest:
                return

    def _take(self, gather: float) -> list[str] | None:
        until = time.monotonic() + gather
        with self._changed:
            while len(self._paths) < PAGE and not self._closed:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            if not self._paths and (self._closed or self._is_quiet()):
                return None
            paths = [self._paths.popleft() for _ in range(min(PAGE, len(self._paths)))]
            self._changed.notify_all()
            return paths

    def _is_quiet(self) -> bool:
        return self._quiet is not None and time.monotonic() - self._last > self._quiet
