"""Queues that are bounded by what is in them, and work that ends when it is asked to."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Line(asyncio.Queue[list[T]]):
    """A queue of lists, bounded by what is in them; an empty list is the end."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._inside = 0

    def _put(self, item: list[T]) -> None:
        super()._put(item)
        self._inside += len(item)

    def _get(self) -> list[T]:
        item: list[T] = super()._get()
        self._inside -= len(item)
        return item

    def qsize(self) -> int:
        """Return how many objects wait."""
        return self._inside


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what `work` gives; None when it was cancelled because `stop` was set."""
    task, asked = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        asked.cancel()
        if task.cancel():
            await asyncio.wait({task})
