"""The command that fetches from archives."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from rtgraph.cli.app import may_write, say, settings_of, target_of
from rtgraph.cli.completing import cohort_names
from rtgraph.cli.options import (
    AeTitle,
    AsRows,
    Data,
    Folder,
    Force,
    Format,
    Jobs,
    Keep,
    Listen,
    Log,
    LogFormat,
    LogIdentifiers,
    Modality,
    Nodes,
    NotModality,
    Output,
    Port,
    Rejects,
    Sync,
    Transport,
    Uri,
    modalities,
)
from rtgraph.cli.pacs import nodes_of, pacs_app
from rtgraph.cli.progress import event, told, watched
from rtgraph.cli.rows import write_rows
from rtgraph.cli.summary import listed
from rtgraph.errors import UsageError

if TYPE_CHECKING:
    from rtgraph.ingest.pipeline import Progress
    from rtgraph.pacs.fetching import Delivery, Means
    from rtgraph.pacs.retrieve import Retrieval
    from rtgraph.pacs.wanted import Target
    from rtgraph.store.bolt import Store

COLUMNS = ("archive", "study", "series", "modality", "announced", "there", "received",
           "in_graph", "missing")
# Besides, for programs: which objects are missing, and which of them the archive could not send.
UIDS = ("missing_uids", "refused_uids")
# A table has a line for each series up to so many, else for those that lack something.
MOST_LINES = 40


class _Latest:
    """The progress of the ingest that goes on now: each list of targets has its own."""

    def __init__(self, retrieval: "Retrieval") -> None:
        self._retrieval = retrieval

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retrieval.progress, name)


@pacs_app.command("retrieve")
def pacs_retrieve(
    nodes: Nodes = None,
    patients: Annotated[Path | None, typer.Option(
        help="CSV file with the IDs of patients.")] = None,
    column: Annotated[str, typer.Option(
        help="Column of the IDs.")] = "PatientID",
    study: Annotated[list[str] | None, typer.Option(
        "--study", help="Study Instance UID; with --series or --instance, where they are.")] = None,
    series: Annotated[list[str] | None, typer.Option(
        "--series", help="Series Instance UID; may be repeated.")] = None,
    instance: Annotated[list[str] | None, typer.Option(
        "--instance", help="SOP Instance UID; may be repeated.")] = None,
    cohort: Annotated[str | None, typer.Option(
        help="Name of a saved cohort.", autocompletion=cohort_names)] = None,
    missing: Annotated[bool, typer.Option(
        "--missing", help="What objects of the graph refer to and the graph does not have, "
        "then what that refers to.")] = False,
    max_depth: Annotated[int, typer.Option(
        min=1, help="Rounds of --missing.")] = 3,
    max_instances: Annotated[int | None, typer.Option(
        min=1, help="Objects that are fetched in all; a series that is too large is left.")] = None,
    modality: Modality = None, exclude_modality: NotModality = None,
    dates: Annotated[str | None, typer.Option(
        "--date", help="Range of study dates, as 2024-01-01..2024-12-31.")] = None,
    replace: Annotated[bool, typer.Option(
        "--replace", help="Fetch what is there, too; an object with other content takes the "
        "place of the file, which goes to .replaced.")] = False,
    dry_run: Annotated[bool, typer.Option(
        "--dry-run", help="Say what would be fetched.")] = False,
    uri: Uri = None, data: Data = None, listen: Listen = None, port: Port = None,
    ae_title: AeTitle = None, folder: Folder = None, keep: Keep = None, sync: Sync = None,
    transport: Transport = None,
    max_associations: Annotated[int | None, typer.Option(
        min=1, help="Associations that fetch at once from an archive.")] = None,
    pause: Annotated[float | None, typer.Option(
        min=0, help="Seconds between two requests of an association.")] = None,
    retry: Annotated[float | None, typer.Option(
        min=0, help="Seconds that an archive is tried again that cannot be reached.")] = None,
    rounds: Annotated[int | None, typer.Option(
        min=1, help="How often an archive is asked for what has not come.")] = None,
    jobs: Jobs = None, rejects: Rejects = Path("rejects.jsonl"),
    output_format: AsRows = Format.table, output: Output = None, force: Force = False,
    log_format: Log = LogFormat.text, log_identifiers: LogIdentifiers = False,
) -> None:
    """Fetch objects from archives into the graph, and say what has not come.

    Example: rtgraph pacs retrieve --node clinic --patients list.csv --modality RTPLAN
    """
    import asyncio
    from dataclasses import replace as changed

    from rtgraph.ingest.runs import stopping
    from rtgraph.pacs import wanted
    from rtgraph.pacs.plan import Chosen
    from rtgraph.pacs.query import conditions
    from rtgraph.pacs.retrieve import Limits, Retrieval, retrieve

    may_write(output, force)
    named = bool(study or series or instance)
    if sum([patients is not None, named, cohort is not None, missing]) != 1:
        raise UsageError("One thing to fetch is expected.",
                         "Give --patients, UIDs (--study, --series, --instance), --cohort or "
                         "--missing.")
    if missing and replace:
        raise UsageError("--replace fetches what is there, --missing what is not.")
    settings = settings_of(uri, data, listen=listen, port=port, ae_title=ae_title,
                           received=folder, keep=keep, sync=sync, retry=retry, rounds=rounds,
                           jobs=jobs)
    own = {"retrieve": transport and transport.value, "associations": max_associations,
           "pause": pause}
    chosen = {name: value for name, value in own.items() if value is not None}
    asked = [changed(node, **cast(dict[str, Any], chosen)) for node in nodes_of(settings, nodes)]
    what = Chosen(modalities(modality), modalities(exclude_modality),
                  conditions([f"StudyDate={dates}"])["StudyDate"] if dates else "")
    listed_patients = wanted.read_patients(patients, column) if patients else None
    target = target_of(settings, writes=not dry_run)
    retrieval = Retrieval(dry_run=dry_run)
    as_json = log_format is LogFormat.json

    def line(text: str) -> None:
        event("archive", text=text) if as_json else say(text)

    def more(means: "Means") -> "Means":
        return changed(means, chosen=what, rejects_file=rejects, dry_run=dry_run,
                       folder=changed(means.folder, replace=replace),
                       notice=told(log_format, log_identifiers))

    async def targets_of(store: "Store") -> "list[Target] | None":
        if missing:
            return None
        if cohort is not None:
            return await wanted.of_cohort(store, cohort)
        return listed_patients if listed_patients is not None else wanted.of_uids(
            study or (), series or (), instance or ())

    async def work() -> None:
        with stopping() as stop:
            async with target.store(settings.patience) as store:
                await retrieve(store, settings, asked, await targets_of(store), means=more,
                               limits=Limits(max_depth, max_instances), stop=stop, say=line,
                               retrieval=retrieval)

    shown = cast("Progress", _Latest(retrieval))
    asyncio.run(watched(work(), shown, log_format))
    _print(retrieval, output_format, output, force, log_format, log_identifiers)
    raise typer.Exit(retrieval.exit_code)


def _print(
    retrieval: "Retrieval", output_format: Format, output: Path | None, force: bool,
    log: LogFormat, identifiers: bool,
) -> None:
    """Print a line for each series, and the totals."""
    rows = [{"archive": d.node, "study": r.study_uid, "series": r.series_uid,
             "modality": r.modality, "announced": r.announced, "there": r.there,
             "received": r.received, "in_graph": r.in_graph, "missing": r.short,
             "missing_uids": r.missing, "refused_uids": list(r.refused)}
            for d in retrieval.deliveries for r in d.results]
    if output_format is not Format.table:
        write_rows((*COLUMNS, *UIDS), rows, output_format, output, force=force)
    elif rows:
        shown = rows if len(rows) <= MOST_LINES else [row for row in rows if row["missing"]]
        write_rows(COLUMNS, shown, output_format, output, force=force)
    for delivery in retrieval.deliveries:
        _tell(delivery, retrieval, log)
    for target in retrieval.not_found:
        named = f": {target.uid}" if identifiers and target.line else ""
        say(f"no archive has {target.name}{named}")
    if retrieval.unsynced:
        say("Some objects may not be on the disk although they were answered so.")
    if retrieval.interrupted:
        say("Stopped cleanly. Run the same command to go on.")


def _tell(delivery: "Delivery", retrieval: "Retrieval", log: LogFormat) -> None:
    from rtgraph.pacs.ledger import totals

    n = totals(delivery.results)
    if log is LogFormat.json:
        event("retrieved", archive=delivery.node, **n, failures=dict(delivery.failures),
              not_found=len(delivery.not_found), conflicts=delivery.conflicts,
              replaced=delivery.replaced,
              error=str(delivery.error) if delivery.error else None)
        return
    if retrieval.dry_run:
        say(f"{delivery.node}: {n['series']:,} series, {n['announced']:,} objects announced, "
            f"{n['there']:,} are there; {n['announced'] - n['there']:,} would be fetched")
    else:
        say(f"{delivery.node}: {n['series']:,} series, {n['announced']:,} objects announced, "
            f"{n['there']:,} were there, {n['received']:,} received, "
            f"{n['in_graph']:,} in the graph, {n['short']:,} missing")
    if delivery.failures:
        say(f"  {listed(delivery.failures)}")
    if delivery.conflicts:
        say(f"  {delivery.conflicts:,} objects came with other content than the file that was "
            "there; they are kept beside it")
    if delivery.replaced:
        say(f"  {delivery.replaced:,} objects came with other content and took the place of their "
            "files, which are in .replaced")
    if delivery.summary is not None and delivery.summary.progress.reasons:
        say(f"  rejected {listed(delivery.summary.progress.reasons)}")
    if delivery.limited:
        say("  --max-instances is reached; a series was left")
    if delivery.error:
        say(f"  {delivery.error} {delivery.error.hint}".rstrip())
