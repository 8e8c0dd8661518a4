"""Commands for administrators of the graph: db schema, wipe, dump, load."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtgraph.cli.app import app, look, may_write, say, settings_of, target_of
from rtgraph.cli.options import Data, Force, Uri
from rtgraph.errors import UsageError

if TYPE_CHECKING:
    from rtgraph.config import Settings

db_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                     help="Administration of the database.")
app.add_typer(db_app, name="db")
Yes = Annotated[bool, typer.Option("--yes", help="Do it.")]


@db_app.command("schema")
def db_schema(
    uri: Uri = None, data: Data = None,
    print_only: Annotated[bool, typer.Option(
        "--print", help="Print the statements and end, without a server.")] = False,
) -> None:
    """Create the constraints and indexes that are missing, or print them for an administrator.

    Example: rtgraph db schema --print
    """
    import asyncio

    from rtgraph.graphmodel.schema import schema

    if print_only:
        typer.echo("\n".join(f"{statement};" for statement in schema().constraints))
        return
    target = target_of(settings_of(uri, data), writes=True)

    async def work() -> list[str]:
        async with target.store() as store:
            return await store.constrain(schema())

    made = asyncio.run(work())
    typer.echo(f"{len(schema().constraints)} constraints and indexes, {len(made)} of them new")


@db_app.command("wipe")
def db_wipe(
    uri: Uri = None, data: Data = None, yes: Yes = False,
    new_key: Annotated[bool, typer.Option(
        "--new-key", help="Make another key: the same patients get other patient keys.")] = False,
    force: Annotated[bool, typer.Option(
        "--force", help="Empty a database too that rtgraph did not set up.")] = False,
) -> None:
    """Empty the graph; runs, waivers and cohorts go with it, the key of the store stays.

    Example: rtgraph db wipe --yes
    """
    import asyncio

    from rtgraph.ingest.wipe import wipe
    from rtgraph.store.bolt import Counters

    if not yes:
        raise UsageError("Waivers and frozen cohorts cannot be had again; files can be read again.",
                         "Add --yes.")
    target = target_of(settings_of(uri, data), writes=True)

    async def work() -> Counters:
        async with target.store() as store:
            return await wipe(store, new_key=new_key, force=force)

    gone = asyncio.run(work())
    typer.echo(f"deleted {gone.nodes_deleted:,} nodes, {gone.relationships_deleted:,} edges")


@db_app.command("dump")
def db_dump(
    file: Annotated[Path, typer.Argument(help="File for the whole graph.")],
    data: Data = None, force: Force = False,
) -> None:
    """Save the managed graph in one file; the server is stopped meanwhile.

    Example: rtgraph db dump graph.dump
    """
    from rtgraph.store.dumps import dump

    may_write(file, force)
    size = dump(_managed(data, "dump neo4j --to-path=FOLDER"), file, say)
    typer.echo(f"{file.name}  {size / 1e6:.1f} MB")
    say("It holds identifiers of patients and the key of the store: keep it as safe as the files.")


@db_app.command("load")
def db_load(
    file: Annotated[Path, typer.Argument(help="File that db dump has written.")],
    data: Data = None, yes: Yes = False,
) -> None:
    """Put a saved graph in the place of the managed one.

    Example: rtgraph db load graph.dump --yes
    """
    import asyncio

    from rtgraph.ingest.runs import counts
    from rtgraph.store.dumps import has_graph, load

    settings = _managed(data, "load neo4j --from-path=FOLDER --overwrite-destination=true")
    if has_graph(settings.home) and not yes:
        raise UsageError(f"The graph in {settings.home} would be replaced.",
                         "Add --yes, or name another home with --data.")
    load(settings, file, say)
    target = target_of(settings, writes=True)

    async def work() -> dict[str, int]:
        async with target.store() as store:
            await look(store)
            return await counts(store)

    found = asyncio.run(work())
    typer.echo(f"loaded {found['patients']:,} patients, {found['instances']:,} instances")


def _managed(data: Path | None, words: str) -> "Settings":
    """Return the settings of a managed server; others have tools of their own."""
    settings = settings_of(None, data)
    if settings.uri is not None:
        raise UsageError(
            f"The server {settings.uri.partition('://')[2]} is not managed by rtgraph.",
            f"Stop it and use its own tool: neo4j-admin database {words}. --data names a home.")
    return settings
