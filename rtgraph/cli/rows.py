"""Rows on stdout or in a file, in the format that was asked for."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rtgraph.cli.app import write_bytes, write_text
from rtgraph.cli.options import Format
from rtgraph.errors import UsageError


def write_rows(
    columns: Sequence[str], rows: Sequence[dict[str, Any]], chosen: Format, output: Path | None,
    *, force: bool = False,
) -> None:
    """Write rows; a table fits the terminal, the other formats are for programs."""
    from rtgraph import render

    if chosen is Format.parquet:
        if output is None:
            raise UsageError("Parquet is no text.", "Name a file with -o.")
        write_bytes(render.rows_parquet(columns, rows), output, force=force)
        return
    width = render.terminal_width(sys.stdout) if output is None else None
    texts: dict[Format, Callable[[], str]] = {
        Format.table: lambda: render.rows_table(columns, rows, width),
        Format.csv: lambda: render.rows_csv(columns, rows),
        Format.json: lambda: render.rows_json(columns, rows),
        Format.jsonl: lambda: render.rows_jsonl(columns, rows),
    }
    write_text(texts[chosen](), output, force=force)
