"""The funnels: hostile text on its way to a terminal, a CSV file and a page."""

import csv
import io
import json
import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtgraph.text import csv_cell, json_for_script, of_csv_cell, plain

SEEDED = settings(max_examples=200, deadline=None, derandomize=True, database=None)
ANY_TEXT = st.text(st.characters(), max_size=40) | st.text(
    "=+-@\t\n\r\0<>&/'\"\u202e,;", max_size=12)

PLAIN = [
    # name               value                        as it is shown
    ("words",            "Doe^Jane",                  "Doe^Jane"),
    ("accents",          "M\u00fcller \u5c71\u7530",  "M\u00fcller \u5c71\u7530"),
    ("colour",           "\x1b[31mred\x1b[0m",        "[31mred[0m"),
    ("window title",     "\x1b]0;title\x07x",         "]0;titlex"),
    ("one byte escape",  "\x9b31mred",                "31mred"),
    ("back and delete",  "ab\x08\x7fc",               "abc"),
    ("return",           "good\rbad",                 "goodbad"),
    ("lines and tabs",   "a\n\tb",                    "a\n\tb"),
    ("NUL",              "a\0b",                      "ab"),
    ("override",         "txt.\u202egpj",             "txt.gpj"),
    ("isolate",          "\u2066a\u2069\u2067b",      "ab"),
    ("lone surrogate",   "a\udcffb",                  "a?b"),
    ("pair of sign",     "\U0001f600",                "\U0001f600"),
    ("number",           1.5,                         "1.5"),
    ("nothing",          None,                        "None"),
    ("bytes",            b"\x1b",                     "b'\\x1b'"),
]


@pytest.mark.parametrize(("value", "shown"), [c[1:] for c in PLAIN], ids=[c[0] for c in PLAIN])
def test_plain(value: object, shown: str) -> None:
    assert plain(value) == shown


@SEEDED
@given(ANY_TEXT)
def test_plain_text_has_no_control_characters(text: str) -> None:
    shown = plain(text)
    assert not {unicodedata.category(c) for c in shown if c not in "\t\n"} & {"Cc", "Cs"}
    assert not {unicodedata.bidirectional(c) for c in shown} & {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert plain(shown) == shown
    shown.encode("utf-8")


CELLS = [
    # name               value                 cell
    ("words",            "CT pelvis",          "CT pelvis"),
    ("formula",          "=1+1",               "'=1+1"),
    ("plus",             "+1",                 "'+1"),
    ("minus",            "-cmd",               "'-cmd"),
    ("at",               "@SUM(A1)",           "'@SUM(A1)"),
    ("tab",              "\t=1",               "'\t=1"),
    ("line",             "\n=1",               "'\n=1"),
    ("hidden by NUL",    "\0=1",               "'=1"),
    ("hidden by return", "\r=1",               "'=1"),
    ("hidden by sign",   "\u202e=1",           "'=1"),
    ("inside",           "a=1",                "a=1"),
    ("escape",           "\x1b[31m",           "[31m"),
    ("negative number",  -1.5,                 -1.5),
    ("whole number",     -3,                   -3),
    ("truth",            True,                 True),
    ("nothing",          None,                 None),
    ("date",             date(2024, 1, 31),    "2024-01-31"),
    ("list",             ["=1"],               "['=1']"),
    ("empty",            "",                   ""),
]


@pytest.mark.parametrize(("value", "cell"), [c[1:] for c in CELLS], ids=[c[0] for c in CELLS])
def test_csv_cell(value: object, cell: object) -> None:
    found = csv_cell(value)
    assert found == cell
    assert type(found) is type(cell)
    if isinstance(value, str):
        assert of_csv_cell(str(found)) == plain(value)


@SEEDED
@given(st.lists(ANY_TEXT, min_size=1, max_size=4))
def test_cells_survive_a_csv_file(texts: list[str]) -> None:
    """No cell is a formula, and what was harmless comes back as it was."""
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow([csv_cell(t) for t in texts])
    (row,) = csv.reader(io.StringIO(stream.getvalue(), newline=""), strict=True) or [[""]]
    assert not [cell for cell in row if cell[:1] in set("=+-@\t\r\n")]
    assert [cell.removeprefix("'") for cell in row] == [plain(t).removeprefix("'") for t in texts]


SCRIPTS = [
    # name               value                          text of the script
    ("end of script",    "</script><b>",                '"\\u003c/script\\u003e\\u003cb\\u003e"'),
    ("comment",          "<!--",                        '"\\u003c!--"'),
    ("entity",           "a&amp;b",                     '"a\\u0026amp;b"'),
    ("line separator",   "\u2028",                      '"\\u2028"'),
    ("quotes",           "\"'",                         '"\\"\'"'),
    ("sorted keys",      {"b": 1, "a": [True, None]},   '{"a":[true,null],"b":1}'),
]


@pytest.mark.parametrize(("value", "text"), [c[1:] for c in SCRIPTS], ids=[c[0] for c in SCRIPTS])
def test_json_for_script(value: object, text: str) -> None:
    assert json_for_script(value) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12)


@SEEDED
@given(JSON)
def test_json_comes_back_as_it_was(value: object) -> None:
    text = json_for_script(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert text.isprintable()


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": -float("inf")}])
def test_numbers_that_browsers_do_not_read_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_for_script(value)
