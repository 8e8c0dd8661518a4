"""The passes of `validate --level`: which are needed, how far they are, what is said of them."""

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from rtgraph.cli.app import say
from rtgraph.cli.progress import Bar, duration, shown_while

if TYPE_CHECKING:
    from rtgraph.cypher.header import Level
    from rtgraph.cypher.session import Validation
    from rtgraph.preprocess.passes import Measured
    from rtgraph.store.bolt import Store


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
    from rtgraph.preprocess.passes import Measured, measure

    if not run.passes:
        return Passed()
    await recognise(store)
    wanted = [m for level in run.passes for m in OF_LEVEL[level.value]]
    measured, started = Measured(), monotonic()
    work = measure(store, wanted, await locating(store), jobs=jobs,
                   patient=await run.patient(store), measured=measured)
    if quiet:
        await work
    else:
        await shown_while(work, lambda: bars(measured, monotonic() - started))
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


def bars(measured: "Measured", seconds: float) -> list[Bar]:
    """Return what is shown of passes that have gone on for some seconds."""
    text = f"{measured.done:,} of {measured.total:,}"
    new = measured.done - sum(measured.kept.values())
    if new and measured.done < measured.total:
        text += f"   ETA {duration((measured.total - measured.done) * seconds / new)}"
    return [Bar("measure", measured.done, measured.total or None, text)]
