"""The whole program in one go, on synthetic patients or on the user's own files.

It has a home of its own below its folder: a run empties that graph and nothing else. The user's
home and any configured server are not touched, whatever the settings say.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rtgraph.config import Settings
from rtgraph.cypher.library import checks, select
from rtgraph.cypher.stored import store_report
from rtgraph.cypher.validate import Report, run_checks
from rtgraph.demo.cohort import write_cohort
from rtgraph.errors import OutputError, UsageError
from rtgraph.graphmodel.tables import Row, Tables, of_patient
from rtgraph.ingest.pipeline import Options, Progress
from rtgraph.ingest.records import State
from rtgraph.ingest.runs import Summary, run_ingest, workers
from rtgraph.ingest.tables import read_folder, tables
from rtgraph.ingest.wipe import wipe
from rtgraph.store import local
from rtgraph.store.bolt import Store
from rtgraph.store.target import Target, choose
from rtgraph.viz.figure import Figure
from rtgraph.viz.gather import material
from rtgraph.viz.picture import Material

Say = Callable[[str, str], None]
MARK = ".rtgraph-demo"


@dataclass(frozen=True)
class Shown:
    """What a demo made: the run, the report, the figure and where the server is."""

    summary: Summary | None
    report: Report | None
    figure: Path
    target: Target | None


def show(
    out: Path, settings: Settings, say: Say, *, data: Path | None = None, patients: int = 3,
    seed: int = 1, server: bool = True,
) -> Shown:
    """Synthesise patients (or take `data`), ingest, validate and draw one patient.

    Parameters
    ----------
    say : callable
        Gets the name of a step and a line about it.
    server : bool
        Without one, files are read into memory and drawn.
    """
    _check(data, out)
    _prepare(out)
    folder = data or _synthesise(out, patients, seed, say)
    own = replace(settings, uri=None, home=(out / "home").resolve(), bolt_port=None,
                  http_port=None)
    if not server:
        return Shown(None, None, _draw_folder(folder, out, own, say), None)
    target = choose(own, lambda line: say("up", line), start=True)
    say("up", f"managed Neo4j of {out}/home, {target.uri}")

    async def work() -> tuple[Summary, Report, Path]:
        async with target.store() as store:
            await wipe(store)
            progress = Progress()
            summary = await run_ingest(
                store, [folder], own, progress=progress, jobs=own.jobs,
                options=Options(writers=own.writers, batch=own.batch),
                rejects_file=out / "rejects.jsonl")
            say("ingest", _counts(summary))
            report = await run_checks(store, select(checks()))
            await store_report(store, report)  # so that the figure shows the findings
            return summary, report, await _draw_graph(store, out, report, target.browser_link)

    summary, report, figure = asyncio.run(work())
    return Shown(summary, report, figure, target)


def clean(out: Path) -> bool:
    """Stop the demo's server and remove its folder; False when there is none."""
    if not out.exists():
        return False
    if not (out / MARK).exists():
        raise UsageError("The folder was not made by rtgraph demo; nothing was removed.")
    local.stop((out / "home").resolve())
    try:
        shutil.rmtree(out.resolve())
    except OSError as error:
        raise OutputError(f"The folder of the demo cannot be removed: {error.strerror}.") from error
    return True


def _check(data: Path | None, out: Path) -> None:
    """Refuse own files that are not there, or that the demo would take away."""
    if data is None:
        return
    if not data.exists():
        raise UsageError("A given path does not exist.", "Check the path; nothing was read.")
    if out.resolve() in (data.resolve(), *data.resolve().parents):
        raise UsageError("The files are inside the folder of the demo.",
                         "Name another folder for the demo with --out.")


def _prepare(out: Path) -> None:
    """Make the folder, or take away what an earlier demo left but for its server."""
    try:
        if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
            raise UsageError("The folder of the demo holds something else.",
                             "Name another one with --out.")
        out.mkdir(parents=True, exist_ok=True)
        (out / MARK).touch()
        shutil.rmtree(out / "dicom", ignore_errors=True)
        for page in out.glob("patient-*.html"):
            page.unlink()
        with suppress(FileNotFoundError):
            (out / "rejects.jsonl").unlink()
    except OSError as error:
        raise OutputError(f"The folder of the demo cannot be written: {error.strerror}.",
                          "Name another one with --out.") from error


def _synthesise(out: Path, patients: int, seed: int, say: Say) -> Path:
    folder = out / "dicom"
    manifest = write_cohort(folder, patients, seed)
    n = manifest.counts
    say("synthesise", f"{n.patients} patients, {n.instances} files, seed {seed} → {folder}")
    return folder


def _counts(summary: Summary) -> str:
    states = summary.progress.states
    after = summary.after
    read = " · ".join(f"{n:,} {state.value.lower()}" for state, n in states.items() if n)
    return (f"{read} in {summary.seconds:.1f} s · {after['references']:,} references, "
            f"{after['unresolved']:,} unresolved")


async def _draw_graph(store: Store, out: Path, report: Report, browser: str | None) -> Path:
    """Draw the patient with the most findings, or the first one."""
    found = [f.patient_key for r in report.results for f in r.findings if f.patient_key]
    rows = await store.read(
        "MATCH (p:Patient) RETURN p.patient_key AS key ORDER BY key")
    if not rows:
        raise UsageError("No DICOM object was found, so there is nothing to draw.")
    keys = [row["key"] for row in rows]
    key = max(keys, key=lambda k: (found.count(k), -keys.index(k)))
    return _save(Figure(await material(store, key, browser)), key, out)


def _draw_folder(folder: Path, out: Path, settings: Settings, say: Say) -> Path:
    progress = Progress()

    async def read() -> Tables:
        with workers(settings.jobs) as executor:
            return tables(await read_folder(
                [folder], executor, key=os.urandom(32).hex(), roots={}, progress=progress,
                rejected=lambda rejected: None))

    found = asyncio.run(read())
    say("scan", f"{progress.seen:,} files, {progress.states[State.INDEXED]:,} objects")
    if not found["patients"]:
        raise UsageError("No DICOM object was found, so there is nothing to draw.")
    key = _most_unresolved(found)
    return _save(Figure(Material(key, of_patient(found, key))), key, out)


def _most_unresolved(found: Tables) -> str:
    def unresolved(patient: Row) -> int:
        own = of_patient(found, patient["patient_key"])
        return sum(not r["resolved"] for r in own["references"])

    return str(max(found["patients"], key=unresolved)["patient_key"])


def _save(figure: Figure, key: str, out: Path) -> Path:
    return figure.save(out / f"patient-{key}.html", force=True)
