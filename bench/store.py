"""The store alone: generated objects straight to the writers, then the derived pass.

    python -m bench.store --instances 500000 --home FOLDER
    python -m bench.store --whole --home FOLDER          6,370,243 instances

Without `--home` a fresh server in a temporary folder is used and removed. Each checkpoint is
printed and kept at once in `results.jsonl`; the time of generating is measured apart.
"""

import argparse
import asyncio
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.cohort import Totals
from bench.records import records
from bench.results import LINES, keep, show
from bench.watch import cpu_seconds, disk_mb, memory_mb
from rtgraph import config
from rtgraph.graphmodel.schema import schema
from rtgraph.ingest.derive import derive
from rtgraph.ingest.discover import Roots
from rtgraph.ingest.parse import Plan
from rtgraph.ingest.records import Instance
from rtgraph.ingest.revise import Run
from rtgraph.ingest.write import write_batch
from rtgraph.store import local
from rtgraph.store.bolt import Store

CHECKPOINTS = (50_000, 100_000, 200_000, 500_000, *range(1_000_000, 7_000_000, 1_000_000))
HANDED = 1000  # objects that are generated at a time
SHOWN = 12  # kinds of nodes, and of edges
Row = dict[str, object]
Line = asyncio.Queue[list[Instance]]  # to a writer; an empty list is the end


@dataclass
class Meter:
    """Rates since the last checkpoint, and since the start."""

    server: local.LocalServer
    store: Store
    generated: float = 0.0  # CPU seconds
    written: int = 0
    queued: int = 0
    rows: list[Row] = field(default_factory=list)
    kept: Callable[[list[Row]], None] = lambda rows: None

    def __post_init__(self) -> None:
        self.began = time.perf_counter()
        self.last = self.first = self._now()

    def _now(self) -> tuple[float, int, float, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        client = used.ru_utime + used.ru_stime - self.generated
        return time.perf_counter(), self.written, client, cpu_seconds(self.server.pid)

    def note(self, label: str, since: tuple[float, int, float, float] | None = None) -> Row:
        """Take a row of figures for what happened since the last note."""
        now = self._now()
        wall, done, client, server = (b - a for a, b in zip(since or self.last, now, strict=True))
        per = 1e6 / done if done else None
        row: Row = {
            "instances": label, "seconds": round(wall, 1),
            "instances/s": round(done / wall) if done else None,
            "client us": round(client * per) if per else None,
            "server us": round(server * per) if per else None,
            "client CPU s": round(client, 1), "server CPU s": round(server, 1),
            "client MB": round(memory_mb(os.getpid())), "server MB": round(
                memory_mb(self.server.pid)),
            "disk MB": round(disk_mb(self.server.data_dir)), "retries": self.store.retries,
        }
        self.last = now
        self.rows.append(row)
        self.kept(self.rows)
        print(" · ".join(f"{k} {v}" for k, v in row.items() if v is not None), flush=True)
        return row


async def drive(
    server: local.LocalServer, totals: Totals, settings: config.Settings,
    kept: Callable[[list[Row]], None], checkpoints: Sequence[int] = CHECKPOINTS,
) -> list[Row]:
    """Write a cohort and derive; return the rows of the checkpoints, the whole and the pass.

    `kept` gets the rows so far at each checkpoint.
    """
    async with Store(server.uri, server.user, server.password()) as store:
        key = await store.prepare(schema())
        run = Run("bench", Roots({}), Plan(key))
        meter = Meter(server, store, kept=kept)
        lines = [Line(maxsize=max(2, settings.batch // HANDED)) for _ in range(settings.writers)]
        async with asyncio.TaskGroup() as group:
            for line in lines:
                group.create_task(_write(store, line, run, settings.batch, meter, checkpoints))
            await _feed(records(totals, key), lines, meter)
        meter.note(f"all {meter.written:,}", meter.first)

        def report(done: int, series: int) -> None:
            if done % 20_000 == 0 or done == series:
                print(f"derive {done:,} of {series:,} series", flush=True)

        before = meter._now()
        await derive(store, report)
        meter.note("derive", before)
        seconds = time.perf_counter() - meter.began
        print(f"all {seconds:.0f} s, {totals.instances / seconds:,.0f} instances/s with derive")
        meter.rows.append({"instances": "with derive", "seconds": round(seconds, 1),
                           "instances/s": round(totals.instances / seconds)})
        kept(meter.rows)
        await _cost(store, totals.instances, meter.rows[-2]["seconds"])
    return meter.rows


async def _cost(store: Store, instances: int, derive_seconds: object) -> None:
    """Show and keep what an average instance adds to the graph."""
    rows: list[Row] = []
    for kind, statement in (
        ("nodes", "MATCH (n) RETURN labels(n)[0] AS name, count(*) AS n"),
        ("edges", "MATCH ()-[r]->() RETURN type(r) AS name, count(*) AS n"),
    ):
        found = sorted(await store.read(statement), key=lambda r: -r["n"])
        total = sum(r["n"] for r in found)
        rows.append({"what": f"all {kind}", "number": total,
                     "an instance": round(total / instances, 3)})
        rows += [{"what": r["name"], "number": r["n"],
                  "an instance": round(r["n"] / instances, 4)} for r in found[:SHOWN]]
    per = float(str(derive_seconds)) / instances * 100_000
    note = (f"derived pass: {per:.1f} s for 100,000 instances, "
            f"at a load average of {os.getloadavg()[0]:.0f}")
    title = f"What an average instance adds, {instances:,} generated instances"
    show(title, rows)
    print(note)
    keep(f"cost {instances:>9}", title, rows, [note], LINES)


async def _feed(made: Iterator[list[Instance]], lines: Sequence[Line], meter: Meter
                ) -> None:
    """Hand objects to the writers of their patients, as the pipeline does."""
    waiting: list[Instance] = []
    while True:
        began = time.thread_time()
        series = next(made, None)
        meter.generated += time.thread_time() - began
        waiting += series or []
        if len(waiting) >= HANDED or series is None:
            parts: list[list[Instance]] = [[] for _ in lines]
            for o in waiting:
                parts[int(o.patient_key[:8], 16) % len(lines)].append(o)
            waiting = []
            for line, part in zip(lines, parts, strict=True):
                if part:
                    await line.put(part)
            await asyncio.sleep(0)
        if series is None:
            break
    for line in lines:
        await line.put([])


async def _write(store: Store, line: Line, run: Run, batch: int, meter: Meter,
                 checkpoints: Sequence[int]) -> None:
    waiting: list[Instance] = []
    part: list[Instance] | None = None
    while part != []:
        part = await line.get()
        waiting += part
        while len(waiting) >= batch or (part == [] and waiting):
            objects, waiting = waiting[:batch], waiting[batch:]
            written = await write_batch(store, objects, run)
            if written.refused:
                raise RuntimeError(f"{len(written.refused)} objects were refused")
            before, meter.written = meter.written, meter.written + len(objects)
            for at in checkpoints:
                if before < at <= meter.written:
                    meter.note(f"to {at:,}")


def measure(totals: Totals, home: Path | None, options: dict[str, object],
            kept: Callable[[list[Row]], None]) -> list[Row]:
    """Start a server, drive it, stop it; a home that is not named is removed."""
    folder = home or Path(tempfile.mkdtemp(prefix="rtgraph-bench-"))
    settings = config.load(options | {"home": folder})
    server = local.start(settings, print)
    try:
        return asyncio.run(drive(server, totals, settings, kept))
    finally:
        local.stop(folder)
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.store")
    parser.add_argument("--instances", type=int, default=50_000)
    parser.add_argument("--whole", action="store_true", help="the 6,370,243 of the whole cohort")
    parser.add_argument("--home", type=Path, help="home of the server, kept; must be new")
    parser.add_argument("--heap")
    parser.add_argument("--pagecache")
    parser.add_argument("--writers", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--lines", type=Path, default=LINES)
    given = parser.parse_args()
    totals = Totals() if given.whole else Totals.of_files(given.instances)
    options: dict[str, object] = {
        name: getattr(given, name) for name in ("heap", "pagecache", "writers", "batch")
        if getattr(given, name) is not None}
    title = f"Store, {totals.instances:,} generated instances"
    used = config.load(options)
    notes = [f"{used.writers} writers, {used.batch:,} objects a transaction, heap {used.heap}, "
             f"page cache {used.pagecache}; generating the objects is not counted"]

    def kept(rows: list[Row]) -> None:
        keep(f"store {totals.instances:>9}", title, rows, notes, given.lines)

    rows = measure(totals, given.home, options, kept)
    show(title, rows)
    kept(rows)



if __name__ == "__main__":
    main()
