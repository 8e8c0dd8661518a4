"""The command that opens Neo4j Browser, and gives it style, guide and favourites."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from rtgraph.cli.app import app, say, settings_of, target_of
from rtgraph.cli.options import Data, Force, Uri
from rtgraph.errors import UsageError


@app.command()
def browser(
    uri: Uri = None, data: Data = None,
    print_only: Annotated[bool, typer.Option("--print", help="Print the link and end.")] = False,
    export: Annotated[Path | None, typer.Option(
        metavar="DIR", help="Write style, guide, queries and checks there, and end.")] = None,
    port: Annotated[int, typer.Option(
        min=0, max=65535, help="Port for style and guide; 0 is a free one.")] = 0,
    force: Force = False,
) -> None:
    """Open Neo4j Browser with server, user and database filled in; give it style and guide.

    Example: rtgraph browser --print
    """
    import webbrowser
    from urllib.parse import quote

    if export is not None:
        _export(export, force)
        return
    target = target_of(settings_of(uri, data))
    link = target.browser_link
    if link is None:
        raise UsageError("The address of Neo4j Browser for this server is not known.",
                         "Set server.browser_url in rtgraph.toml.")
    if print_only:
        typer.echo(link)
        _login(target.user, target.password_file)
        return
    from rtgraph.viz.browser import GUIDE, STYLE, Served

    with Served(port) as served:
        whole = f"{link}&cmd=guide&arg={quote(f'{served.address}/{GUIDE}', safe='')}"
        typer.echo(whole)
        _login(target.user, target.password_file)
        say(f"style   :style {served.address}/{STYLE}")
        say("Guide and style are served while this runs; Ctrl-C ends it.")
        if sys.stdout.isatty():
            webbrowser.open(whole)
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            served.wait()


def _login(user: str, password_file: Path | None) -> None:
    if password_file:
        say(f"user {user}, password in {password_file}")


def _export(folder: Path, force: bool) -> None:
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher.library import load_all, parse_check, parse_query
    from rtgraph.cypher.session import OWN_CHECKS
    from rtgraph.viz import browser as files

    own_queries = load_all(OWN_QUERIES, parse_query)
    own_checks = load_all(OWN_CHECKS, parse_check)
    for problem in (*own_queries.problems, *own_checks.problems):
        say(f"{problem} {problem.hint}")
    names = files.export(folder, own_queries.files, own_checks.files, force=force)
    say(f"{len(names)} files written to {folder}")
    typer.echo(f"style       drop {files.STYLE} on Browser's window")
    typer.echo(f"favourites  drop {files.FAVOURITES}, or single .cypher files")
    typer.echo(f"guide       {files.GUIDE}; `rtgraph browser` serves it, then :guide opens it")
