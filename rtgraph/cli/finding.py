"""Commands that look for things without Cypher: find, show."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtgraph.cli.app import app, look, may_write, say, settings_of, target_of
from rtgraph.cli.options import (
    AsReport,
    AsRows,
    Columns,
    Conditions,
    Data,
    Force,
    Format,
    Identifiers,
    Jobs,
    Level,
    Output,
    ReportFormat,
    Uri,
    Without,
)
from rtgraph.cli.rows import write_rows
from rtgraph.errors import UsageError

if TYPE_CHECKING:
    from rtgraph.cypher.shown import Shown
    from rtgraph.graphmodel.tables import Row


@app.command()
def find(
    conditions: Conditions = None,
    level: Level = "series",
    without: Without = None,
    columns: Columns = None,
    where_file: Annotated[list[str] | None, typer.Option(
        "--where-file", help="Condition on what only the files hold; may be repeated.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Open all files of the graph.")] = False,
    jobs: Jobs = None,
    uri: Uri = None, data: Data = None,
    output_format: AsRows = Format.table,
    output: Output = None, force: Force = False, identifiers: Identifiers = False,
) -> None:
    """Find patients, studies, series or objects by conditions on their attributes.

    Example: rtgraph find --level series 'Modality=RT*' StudyDate=2024..2025 'ROIName~/ptv/i'
    """
    import asyncio

    from rtgraph.cypher.find import search
    from rtgraph.graphmodel.tables import IDENTIFYING, hide

    may_write(output, force)
    asked = search(level, conditions or (), without or (), columns=columns or ())
    if where_file and not (conditions or without or yes):
        raise UsageError("Without another condition every file of the graph is opened.",
                         "Narrow it down, as with Modality=RTPLAN, or add --yes.")
    settings = settings_of(uri, data, jobs=jobs)
    target = target_of(settings)

    async def work() -> list["Row"]:
        from rtgraph.search import find_rows

        async with target.store() as store:
            return await find_rows(
                store, level, conditions or (), without or (), columns=columns or (),
                where_file=where_file or (), roots=settings.real_roots(),
                jobs=settings.n_jobs, report=say)

    rows = asyncio.run(work())
    hidden = () if identifiers else IDENTIFYING
    write_rows(list(asked.columns), hide(rows, hidden), output_format, output, force=force)


@app.command()
def show(
    uid: Annotated[str, typer.Argument(help="UID of an object, a series or a study.")],
    uri: Uri = None, data: Data = None,
    output_format: AsReport = ReportFormat.table, identifiers: Identifiers = False,
) -> None:
    """Show one object: what it refers to, who refers to it, in which role, and its file.

    Example: rtgraph show 1.2.840.99.7
    """
    import asyncio

    from rtgraph.cypher.shown import show as shown_of
    from rtgraph.render.rows import dump

    target = target_of(settings_of(uri, data))

    async def work() -> "Shown":
        async with target.store() as store:
            await look(store)
            return await shown_of(store, uid.strip(), identifiers=identifiers)

    shown = asyncio.run(work())
    if output_format is ReportFormat.json:
        typer.echo(dump({
            "schema_version": 1, **shown.head, "properties": shown.properties, "file": shown.file,
            "refers_to": shown.refers_to, "referred_by": shown.referred_by,
            "issues": shown.issues}), nl=False)
        return
    typer.echo("\n".join(_lines(shown)))


def _lines(shown: "Shown") -> list[str]:
    from rtgraph.text import one_line

    head = shown.head
    title = [head["kind"], head["uid"], head["label"], "missing" if head["missing"] else ""]
    lines = [" ".join(one_line(word) for word in title if word)]
    told: dict[str, object] = {
        "patient": head["patients"], "study": head["study"], "series": head["series"],
        "frame": head["frames"], "file": _file(shown.file)}
    lines += [f"  {name:<9} {one_line(value)}" for name, value in told.items() if value]
    for name, rows in (("refers to", shown.refers_to), ("referred to by", shown.referred_by)):
        lines.append(f"{name}{'' if rows else ': nothing'}")
        lines += [_reference(r) for r in rows]
    lines += ["issues"] * bool(shown.issues)
    lines += [f"  {r['rule']} {r['severity'].lower()} {r['status'].lower()} "
              f"{one_line(r['target'])}".rstrip() for r in shown.issues]
    return lines


def _reference(row: dict[str, Any]) -> str:
    from rtgraph.text import one_line

    count = f"{row['n']:,} objects" if (row["n"] or 0) > 1 else ""
    missing = "MISSING" if row["n_missing"] == (row["n"] or 1) else (
        f"{row['n_missing']:,} missing" if row["n_missing"] else "")
    words = [row["kind"], row["other"] or "in no series", row["label"], count, missing]
    text = f"  {row['role']:<22} " + " ".join(one_line(w) for w in words if w)
    where = " · ".join(w for w in (row["path"], row["defined_in"]) if w)
    return f"{text}\n  {'':<22} {where}" if where else text


def _file(file: dict[str, Any]) -> str:
    if not file:
        return ""
    when = datetime.fromtimestamp((file["mtime_ns"] or 0) / 1e9, UTC)
    words = [f"{file['size'] or 0:,} bytes", f"changed {when:%Y-%m-%dT%H:%M:%SZ}",
             file.get("path", "")]
    return ", ".join(w for w in words if w)
