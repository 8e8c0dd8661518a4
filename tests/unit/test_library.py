"""The Cypher files state what they are; the library finds, chooses and binds them."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from rtgraph.cypher.header import parse_check, parse_query
from rtgraph.cypher.library import (
    BrokenFile,
    Query,
    bind,
    check,
    checks,
    load_all,
    load_queries,
    lookup,
    protocol_checks,
    queries,
    query,
    select,
    table,
)
from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.families import FAMILIES as OBJECTS
from rtgraph.graphmodel.families import FAMILY_LABELS, family
from rtgraph.graphmodel.modalities import SERIES_TYPES
from rtgraph.graphmodel.nodes import NODE_TYPES
from rtgraph.graphmodel.references import references, roles
from rtgraph.graphmodel.relationships import RELATIONSHIP_TYPES
from rtgraph.graphmodel.tables import TABLES

FOLDER = Path(__file__).parents[2] / "rtgraph" / "cypher"
FILES = {p.relative_to(FOLDER).as_posix(): p for p in sorted(FOLDER.glob("*/*.cypher"))}
# How many checks of each family there are, and how many of each level and tier.
FAMILIES = {
    "CHN": 4, "DEI": 4, "DOS": 16, "FOR": 10, "GEO": 8, "HIE": 9, "IMG": 10, "PLN": 15, "REC": 8,
    "REF": 9, "REG": 6, "RT2": 2, "SEG": 2, "SR": 1, "STR": 11, "VAL": 4,
}
LEVELS = {"header": 105, "geometry": 11, "pixel": 3}
N_CORE = 46
CHECK_IDS = {f"{family}-{n:02}" for family, size in FAMILIES.items()
             for n in range(1, size + (2 if family == "DEI" else 1))} - {"DEI-02"}
LOOKUPS = [name.removeprefix("lookups/").removesuffix(".cypher")
           for name in FILES if name.startswith("lookups/")]
CHECK_ORDER = [
    "id", "severity", "confidence", "level", "tier", "view", "returns", "identity", "population",
    "identifying", "fix", "source", "why", "not",
]
# Image classes of one family whose Modality differs by class.
PROJECTIONS = ("1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.20")
QUERY_ORDER = ["view", "returns", "identifying"]


def is_check(file: str) -> bool:
    return file.startswith(("checks/", "protocol/"))


def header(file: str) -> list[str]:
    return [x for x in FILES[file].read_text("utf-8").split("\n") if x.startswith("//")]


def statement(file: str) -> str:
    lines = FILES[file].read_text("utf-8").split("\n")
    return "\n".join(x for x in lines if not x.startswith("//"))


@pytest.mark.parametrize("file", FILES)
def test_header_is_complete_and_in_order(file: str) -> None:
    title, *lines = header(file)
    names = [x.removeprefix("// ").partition(":")[0] for x in lines]
    params = [n for n in names if n.startswith("param ")]
    expected = CHECK_ORDER if is_check(file) else QUERY_ORDER + params
    assert names == expected + (["try"] if "$" in statement(file) else [])
    assert title.startswith("// ")
    assert all(x.startswith("// ") and x.partition(":")[2].strip() for x in lines)


@pytest.mark.parametrize("file", FILES)
def test_file_pastes_into_browser(file: str) -> None:
    text = FILES[file].read_text("utf-8")
    assert not set("&#\t\r") & set(text)
    assert text.isascii()
    assert text.endswith(";\n")
    assert statement(file).count(";") == 1


@pytest.mark.parametrize("file", FILES)
def test_rows_have_a_total_order(file: str) -> None:
    order = statement(file).rstrip().rpartition("ORDER BY ")[2]
    if is_check(file):
        assert order == "patient_key, subject, target;"
    else:
        assert re.fullmatch(r"[\w., ()]+;", order)


@pytest.mark.parametrize("file", FILES)
def test_names_are_those_of_the_graph_model(file: str) -> None:
    text = FILES[file].read_text("utf-8")
    labels = {n.label for n in NODE_TYPES} | set(FAMILY_LABELS) | {"Missing", "Schema"}
    labels |= {t.label for t in SERIES_TYPES}
    types = re.findall(r"\[\w*:([A-Z_|]+)", text)
    assert {x for t in types for x in t.split("|")} <= {r.name for r in RELATIONSHIP_TYPES}
    nodes = re.sub(r"\[\w*:[A-Z_|]+", "", text)
    used = re.findall(r"(?:\(\w*|\b[a-z]):([A-Z]\w*(?:\|\w+)*)", nodes)
    assert {x for name in used for x in name.split("|")} <= labels
    known = {r.role for r in roles()} | {r.role for r in references()}
    stated = set(re.findall(r"role: '(\w+)'", text))
    for group in re.findall(r"\.role IN \[([^\]]+)\]", text):
        stated |= set(re.findall(r"'(\w+)'", group))
    assert stated <= known


@pytest.mark.parametrize("check_id", sorted(CHECK_IDS))
def test_properties_are_those_of_the_graph_model(check_id: str) -> None:
    c = check(check_id)
    known = {p.name for n in NODE_TYPES for p in n.properties}
    known |= {p.name for f in OBJECTS for p in f.properties}
    known |= {p.name for r in RELATIONSHIP_TYPES for p in r.properties}
    for text in (c.statement, c.population):
        plain = re.sub(r"'[^']*'", "''", text)
        own = set(re.findall(r"[{,] ?(\w+): ", plain)) | {"inSeconds", "seconds"}
        own |= {"names", "severity"} if c.params else set()  # keys of a protocol
        used = set(re.findall(r"\b[a-z]\w*(?:\[\d\])?\.([A-Za-z_]\w*)", plain))
        in_patterns = {k for block in re.findall(r":\w+ \{([^}]*)\}", plain)
                       for k in re.findall(r"(\w+):", block)}
        assert used - known - own == set()
        assert in_patterns - known == set()


def test_every_file_loads_under_its_name() -> None:
    assert {c.id for c in checks()} == CHECK_IDS
    assert Counter(c.level for c in checks()) == LEVELS
    assert Counter(c.tier for c in checks()) == {1: N_CORE, 2: len(CHECK_IDS) - N_CORE}
    assert [c.id for c in protocol_checks()] == ["PRT-01"]
    assert {f"checks/{c.id}.cypher" for c in checks()} | {
        f"queries/{q.name}.cypher" for q in queries()
    } | {f"tables/{name}.cypher" for name in TABLES} | {
        f"lookups/{name}.cypher" for name in LOOKUPS} | {"protocol/PRT-01.cypher"} == set(FILES)
    assert [lookup(name).name for name in LOOKUPS] == LOOKUPS


@pytest.mark.parametrize("name", TABLES)
def test_tables_return_the_declared_columns(name: str) -> None:
    assert table(name).returns == TABLES[name]
    assert bind(table(name), {}) == {"patient": None}


def test_identity_names_columns_and_keys_of_detail() -> None:
    for c in checks():
        for name in c.identity:
            assert name in c.returns or re.search(rf"[{{ ]{name}: ", c.statement), (c.id, name)
        assert "subject" in c.identity


def test_the_columns_of_a_check_hold_a_severity_where_it_varies() -> None:
    for c in checks():
        assert ("severity" in c.returns) == (" AS severity" in c.statement), c.id


def test_the_modalities_of_a_check_are_those_of_the_families() -> None:
    rows = re.findall(r"\{classes: \[(.*?)\], modalities: \['(\w+)'\]\}", check("HIE-05").statement)
    stated = {uid: modality for classes, modality in rows
              for uid in re.findall(r"'([\d.]+)'", classes)}
    assert len(stated) > 40
    assert {uid: family(uid).modality for uid in stated if uid not in PROJECTIONS} == {
        uid: modality for uid, modality in stated.items() if uid not in PROJECTIONS}
    assert set(PROJECTIONS) <= set(stated)


def test_detail_keys_that_identify_are_keys_of_the_statement() -> None:
    for c in checks():
        assert all(re.search(rf"[{{ ]{key}: ", c.statement) for key in c.identifying), c.id
    assert check("HIE-03").identifying == ("first", "others")


def test_a_parameter_of_the_header_is_one_of_the_statement() -> None:
    for q in [*queries(), *map(table, TABLES), *map(lookup, LOOKUPS)]:
        assert set(re.findall(r"\$(\w+)", q.statement)) == {p.name for p in q.params}, q.name
        assert set(q.identifying) <= set(q.returns)
    assert {c.id: c.params for c in checks() if c.params} == {
        "STR-10": {"protocol"}, "DEI-01": {"profile"}}
    assert all("$" not in c.population for c in checks())


CHECK = FILES["checks/FOR-01.cypher"].read_text("utf-8")
QUERY = FILES["queries/patients-by-modality.cypher"].read_text("utf-8")
BROKEN = [
    # name               parser  replaced                   by                       problem
    ("no title",         "check", "// A structure", "//\n// A structure", "no title"),
    ("line missing",     "check", "// tier: 1\n", "", "`tier` is missing"),
    ("line unknown",     "check", "// tier: 1\n", "// tier: 1\n// colour: red\n", "`colour` is un"),
    ("line empty",       "check", "// tier: 1\n", "// tier:\n", "`tier` is empty"),
    ("order",            "check", "// tier: 1\n// view: table\n", "// view: table\n// tier: 1\n",
     "in the order id, severity"),
    ("word",             "check", "severity: error", "severity: bad", "info, warning, error"),
    ("number",           "check", "tier: 1", "tier: one", "`tier` is no number"),
    ("other id",         "check", "id: FOR-01", "id: FOR-02", "not the name of the file"),
    ("columns",          "check", "returns: patient_key, ", "returns: ", "a check returns"),
    ("no semicolon",     "check", "target;", "target", "semicolon"),
    ("view",             "query", "view: table", "view: list", "table, graph"),
    ("form of param",    "query", "param modalities: list of string", "param modalities", "is not"),
    ("type of param",    "query", "list of string", "number", "is not `param name"),
    ("param twice",      "query", "// try", "// param modalities: date\n// try", "stands twice"),
    ("param before",     "query", "// view: table\n", "// param a: date\n// view: table\n",
     "in the order view"),
]


@pytest.mark.parametrize(
    ("kind", "old", "new", "problem"), [c[1:] for c in BROKEN], ids=[c[0] for c in BROKEN]
)
def test_broken_header_names_file_and_line(kind: str, old: str, new: str, problem: str) -> None:
    name, text = ("FOR-01", CHECK) if kind == "check" else ("patients-by-modality", QUERY)
    assert old in text
    parse = parse_check if kind == "check" else parse_query
    with pytest.raises(BrokenFile) as raised:
        parse(name, text.replace(old, new, 1))
    assert str(raised.value).startswith(f"{name}.cypher: ")
    assert problem in str(raised.value)
    assert raised.value.exit_code == 2


def test_own_queries_join_and_broken_ones_do_not_hide_them(tmp_path: Path) -> None:
    (tmp_path / "mine.cypher").write_text(QUERY, "utf-8")
    (tmp_path / "patient-graph.cypher").write_text(QUERY, "utf-8")
    (tmp_path / "broken.cypher").write_text("MATCH (n) RETURN n", "utf-8")
    (tmp_path / "latin.cypher").write_bytes(b"// \xe4\n")
    (tmp_path / "notes.txt").write_text("no query", "utf-8")
    loaded = load_queries(tmp_path)
    names = [q.name for q in loaded.files]
    assert names == sorted({*(q.name for q in queries()), "mine"})
    assert [p.name for p in loaded.problems] == ["broken", "latin"]
    assert query("patient-graph", tmp_path).title == query("mine", tmp_path).title
    with pytest.raises(BrokenFile):
        query("broken", tmp_path)
    assert query("complete-chains", tmp_path) in queries()


def test_a_folder_that_does_not_exist_holds_nothing(tmp_path: Path) -> None:
    assert load_all(tmp_path / "queries", parse_query).files == []


@pytest.mark.parametrize(
    ("find", "given", "close"),
    [(check, "REF-1", "REF-01"), (query, "complete-chain", "complete-chains"),
     (table, "study", "studies")],
)
def test_unknown_names_get_a_suggestion(
    find: Callable[[str], object], given: str, close: str
) -> None:
    with pytest.raises(UnknownName) as raised:
        find(given)
    assert raised.value.hint == f"Did you mean {close}?"


def of_family(*names: str) -> set[str]:
    return {i for i in CHECK_IDS if i.partition("-")[0] in names}


DEFAULT = CHECK_IDS - of_family("DEI")
SELECTIONS = [
    # name            select             ignore               kept
    ("all",           [],                [],                  DEFAULT),
    ("family",        ["REF"],           [],                  of_family("REF")),
    ("id, any case",  ["for-01"],        [],                  {"FOR-01"}),
    ("both",          ["PLN", "REF-03"], [],                  of_family("PLN") | {"REF-03"}),
    ("ignore id",     ["REF"],           ["REF-01"],          of_family("REF") - {"REF-01"}),
    ("ignore family", [],                ["HIE", "REF"],      DEFAULT - of_family("HIE", "REF")),
    ("ignore wins",   ["REF-01"],        ["REF"],             set()),
    ("on demand",     ["DEI"],           [],                  of_family("DEI")),
    ("one of them",   ["DEI-04", "SR"],  [],                  {"DEI-04", "SR-01"}),
]


@pytest.mark.parametrize(
    ("wanted", "unwanted", "kept"), [c[1:] for c in SELECTIONS], ids=[c[0] for c in SELECTIONS]
)
def test_selection(wanted: list[str], unwanted: list[str], kept: set[str]) -> None:
    assert [c.id for c in select(checks(), wanted, unwanted)] == sorted(kept)


@pytest.mark.parametrize("given", [(["XYZ"], []), (["REF"], ["REF-99"])])
def test_selection_refuses_unknown_names(given: tuple[list[str], list[str]]) -> None:
    with pytest.raises(UnknownName):
        select(checks(), *given)


def with_param(line: str) -> Query:
    text = f"// T\n// view: table\n// returns: n\n// identifying: none\n// {line}\nRETURN 1 AS n;\n"
    return parse_query("q", text)


VALUES = [
    # name             declared                     given            bound
    ("string",         "param x: string",           " a b ",         "a b"),
    ("integer",        "param x: integer",          "-7",            -7),
    ("integer object", "param x: integer",          7,               7),
    ("float",          "param x: float",            "2.5",           2.5),
    ("float object",   "param x: float",            3,               3),
    ("true",           "param x: boolean",          "Yes",           True),
    ("false",          "param x: boolean",          False,           False),
    ("date",           "param x: date",             "2024-05-31",    date(2024, 5, 31)),
    ("date object",    "param x: date",             date(2024, 5, 31), date(2024, 5, 31)),
    ("list",           "param x: list of string",   "CT, MR,",       ["CT", "MR"]),
    ("list object",    "param x: list of string",   ["CT"],          ["CT"]),
    ("no default",     "param x: string = null   any", None,         None),
    ("default",        "param x: integer = 5   days", None,          5),
    ("default, text",  "param x: string = a b   days", None,         "a b"),
]


@pytest.mark.parametrize(
    ("line", "given", "bound"), [c[1:] for c in VALUES], ids=[c[0] for c in VALUES]
)
def test_parameters_are_typed(line: str, given: object, bound: object) -> None:
    found = bind(with_param(line), {"x": given})
    assert found == {"x": bound}
    assert type(found["x"]) is type(bound)


WRONG = [
    # name             declared                     given
    ("empty string",   "param x: string",           " "),
    ("number as text", "param x: string",           5),
    ("fraction",       "param x: integer",          "2.5"),
    ("too large",      "param x: integer",          str(2**63)),
    ("bool as number", "param x: integer",          True),
    ("not a number",   "param x: float",            "nan"),
    ("word",           "param x: boolean",          "maybe"),
    ("date form",      "param x: date",             "31.05.2024"),
    ("empty list",     "param x: list of string",   " , "),
    ("list of others", "param x: list of string",   [1]),
]


@pytest.mark.parametrize(("line", "given"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_wrong_values_are_named_and_not_repeated(line: str, given: object) -> None:
    with pytest.raises(UsageError, match="parameter x is of type") as raised:
        bind(with_param(line), {"x": given})
    assert "maybe" not in str(raised.value)


def test_missing_and_unknown_parameters() -> None:
    with pytest.raises(UsageError, match=r"patient-graph needs the parameter patient: patient_key"):
        bind(query("patient-graph"), {"patient": None})
    with pytest.raises(UnknownName) as raised:
        bind(query("patient-graph"), {"patent": "x"})
    assert raised.value.hint == "Did you mean patient?"
