"""Commands that read files: ingest, scan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtgraph.cli.app import app, may_write, say, settings_of, target_of, write_text
from rtgraph.cli.options import (
    Batch,
    Cluster,
    Data,
    FollowLinks,
    Force,
    Full,
    Identifiers,
    Jobs,
    Log,
    LogFormat,
    LogIdentifiers,
    MaxRejects,
    Modality,
    NotModality,
    Patience,
    Prune,
    Rejects,
    Retried,
    Tags,
    Uri,
    Writers,
    modalities,
)
from rtgraph.cli.progress import counted, event, noted, told, watched
from rtgraph.cli.summary import summary_text
from rtgraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rtgraph.ingest.rejected import Retry
    from rtgraph.ingest.runs import Summary


@app.command()
def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(
        metavar="PATH…", help="Folders, files and zip archives.", show_default=False)] = None,
    uri: Uri = None, data: Data = None, jobs: Jobs = None, writers: Writers = None,
    batch: Batch = None, patience: Patience = None, executor: Cluster = None,
    follow_links: FollowLinks = False, full: Full = False, prune: Prune = False,
    tags: Tags = None, modality: Modality = None, exclude_modality: NotModality = None,
    rejects: Rejects = Path("rejects.jsonl"), retried: Retried = None,
    max_rejects: MaxRejects = None, log_format: Log = LogFormat.text,
    log_identifiers: LogIdentifiers = False,
) -> None:
    """Read DICOM files into the graph; what has not changed is skipped.

    Example: rtgraph ingest archive/2025
    """
    import asyncio

    from rtgraph.ingest.filters import Modalities
    from rtgraph.ingest.pipeline import Options, Progress
    from rtgraph.ingest.rejected import limit_of
    from rtgraph.ingest.runs import run_ingest, stopping
    from rtgraph.ingest.tags import read_tags

    settings = settings_of(uri, data, jobs=jobs, writers=writers, batch=batch, patience=patience,
                           executor=executor)
    retry = _retry(paths or [], retried, prune)
    wanted = read_tags(tags, names=settings.names) if tags else ()
    progress = Progress()
    options = Options(
        writers=settings.writers, batch=settings.batch, full=full or retry is not None,
        follow_links=follow_links, names=settings.names, **_given(
            prune=prune, limit=None if max_rejects is None else limit_of(max_rejects),
            modalities=Modalities(modalities(modality), modalities(exclude_modality))))
    target = target_of(settings, writes=True)
    again = retried is not None and rejects is not None and _same(retried, rejects)

    async def work() -> "Summary":
        with stopping() as stop:
            async with target.store(settings.patience) as store:
                return await run_ingest(
                    store, retry.paths if retry else paths or [], settings, options=options,
                    progress=progress, rejects_file=rejects, jobs=settings.jobs,
                    executor=settings.executor, stop=stop, **_given(
                        tags=wanted, retry=retry, retry_file=again,
                        notice=told(log_format, log_identifiers)))

    summary = asyncio.run(watched(work(), progress, log_format))
    _ended(summary, log_format)


def _given(**values: Any) -> dict[str, Any]:
    """Leave out what was not asked for."""
    return {name: value for name, value in values.items() if value}


def _retry(paths: list[Path], listed: Path | None, prune: bool) -> "Retry | None":
    from rtgraph.ingest.rejected import read_rejects

    if listed is None:
        if not paths:
            raise UsageError("No path is given.", "Name folders, files or zip archives.")
        return None
    if paths or prune:
        raise UsageError("--from names the files itself.", "Leave out the paths and --prune.")
    retry = read_rejects(listed)
    if retry.gone:
        say(f"{retry.gone:,} files of the list are gone.")
    return retry


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve()


def _ended(summary: "Summary", log: LogFormat) -> None:
    """Print the summary; a run that was interrupted exits with 130."""
    p = summary.progress
    tell = event if log is LogFormat.json else noted
    tell("end", run_id=summary.run_id, state=summary.state, seconds=summary.seconds,
         files=summary.n_files, states=counted(p.states), reasons=counted(p.reasons),
         fallbacks=counted(p.fallbacks),
         retired=p.pruned.retired,
         unchanged=summary.unchanged, counts=dict(summary.after))
    typer.echo(summary_text(summary))
    if summary.state == "INTERRUPTED":
        raise typer.Exit(ExitCode.interrupted)


@app.command()
def scan(
    folder: Annotated[Path, typer.Argument(help="Folder of files.")],
    output: Annotated[Path | None, typer.Option(
        "--output", "-o", help="Folder for the tables as CSV.")] = None,
    jobs: Jobs = None, follow_links: FollowLinks = False, rejects: Rejects = None,
    force: Force = False, identifiers: Identifiers = False, log_format: Log = LogFormat.text,
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
    summary, tables = asyncio.run(watched(
        scan_folder(folder, settings_of(None, None, jobs=jobs), progress, rejects,
                    follow_links=follow_links), progress, log_format))
    if output is not None:
        for name, columns in TABLES.items():
            rows = tables[name] if identifiers else hide(tables[name], IDENTIFYING)
            write_text(rows_csv(columns, rows), output / f"{name}.csv", force=force)
    _ended(summary, log_format)
