"""Commands about named queries and Cypher texts: query list, show, run."""

from typing import Annotated, Any

import typer

from rtgraph.cli.app import app, look, may_write, say, settings_of, target_of
from rtgraph.cli.completing import query_names
from rtgraph.cli.options import AsRows, Data, Force, Format, Identifiers, Output, Uri
from rtgraph.cli.rows import write_rows
from rtgraph.errors import UsageError

queries_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                          help="Named cohort queries, and Cypher texts.")
app.add_typer(queries_app, name="query")
Parameters = Annotated[list[str] | None, typer.Option(
    "-p", "--param", metavar="NAME=VALUE", help="A parameter of the query.")]


@queries_app.command("list")
def query_list(output_format: AsRows = Format.table, output: Output = None, force: Force = False
               ) -> None:
    """List the named queries with their parameters, those of the project included.

    Example: rtgraph query list
    """
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher.library import load_queries

    loaded = load_queries(OWN_QUERIES)
    for problem in loaded.problems:
        say(f"{problem} {problem.hint}")
    rows: list[dict[str, Any]] = [
        {"name": q.name, "view": q.view.value, "title": q.title,
         "parameters": ", ".join(p.name for p in q.params)} for q in loaded.files]
    write_rows(["name", "view", "title", "parameters"], rows, output_format, output, force=force)


@queries_app.command("show")
def query_show(
    name: Annotated[str, typer.Argument(
        help="Name of a query.", autocompletion=query_names)],
    link: Annotated[bool, typer.Option(
        "--link", help="Print the address that opens it in Neo4j Browser.")] = False,
    uri: Uri = None, data: Data = None,
) -> None:
    """Print a query, ready to paste into Neo4j Browser.

    Example: rtgraph query show complete-chains
    """
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher.library import query
    from rtgraph.cypher.links import file_link

    found = query(name, OWN_QUERIES)
    if not link:
        typer.echo(found.text.rstrip())
        return
    browser = target_of(settings_of(uri, data)).browser_link
    if browser is None:
        raise UsageError("The address of Neo4j Browser for this server is not known.",
                         "Set server.browser_url in rtgraph.toml.")
    address = file_link(browser, found)
    if address is None:
        raise UsageError("The query does not fit into a link: it holds & or #, or is too long.",
                         "Print it and paste it: rtgraph query show")
    typer.echo(address)


@queries_app.command("run")
def query_run(
    name: Annotated[str, typer.Argument(
        help="Name of a query, or a Cypher text.", autocompletion=query_names)],
    parameters: Parameters = None,
    uri: Uri = None, data: Data = None,
    output_format: AsRows = Format.table,
    output: Output = None, force: Force = False, identifiers: Identifiers = False,
) -> None:
    """Run a named query or a Cypher text; nothing can be changed by it.

    Example: rtgraph query run patients-by-modality -p modalities=CT,RTPLAN -f csv
    """
    import asyncio

    from rtgraph.api import OWN_QUERIES, Rows, is_text, run_query
    from rtgraph.cypher.library import bind, query
    from rtgraph.graphmodel.tables import IDENTIFYING, hide

    may_write(output, force)
    given = read_parameters(parameters)
    hidden = set() if identifiers else set(IDENTIFYING)
    if is_text(name):
        named = [word for word in IDENTIFYING if word in name]
        if named and not identifiers:
            raise UsageError("A text that names an identifying property may show identifiers.",
                             "Add --identifiers.")
    else:
        found = query(name, OWN_QUERIES)
        bind(found, given)
        hidden |= set() if identifiers else set(found.identifying)
    target = target_of(settings_of(uri, data))

    async def work() -> Rows:
        async with target.store() as store:
            if not is_text(name):
                await look(store)
            return await run_query(store, name, given)

    rows = asyncio.run(work())
    write_rows(rows.columns, hide(rows, hidden), output_format, output, force=force)


def read_parameters(given: list[str] | None) -> dict[str, str]:
    """Return parameters by name; a name that is given twice is a mistake."""
    found: dict[str, str] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError("A parameter is given as NAME=VALUE.",
                             "Example: -p modalities=CT,RTPLAN")
        if name in found:
            raise UsageError(f"The parameter {name} is given twice.", "Give it once.")
        found[name] = value
    return found
