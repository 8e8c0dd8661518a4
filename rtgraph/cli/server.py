"""Commands about the server: up, down, status."""

from pathlib import Path
from typing import Annotated

import typer

from rtgraph.cli.app import app, say, settings_of, target_of
from rtgraph.cli.options import AsReport, Data, ReportFormat, Uri
from rtgraph.errors import ExitCode


@app.command()
def up(
    data: Data = None,
    heap: Annotated[str | None, typer.Option(help="Largest heap, for example 2g.")] = None,
    pagecache: Annotated[str | None, typer.Option(help="Page cache, for example 4g.")] = None,
) -> None:
    """Start the managed Neo4j server, fetching it the first time.

    Example: rtgraph up
    """
    import asyncio

    from rtgraph.graphmodel.schema import schema
    from rtgraph.store import local

    settings = settings_of(None, data or _home(), heap=heap, pagecache=pagecache)
    running = local.find(settings.home)
    target = target_of(settings)

    async def prepare() -> None:
        async with target.store() as store:
            await store.prepare(schema())

    asyncio.run(prepare())
    if running:
        say("The managed server is running already.")
    typer.echo(f"Bolt     {target.uri}\nBrowser  {target.browser_url}\nstop with: rtgraph down")


def _home() -> Path:
    from rtgraph import config

    return config.load().home


@app.command()
def down(data: Data = None) -> None:
    """Stop the managed server; a server given by URI is never touched.

    Example: rtgraph down
    """
    from rtgraph.store import local

    stopped = local.stop((data or _home()).resolve())
    say("Stopped." if stopped else "No managed server is running.")


@app.command()
def status(
    uri: Uri = None, data: Data = None,
    output_format: AsReport = ReportFormat.table,
) -> None:
    """Say which server is used, what it is and what it holds.

    Example: rtgraph status --format json
    """
    import asyncio
    import json

    from rtgraph.api import server_status

    settings = settings_of(uri, data)
    state = asyncio.run(server_status(settings))
    if output_format is ReportFormat.json:
        typer.echo(json.dumps(state, indent=2, sort_keys=True, default=str))
    else:
        for name, value in state.items():
            if isinstance(value, dict):
                value = ", ".join(f"{n:,} {k.replace('_', ' ')}" for k, n in value.items())
            if name != "schema_version":
                typer.echo(f"{name.replace('_', ' '):<14} {'-' if value is None else value}")
    raise typer.Exit(ExitCode.done if state["running"] else ExitCode.incomplete)
