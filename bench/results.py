"""Results of the benchmarks: one JSON line a measurement, and the page that is made of them.

    python -m bench.results --write

`results.jsonl` grows; `results.md` shows the newest line of each measurement.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from rtgraph import __version__
from rtgraph.store.jars import neo4j_version

FOLDER = Path(__file__).parent
LINES = FOLDER / "results.jsonl"
PAGE = FOLDER / "results.md"
_HEAD = """\
# Results of the benchmarks

Made by `python -m bench.results --write` from `results.jsonl`; how to measure again is in
[benchmarks](../docs/benchmarks.md). Each table is the newest measurement of its kind.
"""
Row = Mapping[str, Any]


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    return {
        "processor": _processor(), "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(), "rtgraph": __version__,
        "pydicom": version("pydicom"), "Neo4j": f"Community {neo4j_version()}",
        "driver": version("neo4j"),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines()
             if line.startswith("model name")]
    return names[0] if names else platform.machine()


def keep(kind: str, title: str, rows: Sequence[Row], notes: Sequence[str] = (),
         lines: Path = LINES) -> None:
    """Append a measurement; `kind` is what the next one of it replaces on the page."""
    made = {"kind": kind, "title": title, "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            "machine": machine(), "rows": list(rows), "notes": list(notes)}
    with lines.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(made) + "\n")


def measured(lines: Path = LINES) -> list[dict[str, Any]]:
    """Return what was kept, oldest first."""
    text = lines.read_text(encoding="utf-8") if lines.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def newest(kind: str, lines: Path = LINES) -> list[Row]:
    """Return the rows of the newest measurement of a kind; none when there is none."""
    rows: list[Row] = next((m["rows"] for m in reversed(measured(lines)) if m["kind"] == kind), [])
    return rows


def page(kept: Sequence[Mapping[str, Any]]) -> str:
    """Return the page: the newest measurement of each kind, in order of kind."""
    last = {m["kind"]: m for m in kept}
    parts = [_HEAD] if last else [_HEAD, "Nothing has been measured yet.\n"]
    for kind in sorted(last):
        m = last[kind]
        on = " · ".join(f"{name} {value}" for name, value in m["machine"].items())
        parts += [f"## {m['title']}\n", f"{m['date']} · {on}\n", table(m["rows"])]
        parts += [f"- {note}" for note in m["notes"]]
        parts += [""] if m["notes"] else []
    return "\n".join(parts)


def table(rows: Sequence[Row]) -> str:
    """Return rows as a table of Markdown; the columns are those of the first row."""
    if not rows:
        return ""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(columns) + " |",
             "| --- |" + " ---: |" * (len(columns) - 1)]
    lines += ["| " + " | ".join(_text(row.get(c)) for c in columns) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def show(title: str, rows: Sequence[Row]) -> None:
    """Print a table on the terminal, its columns aligned."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [columns, *([_text(row.get(c)) for c in columns] for row in rows)]
    widths = [max(len(r[i]) for r in cells) for i in range(len(columns))]
    print(f"\n{title}")
    for r in cells:
        print("  ".join(c.rjust(w) if i else c.ljust(w)
                        for i, (c, w) in enumerate(zip(r, widths, strict=True))))
    sys.stdout.flush()


def main() -> None:
    """Write the page, or print it."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.results")
    parser.add_argument("--write", action="store_true", help="write results.md")
    parser.add_argument("--lines", type=Path, default=LINES)
    given = parser.parse_args()
    made = page(measured(given.lines))
    if given.write:
        PAGE.write_text(made, encoding="utf-8")
    else:
        print(made)


if __name__ == "__main__":
    main()
