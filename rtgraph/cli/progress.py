"""What a run says on stderr while it works: bars on a terminal, else lines, or JSON lines.

Counts only: nothing here knows a path but `told`, which shows those of rejected files on request.
"""

import asyncio
import json
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rtgraph.cli.app import say
from rtgraph.cli.logfile import FACTS, terminal
from rtgraph.cli.options import LogFormat
from rtgraph.text import plain

if TYPE_CHECKING:
    from rtgraph.ingest.pipeline import Progress
    from rtgraph.ingest.records import Rejected

T = TypeVar("T")
# Seconds between two looks.
ON_TERMINAL, AS_LINES, AS_JSON = 0.5, 10.0, 5.0


class Rates:
    """Files read and objects written a second, over the last half minute."""

    WINDOW = 30.0

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()

    def look(self, progress: "Progress", now: float) -> None:
        """Note how far a run is."""
        self._seen.append((now, progress.read, progress.written))
        while len(self._seen) > 2 and now - self._seen[0][0] > self.WINDOW:
            self._seen.popleft()

    def _rate(self, column: int) -> float:
        if len(self._seen) < 2 or self._seen[-1][0] <= self._seen[0][0]:
            return 0.0
        first, last = self._seen[0], self._seen[-1]
        return (last[column] - first[column]) / (last[0] - first[0])

    @property
    def read(self) -> float:
        """Files read a second."""
        return self._rate(1)

    @property
    def written(self) -> float:
        """Objects written a second."""
        return self._rate(2)


class Bar(NamedTuple):
    """A line of the display: name, how far of how many (None: not known yet), and text."""

    name: str
    done: int
    total: int | None
    text: str


Show = Callable[[Sequence[Bar]], None]


def _skipped(p: "Progress") -> int:
    from rtgraph.ingest.records import State

    return p.states[State.UNCHANGED]


def bars(p: "Progress", rates: Rates) -> list[Bar]:
    """Return what is shown of a run: scan, parse and write, then the derived pass."""
    from rtgraph.ingest.records import State

    ended, total = sum(p.states.values()), p.seen if p.walked else None
    parsed = p.read + _skipped(p)
    parse = [f"{p.read:,}", f"{rates.read:,.0f}/s"] if p.read else [f"{p.read:,}"]
    parse += [f"skipped {n:,} unchanged" for n in [_skipped(p)] if n]
    parse += [f"rejected {n:,}" for n in [p.states[State.REJECTED]] if n]
    write = [f"{p.written:,}"]
    write += [f"{rates.written:,.0f}/s"] if p.written else []
    write += [f"queue {p.queued:,}", f"retries {p.retries:,}"]
    if total is not None and total > ended and rates.written > 0:
        write.append(f"ETA {duration((total - ended) / rates.written)}")
    shown = [
        Bar("scan", p.seen, total, f"{p.seen:,} files{' (done)' if p.walked else ''}"),
        Bar("parse", parsed, total, "   ".join(parse)),
        Bar("write", ended, total, "   ".join(write)),
    ]
    if p.phase == "derive" and not p.walked:
        shown.clear()  # nothing is read
    if p.phase == "derive":
        done, of = p.derived, p.to_derive
        shown.append(Bar("derive", done, of or None, f"{done:,} of {of:,} series"))
    elif p.phase == "prune":
        shown.append(Bar("prune", 0, None, ""))
    return shown


def duration(seconds: float) -> str:
    """Return a time to come in words, the coarser the longer it is."""
    minutes = round(seconds / 60)
    if minutes >= 120:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes >= 2 else f"{max(round(seconds), 1)} s"


# --- three ways to tell --------------------------------------------------------------------------

async def watched(
    work: Awaitable[T], progress: "Progress", log: LogFormat = LogFormat.text
) -> T:
    """Wait for `work` and tell on stderr how far it is."""
    rates = Rates()

    def now() -> Sequence[Bar]:
        rates.look(progress, monotonic())
        return bars(progress, rates)

    if log is LogFormat.json:
        return await _waited(work, lambda: _as_json(progress), AS_JSON)
    return await shown_while(work, now)


async def shown_while(work: Awaitable[T], bars_now: Callable[[], Sequence[Bar]]) -> T:
    """Wait for `work` and show on stderr how far it is: bars on a terminal, else lines."""
    if sys.stderr.isatty():
        with _on_terminal() as show:
            return await _waited(work, lambda: show(bars_now()), ON_TERMINAL)
    show = _Lines()
    return await _waited(work, lambda: show(bars_now()), AS_LINES)


async def _waited(work: Awaitable[T], tell: Callable[[], None], seconds: float) -> T:
    task = asyncio.ensure_future(work)
    while not task.done():
        tell()
        await asyncio.wait({task}, timeout=seconds)
    return await task


class _Lines:
    """A line each ten seconds, none for a run that ends before."""

    def __init__(self) -> None:
        self._shown = 0

    def __call__(self, shown: Sequence[Bar]) -> None:
        self._shown += 1
        if self._shown > 1:
            say("   ".join(f"{bar.name} {bar.text}" for bar in shown))


@contextmanager
def _on_terminal() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn
    from rich.progress import Progress as RichProgress

    known: dict[str, TaskID] = {}
    with RichProgress(
        TextColumn("{task.description:<7}", markup=False), BarColumn(bar_width=16),
        TextColumn("{task.fields[text]}", markup=False),
        console=Console(stderr=True), transient=True,
    ) as display:

        def show(shown: Sequence[Bar]) -> None:
            for bar in shown:
                if bar.name not in known:
                    known[bar.name] = display.add_task(bar.name, total=None, text="")
                display.update(known[bar.name], completed=bar.done, total=bar.total,
                               text=bar.text)

        yield show


def _as_json(progress: "Progress") -> None:
    event("progress", phase=progress.phase, seen=progress.seen, walked=progress.walked,
          read=progress.read, written=progress.written, queued=progress.queued,
          retries=progress.retries, derived=progress.derived,
          to_derive=progress.to_derive, states=counted(progress.states))


def counted(counts: Mapping[Any, int]) -> dict[str, int]:
    """Return counts by name, without zeros."""
    return {str(name): n for name, n in counts.items() if n}


def event(name: str, **facts: object) -> None:
    """Write a line of JSON on stderr; `schema_version` says which facts to expect."""
    noted(name, **facts)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    with suppress(OSError):
        print(json.dumps({"event": name, "schema_version": 1, "time": now, **facts},
                         sort_keys=True), file=sys.stderr, flush=True)


def noted(name: str, **facts: object) -> None:
    """Keep an event in the log file, but for those that come every few seconds."""
    if name != "progress":
        terminal.info(name, extra={FACTS: facts})


def told(log: LogFormat, identifiers: bool) -> Callable[[int, "Rejected"], None] | None:
    """Return what tells of each rejected file by its line in the list; None for nothing.

    Only with `identifiers` its path is shown, which may hold a patient's name.
    """

    def as_json(line: int, rejected: "Rejected") -> None:
        path = {"path": plain(rejected.file.location)} if identifiers else {}
        event("rejected", line=line, reason=rejected.reason.value, **path)

    def as_text(line: int, rejected: "Rejected") -> None:
        where = f"line {line}: " if line else ""
        say(f"rejected {where}{rejected.reason.value} {rejected.file.location}")

    if log is LogFormat.json:
        return as_json
    return as_text if identifiers else None
