"""Processes that cases are worked on in; the death of one takes no other case with it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")


class Workers:
    """An executor, made anew when one of its processes dies.

    A process that dies, for want of memory for example, breaks all that its executor works on. Each
    of these is then done once more, alone, so that only the one at fault fails.
    """

    def __init__(self, executor: Executor, jobs: int | None = None) -> None:
        self._executor, self._jobs = executor, jobs
        self._alone = asyncio.Lock()

    @classmethod
    def processes(cls, jobs: int) -> "Workers":
        """Return workers in processes of their own."""
        return cls(_pool(jobs), jobs)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._jobs is not None:
            self._executor.shutdown(cancel_futures=True)

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """Call a function of a module in a worker.

        Raises
        ------
        BrokenProcessPool
            Its process died, also when nothing else was worked on.
        """
        loop, used = asyncio.get_running_loop(), self._executor
        try:
            return await loop.run_in_executor(used, work, *arguments)
        except BrokenProcessPool:
            if self._jobs is None:
                raise
        if self._executor is used:
            used.shutdown(wait=False)
            self._executor = _pool(self._jobs)
        async with self._alone:
            with _pool(1) as alone:
                return await loop.run_in_executor(alone, work, *arguments)


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
