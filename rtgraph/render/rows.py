"""Rows as text: table, CSV, JSON and JSON lines; and as Parquet.

Everything that comes from a file passes a funnel of `rtgraph.text` here: terminals get `plain`
text and no markup is parsed, spreadsheets get cells they do not calculate, JSON is plain ASCII.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import TextIO

from rtgraph.errors import UsageError
from rtgraph.graphmodel.tables import Row
from rtgraph.text import csv_cell, one_line

SCHEMA_VERSION = 1
_UNLIMITED = 100_000


def terminal_width(stream: TextIO) -> int | None:
    """Return the width of the terminal behind `stream`; pipes and files have none."""
    if not stream.isatty():
        return None
    from rich.console import Console

    return Console(file=stream).width


def rows_table(columns: Sequence[str], rows: Iterable[Row], width: int | None = None) -> str:
    """Return a table for people.

    Parameters
    ----------
    columns : sequence of str
        In the order of the table.
    rows : iterable of dict
        A column that a row does not have is empty.
    width : int, optional
        Of the terminal: longer values go on in the next line. Without it, each row is one line.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(Text(one_line(column)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(row.get(c))) for c in columns))
    out = io.StringIO()
    console = Console(file=out, width=width or _UNLIMITED, color_system=None, force_terminal=False)
    console.print(table)
    return "".join(f"{row.rstrip()}\n" for row in out.getvalue().split("\n")[:-1])


def rows_csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Return CSV with a header line; lists and maps are JSON."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_cell(c) for c in columns])
    for row in rows:
        writer.writerow([_csv(row.get(c)) for c in columns])
    return out.getvalue()


def rows_json(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Return a JSON object with `schema_version`, `columns` in order, and `rows` as maps."""
    found = [{c: row.get(c) for c in columns} for row in rows]
    return dump({"schema_version": SCHEMA_VERSION, "columns": list(columns), "rows": found})


def rows_jsonl(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Return one JSON object a line; the lines have no version, so that other tools read them."""
    return "".join(
        json.dumps(as_json({c: row.get(c) for c in columns})) + "\n" for row in rows)


def rows_parquet(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Return a Parquet file; maps become JSON texts, since their keys differ from row to row.

    Raises
    ------
    UsageError
        The extra `parquet` is not installed, or a column holds values of several types.
    """
    try:
        from pyarrow import ArrowException, BufferOutputStream, table
        from pyarrow.parquet import write_table
    except ImportError as error:
        raise UsageError("Parquet needs the package pyarrow.",
                         "Install it: pip install 'rtgraph[parquet]'") from error
    found = list(rows)
    try:
        content = table({c: [_cell(row.get(c)) for row in found] for c in columns})
        out = BufferOutputStream()
        write_table(content, out)
    except ArrowException as error:
        raise UsageError("A column holds values of several types, which Parquet cannot.",
                         "Use -f jsonl.") from error
    return bytes(out.getvalue().to_pybytes())


def _cell(value: object) -> object:
    """Return a value for Parquet; a value with a map somewhere in it is a JSON text."""
    inside = value if isinstance(value, list) else [value]
    if any(isinstance(v, Mapping | list) for v in inside):
        return json.dumps(as_json(value), sort_keys=True)
    return value


def _csv(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(as_json(value), sort_keys=True)
    return csv_cell(as_json(value))


def as_json(value: object) -> object:
    """Return a value that JSON can hold; numbers that it cannot hold become text."""
    if isinstance(value, Mapping):
        return {str(k): as_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(v) for v in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if value is None or isinstance(value, str | int) or (
        isinstance(value, float) and math.isfinite(value)
    ):
        return value
    return str(value)


def dump(document: Mapping[str, object]) -> str:
    """Return JSON with sorted keys in ASCII, so that no terminal acts on what a file holds."""
    return json.dumps(as_json(document), sort_keys=True, indent=2) + "\n"
