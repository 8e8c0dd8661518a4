"""The funnels for DICOM text: each sink has one.

Text from a file may hold escape sequences, markup, formulas and lone surrogates. `plain` is for
terminals and logs, `csv_cell` for CSV, `xml_text` for SVG and GraphML, `dot_text` for Graphviz;
HTML goes through the autoescaping templates of `viz`, `json_for_script` is for data inside a page.
"""

import json
import re
from collections.abc import Mapping
from datetime import date, time
from unicodedata import normalize
from xml.sax.saxutils import escape

_LINES = (0x09, 0x0A)
_CALCULATED = ("=", "+", "-", "@", "\t", "\n")  # with which a formula may begin
_CONTROL = dict.fromkeys(
    c for span in (range(0x20), range(0x7F, 0xA0), range(0x202A, 0x202F), range(0x2066, 0x206A))
    for c in span if c not in _LINES
)


def plain(value: object) -> str:
    """Return `value` as text without control characters, direction overrides and surrogates."""
    return str(value).translate(_CONTROL).encode("utf-8", "replace").decode("utf-8")


def one_line(value: object) -> str:
    """Return a value as one line of safe text; maps as `key: value`, without absent values."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        present = {str(k): v for k, v in value.items() if v is not None and v != []}
        return ", ".join(f"{one_line(k)}: {_part(v)}" for k, v in sorted(present.items()))
    if isinstance(value, list | tuple):
        return ", ".join(_part(v) for v in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return value.isoformat()
    return " ".join(plain(value).replace("\t", " ").splitlines())


def _part(value: object) -> str:
    """Return a value inside a list or map; maps get brackets."""
    return f"({one_line(value)})" if isinstance(value, Mapping) else one_line(value)


def csv_cell(value: object) -> object:
    """Return `value` for a CSV cell; text that a spreadsheet would calculate gets an apostrophe."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = plain(value)
    return f"'{text}" if text[:1] in _CALCULATED else text


def of_csv_cell(cell: str) -> str:
    """Return the text that `csv_cell` has made a cell of."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _CALCULATED else cell


def file_name(text: str) -> str:
    """Return `text` as it may stand in the name of a file on any system; maybe nothing is left.

    Letters, digits, dot, hyphen and underscore stay, all else becomes an underscore; without
    case, at most 64 characters, no dots at the end.
    """
    kept = re.sub(r"[^\w.-]", "_", normalize("NFC", text)).casefold()
    return kept.rstrip(".")[:64].rstrip(".")


def json_for_script(value: object) -> str:
    """Return JSON that can stand in a `<script type="application/json">` block.

    NaN and infinity, which browsers do not read, are a ValueError.
    """
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"),
                      allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def xml_text(value: object) -> str:
    """Return `value` as text of an XML element or attribute, without what XML cannot hold."""
    text = plain(value).translate(dict.fromkeys((0xFFFE, 0xFFFF)))
    return escape(text, {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def dot_text(value: object) -> str:
    """Return `value` as a quoted string of the DOT language, where a backslash means something."""
    text = plain(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
