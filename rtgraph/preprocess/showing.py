"""Differences as text, JSON and HTML; values that may identify a patient are hidden by default."""

import json
from collections.abc import Sequence
from html import escape

from rtgraph.graphmodel.tables import HIDDEN
from rtgraph.preprocess.differences import Difference
from rtgraph.text import plain


def _values(d: Difference, identifiers: bool) -> tuple[str, str]:
    if d.identifying and not identifiers:
        return (HIDDEN if d.a else ""), (HIDDEN if d.b else "")
    return plain(d.a), plain(d.b)


def as_text(found: Sequence[Difference], identifiers: bool) -> str:
    """Return a line for each difference."""
    signs = {"CHANGED": "~", "ONLY_A": "-", "ONLY_B": "+"}
    lines = []
    for d in found:
        a, b = _values(d, identifiers)
        values = {"CHANGED": f"{a} -> {b}", "ONLY_A": a, "ONLY_B": b}[d.kind]
        note = f" ({d.note})" if d.note else ""
        lines.append(f"{signs[d.kind]} {plain(d.path)}: {values}{note}")
    return "".join(f"{line}\n" for line in lines) or "no difference\n"


def as_json(found: Sequence[Difference], identifiers: bool) -> str:
    """Return differences as JSON."""
    rows = []
    for d in found:
        a, b = _values(d, identifiers)
        rows.append({"path": plain(d.path), "kind": d.kind, "a": a, "b": b, "note": d.note})
    return json.dumps({"schema_version": 1, "differences": rows}, indent=1, sort_keys=True) + "\n"


def as_html(found: Sequence[Difference], identifiers: bool) -> str:
    """Return differences as a page that needs no network; every value is escaped."""
    rows = []
    for d in found:
        cells = (d.path, d.kind, *_values(d, identifiers), d.note)
        rows.append("<tr>" + "".join(f"<td>{escape(plain(c))}</td>" for c in cells) + "</tr>\n")
    return (
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'\">\n<title>Differences</title>\n<style>\n"
        "body { font-family: sans-serif } td, th { text-align: left; padding: 0.2em 0.8em }\n"
        "tr:nth-child(even) { background: #f0f0f0 }\n</style>\n</head>\n<body>\n"
        f"<h1>{len(found)} differences</h1>\n<table>\n"
        "<tr><th>where</th><th>what</th><th>A</th><th>B</th><th>note</th></tr>\n"
        f"{''.join(rows)}</table>\n</body>\n</html>\n")
