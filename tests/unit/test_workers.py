"""Workers of an export: a process that dies takes its own case with it and no other."""

import asyncio
import math
import os
from concurrent.futures.process import BrokenProcessPool

from rtgraph.preprocess.workers import Workers


def test_a_process_that_dies_fails_alone() -> None:
    async def work() -> list[object]:
        with Workers.processes(2) as workers:
            calls = [workers.run(math.factorial, n) for n in (3, 4)]
            calls.insert(1, workers.run(os._exit, 3))
            found: list[object] = list(await asyncio.gather(*calls, return_exceptions=True))
            return [*found, await workers.run(math.factorial, 5)]

    six, died, four, after = asyncio.run(work())
    assert (six, four, after) == (6, 24, 120)
    assert isinstance(died, BrokenProcessPool)
