"""When a request to an archive is repeated: at two levels, with growing pauses and by chance.

An archive that cannot be reached, or has no room, is tried again for a while. What has not come of
a series is asked for again a few times, and only that.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from rtgraph.errors import PeerError
from rtgraph.store.failures import retrying

T = TypeVar("T")


class Incomplete(Exception):
    """Not everything of a series has come."""


def is_transient(error: BaseException) -> bool:
    """Tell whether the same request to an archive may succeed later."""
    return isinstance(error, PeerError) and error.transient


async def patiently(
    seconds: float, stop: asyncio.Event, work: Callable[[], Awaitable[T]],
    progress: Callable[[], int] = lambda: 0,
) -> T:
    """Do what may fail for a while; once `stop` is set it is not repeated any more.

    The seconds are counted from the first failure after which there was no more `progress`, so
    that a transfer of an hour may be interrupted at its end.
    """
    since, mark = 0.0, -1

    def enough(state: RetryCallState) -> bool:
        nonlocal since, mark
        if progress() != mark:
            since, mark = time.monotonic(), progress()
        return time.monotonic() - since >= seconds

    async for attempt in retrying(
            seconds, lambda e: is_transient(e) and not stop.is_set(), enough):
        with attempt:
            return await work()
    raise AssertionError("tenacity raises when it gives up")


def rounds(n: int) -> AsyncRetrying:
    """Ask for what is `Incomplete`, up to `n` times."""
    return AsyncRetrying(
        retry=retry_if_exception_type(Incomplete), stop=stop_after_attempt(n),
        wait=wait_exponential_jitter(multiplier=0.5, max=30), reraise=True)
