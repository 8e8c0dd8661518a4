"""The whole ingest from disk: rate, CPU of client and server, memory, disk, the second run.

    python -m bench.ingest FOLDER --files 5000
    python -m bench.ingest FOLDER --files 500000 --scan

Writes the cohort into FOLDER/cohort-N unless it is there, ingests it with `rtgraph ingest` into a
fresh managed server (home FOLDER/home-N, removed at the end), and then once more unchanged.
`--scan` measures `rtgraph scan` on the same files. Files are warm: they are read once before.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.cohort import Totals
from bench.files import write
from bench.results import LINES, keep, show
from bench.watch import Watch, cpu_seconds, disk_mb
from rtgraph import config
from rtgraph.store import local

Row = dict[str, object]


@dataclass
class Ran:
    """A command that ran: what it took, what it said, and when it said that a phase began."""

    seconds: float
    client_cpu: float
    server_cpu: float
    watch: Watch
    said: str
    phases: dict[str, float] = field(default_factory=dict)
    logged: list[dict[str, object]] = field(default_factory=list)


def rtgraph(*arguments: str) -> list[str]:
    """Return a command of rtgraph as this Python runs it."""
    return [sys.executable, "-m", "rtgraph", *arguments]


def run(command: Sequence[str], environment: dict[str, str], folder: Path,
        server: local.LocalServer | None = None) -> Ran:
    """Run a command and watch it; it must succeed."""
    before = _children_cpu()
    server_before = cpu_seconds(server.pid) if server else 0.0
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, encoding="utf-8") as child:
        ran = Ran(0.0, 0.0, 0.0, Watch(child.pid, server.pid if server else None), "")
        assert child.stderr is not None
        assert child.stdout is not None
        listener = threading.Thread(target=_listen, args=(child.stderr, began, ran), daemon=True)
        listener.start()
        with ran.watch:
            ran.said = child.stdout.read()
            code = child.wait()
        listener.join()
    ran.seconds = time.perf_counter() - began
    ran.client_cpu = _children_cpu() - before
    ran.server_cpu = cpu_seconds(server.pid) - server_before if server else 0.0
    print(ran.said, flush=True)
    if code != 0:
        raise SystemExit(f"{' '.join(command[1:4])} ended with {code}")
    return ran


def _listen(lines: Iterator[str], began: float, ran: Ran) -> None:
    """Pass on what a command says about itself; note when each phase is named first."""
    for line in lines:
        print(line, end="", flush=True)
        at = time.perf_counter() - began
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and isinstance(said.get("phase"), str):
            ran.logged.append(said)
            ran.phases.setdefault(said["phase"], at)


def _children_cpu() -> float:
    """Return user and system seconds of all children that have ended, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def row_of(label: str, files: int, ran: Ran, disk: float | None = None) -> Row:
    """Return the figures of one command."""
    per = 1e6 / files
    samples = ran.watch.parent_samples
    half = samples[len(samples) // 2:] or [0.0]
    return {
        "run": label, "seconds": round(ran.seconds, 1), "files/s": round(files / ran.seconds),
        "client us": round(ran.client_cpu * per), "server us": round(ran.server_cpu * per),
        "all us": round((ran.client_cpu + ran.server_cpu) * per),
        "parent CPU s": round(ran.watch.parent_cpu, 1),
        "workers CPU s": round(max(0.0, ran.client_cpu - ran.watch.parent_cpu), 1),
        "server CPU s": round(ran.server_cpu, 1),
        "parent MB": round(ran.watch.parent_mb), "parent MB, median of 2nd half": round(
            median(half)),
        "worker MB": round(ran.watch.worker_mb), "server MB": round(ran.watch.server_mb) or None,
        "disk MB": round(disk) if disk else None,
    }


def warm(folder: Path) -> None:
    """Read all files once, so that the disk is not what is measured."""
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb", buffering=0) as stream:
                stream.read()


def measure(folder: Path, totals: Totals, *, scan: bool, settings: dict[str, str]
            ) -> tuple[list[Row], list[str]]:
    """Ingest twice, and scan if wanted; return rows and notes."""
    cohort, home = folder / f"cohort-{totals.instances}", folder / f"home-{totals.instances}"
    write(cohort, totals)
    warm(cohort / "data")
    data, n = str(cohort / "data"), totals.instances
    environment = os.environ | {"RTGRAPH_HOME": str(home)} | settings
    rows: list[Row] = []
    notes: list[str] = []
    work = folder / f"work-{n}"
    for left in (home, work):
        shutil.rmtree(left, ignore_errors=True)
    work.mkdir(parents=True)
    server = local.start(config.load(environment=environment), print)
    try:
        for label in ("first", "second, unchanged"):
            ran = run(rtgraph("ingest", data, "--log-format", "json"), environment, work, server)
            rows.append(row_of(label, n, ran, disk_mb(server.data_dir)))
            notes += _notes(label, ran)
    finally:
        local.stop(home)
        shutil.rmtree(home, ignore_errors=True)
    if scan:
        ran = run(rtgraph("scan", data), environment, work)
        rows.append(row_of("scan, no server", n, ran))
    shutil.rmtree(work, ignore_errors=True)
    return rows, notes


def _notes(label: str, ran: Ran) -> list[str]:
    """Return where the time went, as far as the command said so, and its summary."""
    parts = [f"workers {_share(max(0.0, ran.client_cpu - ran.watch.parent_cpu), ran)}",
             f"parent {_share(ran.watch.parent_cpu, ran)}",
             f"server {_share(ran.server_cpu, ran)} of the CPU time"]
    if "derive" in ran.phases:
        parts.append(f"derived pass from {ran.phases['derive']:.0f} s on (within 5 s)")
    reading = [n for said in ran.logged if said.get("phase") == "read"
               and isinstance(n := said.get("queued"), int)]
    if reading:
        parts.append(f"on average {sum(reading) / len(reading):,.0f} objects waited for writers")
    retries = [n for said in ran.logged if isinstance(n := said.get("retries"), int)]
    parts.append(f"{max(retries, default=0)} transactions repeated")
    ended = [line.strip() for line in ran.said.splitlines() if line.strip()][:2]
    return [f"{label}: {', '.join(parts)}", f"{label}: {' · '.join(ended)}"]


def _share(seconds: float, ran: Ran) -> str:
    whole = ran.client_cpu + ran.server_cpu
    return f"{seconds / whole:.0%}" if whole else "–"


def main() -> None:
    """Measure and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.ingest")
    parser.add_argument("folder", type=Path, help="for cohorts and homes; 8 KB of disk a file")
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--scan", action="store_true", help="measure `rtgraph scan` too")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a setting of rtgraph, as RTGRAPH_JOBS=2")
    parser.add_argument("--lines", type=Path, default=LINES)
    given = parser.parse_args()
    settings = dict(text.split("=", 1) for text in given.set)
    rows, notes = measure(given.folder.resolve(), Totals.of_files(given.files), scan=given.scan,
                          settings=settings)
    title = f"Ingest of {given.files:,} files from disk"
    show(title, rows)
    keep(f"ingest {given.files:>9}", title, rows, [*notes, *given.set], given.lines)


if __name__ == "__main__":
    main()
