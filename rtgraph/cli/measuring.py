"""The passes of `validate --level`: which are needed, how far they are, what is said of them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from rtgraph.cli.app import say
from rtgraph.cli.progress import AS_LINES

if TYPE_CHECKING:
    from rtgraph.cypher.header import Level
    from rtgraph.cypher.session import Validation
    from rtgraph.preprocess.passes import Measured
    from rtgraph.store.bolt import Store

Show = Callable[["Measured"], None]


@dataclass(frozen=True, slots=True)
class Passed:
    """What the passes leave to the checks: notices, and levels whose facts are not complete."""

    notices: tuple[str, ...] = ()
    partial: "dict[Level, str]" = field(default_factory=dict)


async def passes(store: "Store", run: "Validation", jobs: int, *, quiet: bool) -> Passed:
    """Measure what the chosen checks look at and the graph does not know yet."""
    from rtgraph.api import locating
    from rtgraph.cypher.graph import recognise
    from rtgraph.graphmodel.measured import OF_LEVEL
    from rtgraph.preprocess.passes import measure

    if not run.passes:
        return Passed()
    await recognise(store)
    wanted = [m for level in run.passes for m in OF_LEVEL[level.value]]
    with _display(quiet) as show:
        measured = await measure(store, wanted, await locating(store), jobs=jobs,
                                 patient=await run.patient(store), progress=show)
    if not quiet:
        say(summary(measured))
    partial = {}
    for level in sorted(run.passes, key=lambda level: level.rank):
        if lost := {t.uid for t in measured.lost(OF_LEVEL[level.value])}:
            partial[level] = (f"{len(lost)} {'object' if len(lost) == 1 else 'objects'} could not "
                              f"be measured in the {level.value} pass.")
    return Passed(tuple(measured.said()), partial)


def summary(measured: "Measured") -> str:
    """Return how much was measured, was known already, and was not."""
    failed = len({(t.measure, t.uid) for t in measured.troubles})
    parts = [f"{sum(measured.made.values()):,} made", f"{sum(measured.kept.values()):,} known"]
    return f"measured  {', '.join(parts + [f'{failed:,} not'] * bool(failed))}"


@contextmanager
def _display(quiet: bool) -> Iterator[Show]:
    if quiet:
        yield lambda measured: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _Lines()


class _Lines:
    """A line each ten seconds, none for passes that end before."""

    def __init__(self) -> None:
        self._last = monotonic()

    def __call__(self, measured: "Measured") -> None:
        if monotonic() - self._last >= AS_LINES:
            self._last = monotonic()
            say(f"measure {measured.done:,} of {measured.total:,}")


@contextmanager
def _bar() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("measure"), BarColumn(bar_width=16), TextColumn("{task.fields[text]}"),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True,
    ) as display:
        task = display.add_task("measure", total=None, text="")

        def show(measured: "Measured") -> None:
            text = f"{measured.done:,} of {measured.total:,}"
            display.update(task, completed=measured.done, total=measured.total, text=text)

        yield show
