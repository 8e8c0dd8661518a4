"""Commands that read files: ingest, scan."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtgraph.cli.app import app, may_write, say, settings_of, target_of, write_text
from rtgraph.cli.options import Data, FollowLinks, Force, Identifiers, Jobs, Rejects, Uri
from rtgraph.errors import ExitCode

if TYPE_CHECKING:
    from rtgraph.ingest.pipeline import Progress
    from rtgraph.ingest.runs import Summary


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Folders and files.")],
    uri: Uri = None, data: Data = None, jobs: Jobs = None, follow_links: FollowLinks = False,
    full: Annotated[bool, typer.Option("--full", help="Read unchanged files again.")] = False,
    rejects: Rejects = Path("rejects.jsonl"),
    max_rejects: Annotated[int | None, typer.Option(
        "--max-rejects", min=0, help="Exit with 1 when more files are rejected.")] = None,
) -> None:
    """Read DICOM files into the graph; what has not changed is skipped.

    Example: rtgraph ingest archive/2025
    """
    import asyncio

    from rtgraph.ingest.pipeline import Options, Progress
    from rtgraph.ingest.records import State
    from rtgraph.ingest.runs import run_ingest

    settings = settings_of(uri, data, jobs=jobs)
    target = target_of(settings, writes=True)
    progress = Progress()
    options = Options(writers=settings.writers, batch=settings.batch, full=full,
                      follow_links=follow_links, names=settings.names)

    async def work() -> "Summary":
        async with target.store(settings.patience) as store:
            return await run_ingest(store, paths, settings, options=options, progress=progress,
                                    rejects_file=rejects, jobs=settings.jobs)

    summary = asyncio.run(_watched(work(), progress))
    typer.echo(_summary_text(summary))
    if max_rejects is not None and progress.states[State.REJECTED] > max_rejects:
        raise typer.Exit(ExitCode.findings)


async def _watched(work: Any, progress: "Progress") -> Any:
    """Run `work` and print a line about it on stderr: each second on a terminal, else each 10 s."""
    import asyncio

    on_terminal = sys.stderr.isatty()
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait({task}, timeout=0.5 if on_terminal else 10)
        line = (f"{progress.phase:<7} {progress.seen:,} files{'' if progress.walked else ' so far'}"
                f", {progress.read:,} read, {sum(progress.states.values()):,} done")
        if on_terminal:
            with suppress(OSError):
                sys.stderr.write(f"\r\x1b[2K{line}" if not task.done() else "\r\x1b[2K")
                sys.stderr.flush()
        elif not task.done():
            say(line)
    return await task


def _summary_text(summary: "Summary") -> str:
    """Return the end of an ingest: files by state, what was added, rejects by reason."""
    from rtgraph.ingest.records import State

    p, before, after = summary.progress, summary.before, summary.after
    states = " · ".join(f"{n:,} {s.value.lower()}" for s, n in p.states.items() if n) or "none"
    lines = [f"Run {summary.run_id} · {summary.state.lower()} in {summary.seconds:.1f} s",
             f"  files    {summary.n_files:,}: {states}"]
    if summary.n_files == 0:
        lines.append("  No files were found there.")
    elif p.states.total() == p.states[State.REJECTED]:
        lines.append("  No DICOM object was found there.")
    if summary.unchanged:
        lines.append("  graph    0 changes")
    else:
        added = {n: after[n] - before[n] for n in after}
        lines += [
            "  nodes    " + "  ".join(f"{added[n]:+,} {n}" for n in (
                "patients", "studies", "series", "instances")),
            f"  edges    {added['references']:+,} REFERENCES ({after['unresolved']:,} unresolved)  "
            f"{added['series_references']:+,} between series  {added['shares_for']:+,} SHARES_FOR",
        ]
    if p.reasons:
        where = f" → {summary.rejects_file.name}" if summary.rejects_file else ""
        reasons = " · ".join(f"{name} {n:,}" for name, n in p.reasons.most_common())
        lines.append(f"  rejected {p.reasons.total():,}: {reasons}{where}")
    if p.invalid:
        worst = " · ".join(f"{name} {n:,}" for name, n in p.invalid.most_common(5))
        lines.append(f"  values   {p.invalid.total():,} not usable: {worst}")
    return "\n".join(lines)


@app.command()
def scan(
    folder: Annotated[Path, typer.Argument(help="Folder of files.")],
    output: Annotated[Path | None, typer.Option(
        "--output", "-o", help="Folder for the tables as CSV.")] = None,
    jobs: Jobs = None, follow_links: FollowLinks = False, rejects: Rejects = None,
    force: Force = False, identifiers: Identifiers = False,
) -> None:
    """Read a folder without a server: the summary of an ingest, and the tables as CSV.

    Example: rtgraph scan export/ -o tables/
    """
    import asyncio

    from rtgraph.api import scan as scan_folder
    from rtgraph.graphmodel.tables import IDENTIFYING, TABLES
    from rtgraph.ingest.pipeline import Progress
    from rtgraph.render import hide, rows_csv

    for name in TABLES if output else ():
        may_write((output or folder) / f"{name}.csv", force)
    progress = Progress()
    summary, tables = asyncio.run(_watched(
        scan_folder(folder, settings_of(None, None, jobs=jobs), progress, rejects,
                    follow_links=follow_links), progress))
    if output is not None:
        for name, columns in TABLES.items():
            rows = tables[name] if identifiers else hide(tables[name], IDENTIFYING)
            write_text(rows_csv(columns, rows), output / f"{name}.csv", force=force)
    typer.echo(_summary_text(summary))
