"""Commands about archives: echo, find, retrieve, receive."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtgraph.cli.app import app, say, settings_of, target_of
from rtgraph.cli.options import (
    AeTitle,
    Data,
    Folder,
    Jobs,
    Keep,
    Listen,
    Log,
    LogFormat,
    LogIdentifiers,
    Port,
    Rejects,
    Sync,
    Uri,
)
from rtgraph.cli.progress import counted, event, told
from rtgraph.cli.summary import listed
from rtgraph.errors import ExitCode

if TYPE_CHECKING:
    from rtgraph.ingest.runs import Summary
    from rtgraph.pacs.receive import Received

pacs_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                       help="Archives: ask them, fetch from them, receive what they send.")
app.add_typer(pacs_app, name="pacs")


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
