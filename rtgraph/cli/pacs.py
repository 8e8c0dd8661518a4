"""Commands about archives: echo, find, retrieve, receive."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtgraph.cli.app import app, may_write, say, settings_of, target_of
from rtgraph.cli.options import (
    AeTitle,
    AsReport,
    AsRows,
    Data,
    Folder,
    Force,
    Format,
    Identifiers,
    Jobs,
    Keep,
    LevelOf,
    Listen,
    Log,
    LogFormat,
    LogIdentifiers,
    Nodes,
    Output,
    Port,
    Rejects,
    ReportFormat,
    Root,
    Sync,
    Uri,
)
from rtgraph.cli.progress import counted, event, told
from rtgraph.cli.rows import write_rows
from rtgraph.cli.summary import listed
from rtgraph.errors import ExitCode

if TYPE_CHECKING:
    from rtgraph.config import Node, Settings
    from rtgraph.ingest.runs import Summary
    from rtgraph.pacs.receive import Received

pacs_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                       help="Archives: ask them, fetch from them, receive what they send.")
app.add_typer(pacs_app, name="pacs")


def nodes_of(settings: "Settings", names: list[str] | None) -> "list[Node]":
    """Return the archives of these names, without one the only one; say what is not private."""
    found = [settings.node(name) for name in names] if names else [settings.node()]
    for node in found:
        if node.shows_passcode:
            say(f"The passcode of {node.name} crosses the network as plain text: TLS is off.",
                level=logging.WARNING)
    return found


@pacs_app.command("echo")
def pacs_echo(
    nodes: Nodes = None, output_format: AsReport = ReportFormat.table,
) -> None:
    """Ask archives whether they are there and know rtgraph; without --node, all of them.

    Example: rtgraph pacs echo --node clinic
    """
    import json
    from dataclasses import asdict

    from rtgraph.pacs.echo import echo
    from rtgraph.render import rows_table, terminal_width

    settings = settings_of(None, None)
    asked = nodes_of(settings, nodes or sorted(settings.nodes))
    answers = [echo(node, settings) for node in asked]
    if output_format is ReportFormat.json:
        found = [asdict(a) | {"seconds": round(a.seconds, 3)} for a in answers]
        typer.echo(json.dumps({"schema_version": 1, "archives": found}, indent=2, sort_keys=True))
    else:
        rows = [{"archive": a.node, "address": a.address, "ms": round(1000 * a.seconds),
                 "answer": a.error or f"yes, {a.peer}".removesuffix(", ")} for a in answers]
        typer.echo(rows_table(["archive", "address", "ms", "answer"], rows,
                              terminal_width(sys.stdout)), nl=False)
    raise typer.Exit(ExitCode.incomplete if any(a.error for a in answers) else ExitCode.done)


@pacs_app.command("find")
def pacs_find(
    keys: Annotated[list[str] | None, typer.Argument(
        metavar="KEYWORD=VALUE…", help="What is asked for: wildcards * and ?, several UIDs "
        "with commas, dates as 2024-01-01..2024-12-31.", show_default=False)] = None,
    nodes: Nodes = None,
    level: Annotated[LevelOf, typer.Option(help="What the answers are.")] = LevelOf.study,
    root: Annotated[Root | None, typer.Option(help="Where the question begins.")] = None,
    returns: Annotated[list[str] | None, typer.Option(
        "--return", "-r", help="Keyword of an attribute to return; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(
        min=1, help="Answers of an archive after which it is told to stop.")] = None,
    output_format: AsRows = Format.table,
    output: Output = None, force: Force = False, identifiers: Identifiers = False,
    store: Annotated[bool, typer.Option(
        "--store", help="Keep what is announced in the graph: counts, and what is not there as "
        "Missing nodes.")] = False,
    uri: Uri = None, data: Data = None,
) -> None:
    """Ask archives what they hold.

    Example: rtgraph pacs find --level series Modality=RTPLAN StudyDate=2024-01-01..2024-12-31
    """
    import asyncio
    from dataclasses import replace

    from rtgraph.graphmodel.tables import hide
    from rtgraph.pacs.find import find
    from rtgraph.pacs.query import (
        RETURNS,
        Level,
        Query,
        conditions,
        is_identifying,
        known_keyword,
    )

    may_write(output, force)
    settings = settings_of(uri, data)
    query = Query(Level(level.value), conditions(keys or ()),
                  tuple(known_keyword(k) for k in returns or ()))
    target = target_of(settings, writes=True) if store else None
    asked = [replace(node, model=root.value) if root else node
             for node in nodes_of(settings, nodes)]
    told = replace(query, returns=(*query.columns, *RETURNS[query.level])) if store else query
    found = find(asked, settings, told, limit)
    columns = [*(["archive"] if len(found) > 1 else []), *query.columns]
    rows = [{"archive": f.node} | row for f in found for row in f.rows]
    shown = rows if identifiers else hide(rows, set(filter(is_identifying, query.columns)))
    write_rows(columns, shown, output_format, output, force=force)
    for f in found:
        if f.error is not None:
            say(f"{f.error} {f.error.hint}".strip())
    say(f"{len(rows):,} found")
    if target is not None:
        from rtgraph.pacs.announce import store_answers

        changes = asyncio.run(store_answers(target.store(settings.patience), told, rows))
        say(f"{changes.nodes_created:,} announced that were not known")
    if any(f.error for f in found):
        raise typer.Exit(ExitCode.incomplete)


@pacs_app.command("receive")
def pacs_receive(
    uri: Uri = None, data: Data = None, listen: Listen = None, port: Port = None,
    ae_title: AeTitle = None, folder: Folder = None, keep: Keep = None, sync: Sync = None,
    drain: Annotated[float, typer.Option(
        min=0, help="Seconds that open associations may go on when it is stopped.")] = 30.0,
    jobs: Jobs = None, rejects: Rejects = Path("rejects.jsonl"),
    log_format: Log = LogFormat.text, log_identifiers: LogIdentifiers = False,
) -> None:
    """Receive objects from archives and put them into the graph, until it is stopped.

    Example: rtgraph pacs receive --port 11112
    """
    import asyncio

    from rtgraph.ingest.runs import stopping
    from rtgraph.pacs.receive import receive

    settings = settings_of(uri, data, listen=listen, port=port, ae_title=ae_title,
                           received=folder, keep=keep, sync=sync, jobs=jobs)
    target = target_of(settings, writes=True)
    as_json = log_format is LogFormat.json

    def line(text: str) -> None:
        event("receiver", text=text) if as_json else say(text)

    def listening(address: str, at: int) -> None:
        line(f"listens at {address}:{at} as {settings.ae_title}")

    def ended(summary: "Summary") -> None:
        states = counted(summary.progress.states)
        if as_json:
            event("run", run_id=summary.run_id, state=summary.state, files=summary.n_files,
                  states=states)
        elif summary.n_files:
            say(f"run {summary.run_id}: {summary.n_files:,} files: {listed(states).lower()}")

    async def work() -> "Received":
        with stopping() as stop:
            async with target.store(settings.patience) as store:
                return await receive(
                    store, settings, stop=stop, drain=drain, say=line, listening=listening,
                    ended=ended, rejects_file=rejects, notice=told(log_format, log_identifiers))

    done = asyncio.run(work())
    typer.echo(
        f"received {sum(done.outcomes.values()):,}: {listed(done.outcomes).lower() or 'none'}\n"
        f"  associations {done.associations:,}, refused {done.refused:,}"
        + (f"\n  failed {sum(done.failed.values()):,}: {listed(done.failed)}"
           if done.failed else "")
        + ("\n  Open associations were ended; their senders know what is missing."
           if done.cut_off else ""))
    if done.unsynced:
        say("Some objects may not be on the disk although they were answered so.")
        raise typer.Exit(ExitCode.incomplete)
