"""Commands about saved cohorts: cohort save, list, show, diff, export, delete."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from rtgraph.cli.app import app, look, may_write, say, settings_of, target_of
from rtgraph.cli.completing import cohort_names, query_names, remember_cohorts
from rtgraph.cli.options import (
    AsReport,
    AsRows,
    Data,
    Force,
    Format,
    Level,
    Output,
    ReportFormat,
    Uri,
    Without,
)
from rtgraph.cli.querying import Parameters, read_parameters
from rtgraph.cli.rows import write_rows
from rtgraph.errors import UsageError

if TYPE_CHECKING:
    from rtgraph.cypher.cohorts import Source
    from rtgraph.store.bolt import Store
    from rtgraph.store.target import Target

T = TypeVar("T")
cohorts_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                          help="Saved cohorts: members frozen with their question.")
app.add_typer(cohorts_app, name="cohort")
Name = Annotated[str, typer.Argument(
    help="Name of the cohort.", autocompletion=cohort_names)]


def _run(target: "Target", work: Callable[["Store"], Awaitable[T]], *, writes: bool = False) -> T:
    """Do the work with the graph, after looking whether it is one that can be read."""
    import asyncio

    from rtgraph.cypher.cohorts import cohorts
    from rtgraph.graphmodel.schema import schema

    async def whole() -> T:
        async with target.store() as store:
            await look(store)
            if writes:
                await store.prepare(schema())
            done = await work(store)
            remember_cohorts(target, [str(r["name"]) for r in await cohorts(store)])
            return done

    return asyncio.run(whole())


@cohorts_app.command("save")
def cohort_save(
    name: Name,
    query: Annotated[str | None, typer.Option(
        help="Named query whose rows are members.", autocompletion=query_names)] = None,
    parameters: Parameters = None,
    column: Annotated[str | None, typer.Option(
        help="Column of the query that names the members.")] = None,
    find: Annotated[list[str] | None, typer.Option(
        "--find", help="Condition as for find, in the place of a query; may be repeated.")] = None,
    level: Level = "patient",
    without: Without = None,
    uri: Uri = None, data: Data = None, force: Force = False,
) -> None:
    """Save the members of a named query, or of conditions, under a name.

    Example: rtgraph cohort save prostate --query plans-by-technique -p techniques=VMAT
    """
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher import cohorts

    source = _source(query, read_parameters(parameters), column, find, level, without)
    found = _run(target_of(settings_of(uri, data), writes=True), lambda store: cohorts.save(
        store, name, source, folder=OWN_QUERIES, overwrite=force), writes=True)
    say(f"{name}: {len(found.keys):,} members of level {found.level.lower()}, "
        f"digest {found.digest}")


def _source(
    query: str | None, parameters: dict[str, str], column: str | None, find: list[str] | None,
    level: str, without: list[str] | None,
) -> "Source":
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher import library
    from rtgraph.cypher.cohorts import Source, find_source

    if (query is None) == (not find and not without):
        raise UsageError("A cohort is defined by a query or by conditions.",
                         "Give --query NAME, or --find CONDITION.")
    if query is None:
        return find_source(level, find or (), without or ())
    library.bind(library.query(query, OWN_QUERIES), parameters)
    return Source(query, parameters, column)


@cohorts_app.command("list")
def cohort_list(uri: Uri = None, data: Data = None, output_format: AsRows = Format.table) -> None:
    """List the saved cohorts.

    Example: rtgraph cohort list
    """
    from rtgraph.cypher import cohorts

    rows = _run(target_of(settings_of(uri, data)), cohorts.cohorts)
    write_rows(["name", "level", "n_members", "query", "created"], rows, output_format, None)


@cohorts_app.command("show")
def cohort_show(
    name: Name, uri: Uri = None, data: Data = None, output_format: AsReport = ReportFormat.table,
) -> None:
    """Show how a cohort was made: question, parameters, date, digest, state of the graph.

    Example: rtgraph cohort show prostate
    """
    from rtgraph.cypher import cohorts
    from rtgraph.render.rows import dump
    from rtgraph.text import one_line

    found = _run(target_of(settings_of(uri, data)), lambda store: cohorts.cohort(store, name))
    told = _without_identifiers(found)
    if output_format is ReportFormat.json:
        typer.echo(dump({"schema_version": 1, **told}), nl=False)
        return
    for key, value in told.items():
        typer.echo(f"{key.replace('_', ' '):<14} {one_line(value)}")


def _without_identifiers(cohort: dict[str, Any]) -> dict[str, Any]:
    """Hide the conditions of a cohort that name an identifying attribute."""
    import json

    from rtgraph.graphmodel.tables import HIDDEN, IDENTIFYING

    kept = json.loads(cohort["parameters"])
    for name in ("conditions", "without"):
        conditions = kept["parameters"].get(name)
        if isinstance(conditions, list):
            kept["parameters"][name] = [
                HIDDEN if any(word in c for word in IDENTIFYING) else c for c in conditions]
    return cohort | {"parameters": json.dumps(kept, sort_keys=True)}


@cohorts_app.command("diff")
def cohort_diff(name: Name, uri: Uri = None, data: Data = None,
                output_format: AsRows = Format.table) -> None:
    """Ask the question of a cohort again, and tell who entered and who left.

    Example: rtgraph cohort diff prostate
    """
    from rtgraph.api import OWN_QUERIES
    from rtgraph.cypher import cohorts

    found = _run(target_of(settings_of(uri, data)),
                 lambda store: cohorts.changes(store, name, OWN_QUERIES))
    rows = [{"change": change, "key": key} for change, keys in (
        ("entered", found.entered), ("left", found.left)) for key in keys]
    write_rows(["change", "key"], rows, output_format, None)
    say(f"{len(found.entered):,} entered, {len(found.left):,} left, {found.unchanged:,} unchanged"
        + (f", {found.n_gone:,} no longer in the graph" if found.n_gone else ""))


@cohorts_app.command("export")
def cohort_export(
    name: Name, uri: Uri = None, data: Data = None, output_format: AsRows = Format.csv,
    output: Output = None, force: Force = False,
) -> None:
    """Write the members of a cohort.

    Example: rtgraph cohort export prostate -f csv -o prostate.csv
    """
    from rtgraph.cypher import cohorts
    from rtgraph.cypher.library import query

    may_write(output, force)
    rows = _run(target_of(settings_of(uri, data)), lambda store: cohorts.frozen(store, name))
    write_rows(list(query("cohort-members").returns), rows, output_format, output, force=force)


@cohorts_app.command("delete")
def cohort_delete(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    uri: Uri = None, data: Data = None,
) -> None:
    """Delete a saved cohort; its members stay in the graph.

    Example: rtgraph cohort delete prostate --yes
    """
    from rtgraph.cypher import cohorts

    if not yes:
        raise UsageError("The frozen members of a cohort cannot be had again.", "Add --yes.")
    _run(target_of(settings_of(uri, data), writes=True), lambda store: cohorts.drop(store, name),
         writes=True)
    say("The cohort is deleted.")
