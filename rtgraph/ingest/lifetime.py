"""How a run ends before it is done: Ctrl-C, and processes that were killed."""

import asyncio
import platform
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b

import psutil

from rtgraph.store.bolt import Store

# Clocks are set while a process runs, and its start time is counted from that of the machine.
_CLOCK = 5.0
_RUNNING = """\
MATCH (r:IngestRun|RetrieveRun {state: 'RUNNING'})
RETURN r.id AS id, r.process AS process"""
_KILLED = """\
UNWIND $rows AS id
MATCH (r:IngestRun|RetrieveRun {id: id, state: 'RUNNING'})
SET r.state = 'KILLED'"""


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """Yield an event that Ctrl-C or SIGTERM sets; a second one cancels the current task at once."""
    loop, task, stop = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
    assert task is not None

    def asked() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    with suppress(NotImplementedError):  # Windows: Ctrl-C cancels, as without this
        for number in before:
            loop.add_signal_handler(number, asked)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
                signal.signal(number, handler)


def this_process(key: str) -> str:
    """Return what tells this process from all others: host (hashed), number and start time."""
    me = psutil.Process()
    return f"{_host(key)}:{me.pid}:{me.create_time():.0f}"


async def mark_killed(store: Store, key: str) -> int:
    """Mark runs of this machine whose process has ended; return how many still run.

    Those of other machines may run, and count.
    """
    rows = await store.read(_RUNNING)
    gone = [r["id"] for r in rows if _is_gone(r["process"] or "", key)]
    if gone:
        await store.change(_KILLED, rows=gone)
    return len(rows) - len(gone)


def _host(key: str) -> str:
    return blake2b(platform.node().encode(), digest_size=8, key=bytes.fromhex(key)).hexdigest()


def _is_gone(process: str, key: str) -> bool:
    host, _, rest = process.partition(":")
    number, _, started = rest.partition(":")
    if host != _host(key):
        return False
    try:
        found = psutil.Process(int(number))
        return (found.status() == psutil.STATUS_ZOMBIE
                or abs(found.create_time() - float(started)) > _CLOCK)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
