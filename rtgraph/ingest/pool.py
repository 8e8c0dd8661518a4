"""Where files are read: worker processes, a thread of this process, or a Dask cluster.

A worker process that dies takes the whole pool with it. So the pool is made anew, and the chunks
that were in flight are tried again one at a time in a process of their own; the chunk that ends
that one too is read file by file. Only the file that ends its reader is lost, and by name.
"""

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, TypeVar

from rtgraph.errors import RtgraphError, UsageError
from rtgraph.ingest.parse import Plan, parse_many
from rtgraph.ingest.records import Found, Instance, Reason, Rejected

# Files that a worker gets at once, in directory order, so that a series stays with one worker.
CHUNK = 256
# Python looks for cycles among all objects that are new since it last did, every 700 of them; what
# waits for a writer has none, and would be gone through again and again.
COLLECT_EVERY = 50_000
# Chunks on their way for each worker: one is read while the next waits.
AHEAD = 2

T = TypeVar("T")
Read = Callable[[Sequence[Found], Plan], list[Instance | Rejected]]


class Workers:
    """Read chunks of files; a file that ends its reader is rejected, and costs no other file.

    Parameters
    ----------
    jobs : int
        Worker processes; 1 reads in a thread of this process, where nothing can be started anew.
    given : Executor, optional
        Reads instead of processes of this machine, `jobs` chunks at a time.
    read : callable
        Reads a chunk; it must be importable in the workers.
    """

    def __init__(
        self, jobs: int = 1, given: Executor | None = None, read: Read = parse_many
    ) -> None:
        self.jobs, self._given, self._read = jobs, given, read
        self._pool = self._new(jobs)
        self._single: Executor | None = None
        self._one_by_one = asyncio.Lock()

    @property
    def ahead(self) -> int:
        """How many chunks to have on their way."""
        return AHEAD * self.jobs

    def _new(self, n: int) -> Executor | None:
        if self._given or self.jobs == 1:
            return self._given
        return processes(n)

    async def read(self, files: Sequence[Found], plan: Plan) -> list[Instance | Rejected]:
        """Read a chunk of files."""
        if not files:
            return []
        pool = self._pool
        try:
            return await _on(pool, self._read, files, plan)
        except Exception as error:
            if not _is_lost(error):
                raise
            if pool is self._pool and isinstance(error, BrokenExecutor):
                _close(pool)
                self._pool = self._new(self.jobs)
        async with self._one_by_one:
            return await self._carefully(files, plan)

    async def _carefully(self, files: Sequence[Found], plan: Plan) -> list[Instance | Rejected]:
        """Read a chunk that was lost, while no other one can be the reason."""
        whole = await self._alone(files, plan)
        if not isinstance(whole, Exception):
            return whole
        results: list[Instance | Rejected] = []
        for file in files:
            read = await self._alone([file], plan)
            if isinstance(read, MemoryError):
                read = [Rejected(file, Reason.BAD_HEADER, "MemoryError")]
            elif isinstance(read, Exception):
                read = [Rejected(file, Reason.BAD_HEADER, "the reader ended on this file")]
            results += read
        return results

    async def _alone(
        self, files: Sequence[Found], plan: Plan
    ) -> list[Instance | Rejected] | Exception:
        """Read in a pool of one; return the error if that was lost as well."""
        if self._single is None:
            self._single = self._new(1)
            try:  # no file is to blame when processes cannot be started at all
                await _on(self._single, os.getpid)
            except BrokenExecutor as error:
                raise RtgraphError("Worker processes end as soon as they start.",
                                   "Read in one process with --jobs 1.") from error
        try:
            return await _on(self._single, self._read, files, plan)
        except Exception as error:
            if not _is_lost(error):
                raise
            if isinstance(error, BrokenExecutor):
                _close(self._single)
                self._single = None
            return error

    def close(self) -> None:
        """End the processes that were started here, after what they read just now."""
        if self._given is None:
            _close(self._pool)
            _close(self._single)


def _is_lost(error: Exception) -> bool:
    """Tell whether a reader ended; `distributed` is imported only where it is used."""
    return (isinstance(error, BrokenExecutor | MemoryError)
            or type(error).__name__ == "KilledWorker")


def _close(executor: Executor | None) -> None:
    if executor is not None:
        executor.shutdown(wait=True, cancel_futures=True)


async def _on(executor: Executor | None, function: Callable[..., T], *given: Any) -> T:
    if executor is None:
        return await asyncio.to_thread(function, *given)
    future = asyncio.wrap_future(executor.submit(function, *given))
    try:
        return await future
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        # a cancelled chunk would pass for one that was read
        raise RtgraphError("The executor gave up files that it was to read.",
                           "Look at its scheduler, then run the same command again.") from None


async def in_thread(items: Iterator[T]) -> AsyncGenerator[T]:
    """Iterate in a thread, one item ahead, so that slow storage does not hold up the others."""
    end = object()
    ahead = asyncio.create_task(asyncio.to_thread(next, items, end))
    try:
        while (item := await ahead) is not end:
            ahead = asyncio.create_task(asyncio.to_thread(next, items, end))
            yield item  # type: ignore[misc]
    finally:
        ahead.cancel()


@contextmanager
def workers(
    jobs: int | None, address: str | None = None, read: Read = parse_many
) -> Iterator[Workers]:
    """Yield the readers of a run: `jobs` processes, or the cluster at an address."""
    usual = gc.get_threshold()
    gc.set_threshold(COLLECT_EVERY)
    try:
        if address is not None:
            with executor_of(address) as (executor, size):
                yield Workers(size, executor, read)
            return
        found = Workers(jobs or os.cpu_count() or 1, read=read)
        try:
            yield found
        finally:
            found.close()
    finally:
        gc.set_threshold(*usual)


def processes(n: int) -> Executor:
    """Return a pool of worker processes on this machine."""
    # spawn: the parent has threads and open connections, which a fork would copy
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n, mp_context=context, initializer=_begin)


def _begin() -> None:
    """Ctrl-C is for the parent, which lets the current batch finish; without it a worker ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(COLLECT_EVERY)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def executor_of(address: str) -> Iterator[tuple[Executor, int]]:
    """Yield the executor of a Dask cluster, `dask://host:port`, and its number of readers.

    Its workers must see the same files under the same paths.

    Raises
    ------
    UsageError
        The address is of another kind, or the extra is not installed.
    """
    scheme, _, place = address.partition("://")
    if scheme != "dask" or not place:
        raise UsageError("The address of the executor is not understood.",
                         "Use dask://host:port.")
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise UsageError("A Dask cluster needs a package that is not installed.",
                         "Install it with: pip install 'rtgraph[dask]'.") from error
    try:
        client = distributed.Client(f"tcp://{place}", timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RtgraphError("No Dask scheduler answers at the address.",
                           "Start one with: dask scheduler.") from error
    try:
        # pure: a chunk that is read again is not to be answered from memory
        yield client.get_executor(pure=False), max(1, sum(client.ncores().values()))
    finally:
        with suppress(OSError):
            client.close()
