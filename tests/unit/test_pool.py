"""Readers that die: only the file that ends its reader is lost, and no process stays behind."""

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import active_children, get_context
from typing import Any

import psutil
import pytest

from rtgraph.errors import RtgraphError, UsageError
from rtgraph.ingest.known import Changed
from rtgraph.ingest.pool import COLLECT_EVERY, Workers, in_thread, workers
from rtgraph.ingest.records import Found, Instance, Reason, Rejected
from rtgraph.ingest.waiting import Line, unless
from tests.data.readers import FINE, PLAN, patience, read

ENDED = (Reason.BAD_HEADER, "the reader ended on this file")
NO_MEMORY = (Reason.BAD_HEADER, "MemoryError")


def outcome(found: Workers, chunks: list[list[str]]) -> dict[str, tuple[Reason, str]]:
    """Read chunks at once; what became of each file."""

    async def work() -> list[list[Instance | Rejected]]:
        return await asyncio.gather(*(
            found.read([Found(name, name) for name in chunk], PLAN) for chunk in chunks))

    results = [r for part in asyncio.run(work()) for r in part]
    assert all(isinstance(r, Rejected) for r in results)
    assert sorted(r.file.path for r in results) == sorted(n for chunk in chunks for n in chunk)
    return {r.file.path: (r.reason, r.detail) for r in results if isinstance(r, Rejected)}


def test_python_looks_for_cycles_seldom_while_files_are_read() -> None:
    usual = gc.get_threshold()
    with workers(2, read=patience) as readers:
        assert gc.get_threshold()[0] == COLLECT_EVERY
        assert outcome(readers, [["one"], ["two"]]) == {
            name: (Reason.NOT_DICOM, str(COLLECT_EVERY)) for name in ("one", "two")}
    assert gc.get_threshold() == usual


DEATHS = [
    # name                   chunks                                        lost
    ("none",                 [["a", "b"], ["c"], []],                      {}),
    ("in the midst",         [["a", "exit", "b"], ["c", "d"], ["e"]],      {"exit": ENDED}),
    ("killed from outside",  [["a"], ["b", "kill"]],                       {"kill": ENDED}),
    ("two in one chunk",     [["exit 1", "a", "exit 2"], ["b"]],
     {"exit 1": ENDED, "exit 2": ENDED}),
    ("two chunks",           [["exit 1", "a"], ["b"], ["kill 2", "c"]],
     {"exit 1": ENDED, "kill 2": ENDED}),
    ("no memory",            [["a", "memory", "b"], ["c"]],                {"memory": NO_MEMORY}),
]


@pytest.mark.parametrize(("chunks", "lost"), [c[1:] for c in DEATHS], ids=[c[0] for c in DEATHS])
def test_only_the_file_that_ends_its_reader_is_lost(
    chunks: list[list[str]], lost: dict[str, tuple[Reason, str]]
) -> None:
    with workers(2, read=read) as found:
        names = [name for chunk in chunks for name in chunk]
        assert outcome(found, chunks) == dict.fromkeys(names, FINE) | lost
        assert outcome(found, [["later"]]) == {"later": FINE}  # the pool works again


def test_a_thread_reads_when_there_is_one_job() -> None:
    with workers(1, read=read) as found:
        assert outcome(found, [["a", "memory"]]) == {"a": FINE, "memory": NO_MEMORY}
        assert active_children() == []


def test_a_defect_is_no_bad_file() -> None:
    with workers(2, read=read) as found, pytest.raises(ZeroDivisionError):
        outcome(found, [["defect"]])


class Stillborn(Workers):
    """Workers whose processes end while they start."""

    def _new(self, n: int) -> Executor | None:
        return ProcessPoolExecutor(n, get_context("spawn"), os._exit, (3,))


def test_no_file_is_blamed_when_processes_cannot_be_started() -> None:
    found = Stillborn(2, read=read)
    try:
        with pytest.raises(RtgraphError, match="as soon as they start") as told:
            outcome(found, [["a"], ["b"]])
    finally:
        found.close()
    assert "--jobs 1" in told.value.hint


class Forgetful(Executor):
    """An executor that cancels what it was given, as a cluster does that lost its scheduler."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.cancel()
        return future


def test_a_chunk_that_was_given_up_does_not_pass_for_one_that_was_read() -> None:
    with pytest.raises(RtgraphError, match="gave up files"):
        outcome(Workers(2, Forgetful(), read), [["a"]])


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_workers_of_a_killed_parent_end() -> None:
    code = ("import asyncio, sys, time\n"
            "from rtgraph.ingest.pool import workers\n"
            "from rtgraph.ingest.records import Found\n"
            "from tests.data.readers import PLAN, read\n"
            "if __name__ == '__main__':\n"
            "    with workers(2, read=read) as found:\n"
            "        asyncio.run(found.read([Found('a', 'a')], PLAN))\n"
            "        print('ready', flush=True)\n"
            "        time.sleep(600)\n")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8"
                          ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        assert children
        parent.kill()
    wait_for(lambda: not any(c.is_running() and c.status() != psutil.STATUS_ZOMBIE
                             for c in children))


ADDRESSES = ["tcp://host:1", "dask://", "host:1", "ray://host:1", ""]


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_of_other_executors_are_refused(address: str) -> None:
    with pytest.raises(UsageError, match="address of the executor"), workers(2, address):
        pass


def test_a_missing_extra_is_named() -> None:
    code = ("import sys; sys.modules['distributed'] = None\n"
            "from rtgraph.errors import UsageError\n"
            "from rtgraph.ingest.pool import workers\n"
            "try:\n"
            "    with workers(2, 'dask://host:1'): pass\n"
            "except UsageError as error: print(error.hint)\n")
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True,
                          encoding="utf-8")
    assert "rtgraph[dask]" in done.stdout


# --- queues --------------------------------------------------------------------------------------

def test_a_line_is_bounded_by_what_is_in_its_lists() -> None:
    async def work() -> None:
        line = Line[int](4)
        await line.put([1, 2, 3])
        await line.put([4])
        assert (line.qsize(), line.full()) == (4, True)
        waits = asyncio.create_task(line.put([5]))
        await asyncio.sleep(0)
        assert not waits.done()
        assert await line.get() == [1, 2, 3]
        await waits
        await line.put([])
        assert [await line.get() for _ in range(3)] == [[4], [5], []]
        assert line.empty()

    asyncio.run(work())


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_iterating_in_a_thread_keeps_order_and_may_end_early(taken: int) -> None:
    async def work() -> list[int]:
        found: list[int] = []
        async for n in in_thread(iter(range(5))):
            if len(found) == taken:
                break
            found.append(n)
        return found

    assert asyncio.run(work()) == list(range(5))[:taken]


@pytest.mark.parametrize("asked", [False, True])
def test_work_is_cancelled_only_when_it_is_to_stop(asked: bool) -> None:
    ended: list[str] = []

    async def slow() -> str:
        try:
            await asyncio.sleep(0 if not asked else 600)
            return "done"
        finally:
            ended.append("ended")

    async def work() -> str | None:
        stop = asyncio.Event()
        if asked:
            asyncio.get_running_loop().call_soon(stop.set)
        return await unless(stop, slow())

    assert asyncio.run(work()) == (None if asked else "done")
    assert ended == ["ended"]


def test_an_error_of_the_work_is_told() -> None:
    async def work() -> None:
        async def fails() -> None:
            raise ZeroDivisionError

        await unless(asyncio.Event(), fails())

    with pytest.raises(ZeroDivisionError):
        asyncio.run(work())


# --- what a path held before ---------------------------------------------------------------------

def instance(path: str, uid: str) -> Instance:
    return Instance(Found("", path), uid, "", "", "", "", {})


HELD = {"r:a": ["1"], "r:b": [], "r:c": ["1", "2"]}
FORSAKEN = [
    # name              read                                                forsaken
    ("same object",     instance("r:a", "1"),                               []),
    ("other object",    instance("r:a", "9"),                               [("1", "r:a")]),
    ("nothing before",  instance("r:b", "9"),                               []),
    ("one of two",      instance("r:c", "2"),                               [("1", "r:c")]),
    ("not asked for",   instance("r:d", "9"),                               []),
    ("rejected",        Rejected(Found("", "r:a"), Reason.EMPTY_FILE),      [("1", "r:a")]),
    ("not at hand",     Rejected(Found("", "r:a"), Reason.UNREADABLE),      []),
]


@pytest.mark.parametrize(("read", "pairs"), [c[1:] for c in FORSAKEN], ids=[c[0] for c in FORSAKEN])
def test_paths_that_hold_another_object_are_told(
    read: Instance | Rejected, pairs: list[tuple[str, str]]
) -> None:
    assert Changed([], HELD).forsaken([read]) == pairs
