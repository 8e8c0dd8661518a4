"""Commands that ask the graph: validate, query, graph."""

import sys
from collections.abc import Callable, Collection
from typing import Annotated, Any

import typer

from rtgraph.cli.app import app, may_write, settings_of, target_of, write_text
from rtgraph.cli.options import (
    AsRows,
    Data,
    FailOn,
    Force,
    Format,
    Identifiers,
    Output,
    Uri,
)
from rtgraph.errors import UsageError

Renderers = dict[Format, Callable[[], str]]

queries_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                          help="Named cohort queries, and Cypher texts.")
app.add_typer(queries_app, name="query")


@app.command()
def validate(
    uri: Uri = None, data: Data = None,
    select: Annotated[list[str] | None, typer.Option(help="Ids or families, as REF.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Ids or families to leave out.")] = None,
    patient: Annotated[str | None, typer.Option(help="patient_key or PatientID.")] = None,
    fail_on: Annotated[FailOn, typer.Option(help="Lowest severity that exits 1.")] = FailOn.error,
    timeout: Annotated[float | None, typer.Option(min=0.01, help="Seconds for one check.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Findings printed for each check.")] = 5,
    output_format: AsRows = Format.table,
    output: Output = None, force: Force = False, identifiers: Identifiers = False,
) -> None:
    """Check the graph for broken and missing relations.

    Example: rtgraph validate --select REF --fail-on warning --format json -o report.json
    """
    import asyncio

    from rtgraph import render
    from rtgraph.cypher import library
    from rtgraph.cypher.validate import Report, run_checks
    from rtgraph.viz.gather import patient_named

    may_write(output, force)
    chosen = library.select(library.checks(), select or (), ignore or ())
    target = target_of(settings_of(uri, data))

    async def work() -> Report:
        async with target.store() as store:
            key = None
            if patient is not None:
                key = await patient_named(store, patient, identifiers=identifiers)
            return await run_checks(store, chosen, patient=key, timeout=timeout)

    report = asyncio.run(work())
    lowest = library.Severity(fail_on.value)
    text: Renderers = {
        Format.table: lambda: render.report_table(report, limit, identifiers),
        Format.csv: lambda: render.report_csv(report, identifiers),
        Format.json: lambda: render.report_json(report, lowest, identifiers),
    }
    write_text(text[output_format](), output, force=force)
    raise typer.Exit(report.exit_code(lowest))


@queries_app.command("list")
def query_list() -> None:
    """List the named queries with their parameters.

    Example: rtgraph query list
    """
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher.library import queries
    from rtgraph.render import rows_table, terminal_width

    rows: list[dict[str, Any]] = [
        {"name": q.name, "view": q.view, "title": q.title,
         "parameters": ", ".join(p.name for p in q.params)} for q in queries(OWN_QUERIES)]
    typer.echo(rows_table(["name", "view", "title", "parameters"], rows,
                          terminal_width(sys.stdout)), nl=False)


@queries_app.command("show")
def query_show(name: Annotated[str, typer.Argument(help="Name of a query.")]) -> None:
    """Print a query, ready to paste into Neo4j Browser.

    Example: rtgraph query show complete-chains
    """
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher.library import query

    typer.echo(query(name, OWN_QUERIES).text.rstrip())


@queries_app.command("run")
def query_run(
    name: Annotated[str, typer.Argument(help="Name of a query, or a Cypher text.")],
    parameters: Annotated[list[str] | None, typer.Option(
        "-p", "--param", metavar="NAME=VALUE", help="A parameter.")] = None,
    uri: Uri = None, data: Data = None,
    output_format: AsRows = Format.table,
    output: Output = None, force: Force = False, identifiers: Identifiers = False,
) -> None:
    """Run a named query or a Cypher text; nothing can be changed by it.

    Example: rtgraph query run patients-by-modality -p modalities=CT,RTPLAN -f csv
    """
    import asyncio

    from rtgraph import render
    from rtgraph.api import OWN_QUERIES, Rows, is_text, run_query
    from rtgraph.cypher.library import bind, query
    from rtgraph.graphmodel.tables import IDENTIFYING

    may_write(output, force)
    given = dict(_parameter(p) for p in parameters or ())
    hidden: Collection[str] = () if identifiers else IDENTIFYING
    if is_text(name):
        named = [word for word in IDENTIFYING if word in name]
        if named and not identifiers:
            raise UsageError("A text that names an identifying property may show identifiers.",
                             "Add --identifiers.")
    else:
        found = query(name, OWN_QUERIES)
        bind(found, given)
        hidden = () if identifiers else found.identifying
    target = target_of(settings_of(uri, data))

    async def work() -> Rows:
        async with target.store() as store:
            return await run_query(store, name, given)

    rows = asyncio.run(work())
    shown = render.hide(rows, hidden)
    text: Renderers = {
        Format.table: lambda: render.rows_table(
            rows.columns, shown, render.terminal_width(sys.stdout)),
        Format.csv: lambda: render.rows_csv(rows.columns, shown),
        Format.json: lambda: render.rows_json(rows.columns, shown),
    }
    write_text(text[output_format](), output, force=force)


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise UsageError("A parameter is given as NAME=VALUE.", "Example: -p modalities=CT,RTPLAN")
    return name, value
