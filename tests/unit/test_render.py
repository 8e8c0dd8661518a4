"""Rows and reports as text: whole UIDs, hidden values, and nothing that a sink would act on."""

import csv
import io
import json
import re
import sys
from base64 import b64encode
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from rtgraph.cypher.header import Confidence, Level, Severity
from rtgraph.cypher.library import check
from rtgraph.cypher.report import Finding, Fixed, Report, Result, State, Status
from rtgraph.errors import UsageError
from rtgraph.render import (
    hide,
    report_concise,
    report_csv,
    report_json,
    report_jsonl,
    report_junit,
    report_markdown,
    report_table,
    rows_csv,
    rows_json,
    rows_jsonl,
    rows_parquet,
    rows_table,
    terminal_width,
)
from rtgraph.viz.report import Context, render_report

UID = "1.2.840.113619." + "9" * 49
HOSTILE = "[/x] [bold]a[/bold] :smile: \x1b[31mred\x9b2J \u202eabc\nnext\tcell"
VALUES: list[tuple[str, object, str, str, object]] = [
    # name        value                       table cell          csv cell             json
    ("text",      "a",                        "a",                "a",                "a"),
    ("absent",    None,                       "",                 "",                  None),
    ("number",    2.5,                        "2.5",              "2.5",               2.5),
    ("boolean",   True,                       "true",             "true",              True),
    ("date",      date(2024, 5, 31),          "2024-05-31",       "2024-05-31",       "2024-05-31"),
    ("time",      datetime(2024, 5, 31, 7),   "2024-05-31T07:00:00", "2024-05-31T07:00:00",
     "2024-05-31T07:00:00"),
    ("list",      ["CT", date(2024, 5, 31)],  "CT, 2024-05-31",   '["CT", "2024-05-31"]',
     ["CT", "2024-05-31"]),
    ("map",       {"b": 1, "a": None},        "b: 1",             '{"a": null, "b": 1}',
     {"a": None, "b": 1}),
    ("node",      {"labels": ["Series"], "properties": {"layer": 0}},
     "labels: Series, properties: (layer: 0)",
     '{"labels": ["Series"], "properties": {"layer": 0}}',
     {"labels": ["Series"], "properties": {"layer": 0}}),
    ("infinite",  float("inf"),               "inf",              "inf",               "inf"),
    ("formula",   "=1+1",                     "=1+1",             "'=1+1",             "=1+1"),
    ("at",        "@SUM(A1)",                 "@SUM(A1)",         "'@SUM(A1)",         "@SUM(A1)"),
    ("minus",     "-1+1",                     "-1+1",             "'-1+1",             "-1+1"),
    ("number -1", -1,                         "-1",               "-1",                -1),
]


@pytest.mark.parametrize(
    ("value", "cell", "csv_cell", "json_value"), [c[1:] for c in VALUES],
    ids=[c[0] for c in VALUES],
)
def test_values(value: object, cell: str, csv_cell: str, json_value: object) -> None:
    rows = [{"x": value, "y": "end"}]
    assert rows_table(["x", "y"], rows).splitlines()[-1].split("  ")[0].strip() == cell
    found = list(csv.reader(io.StringIO(rows_csv(["x", "y"], rows))))
    assert found == [["x", "y"], [csv_cell, "end"]]
    document = json.loads(rows_json(["x", "y"], rows))
    assert document == {
        "schema_version": 1, "columns": ["x", "y"], "rows": [{"x": json_value, "y": "end"}],
    }


def test_columns_keep_their_order_and_may_be_absent() -> None:
    rows: list[dict[str, Any]] = [{"a": 1, "b": 2}, {"b": 3}]
    assert rows_csv(["b", "a", "c"], rows) == "b,a,c\n2,1,\n3,,\n"
    assert rows_table(["b", "a"], rows).split() == ["b", "a", "─" * 5, "2", "1", "3"]
    assert rows_csv(["a"], []) == "a\n"


def test_without_a_terminal_rows_are_one_line_and_whole() -> None:
    columns = [f"column_{k}" for k in range(9)]
    lines = rows_table(columns, [dict.fromkeys(columns, UID)]).splitlines()
    assert len(lines) == 3
    assert lines[-1].count(UID) == 9


def test_a_narrow_terminal_folds_and_loses_nothing() -> None:
    text = rows_table(["a", "b"], [{"a": UID, "b": UID}], width=60)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 60
    assert "".join(line[:28].strip() for line in lines[2:]) == UID


def test_terminal_width() -> None:
    assert terminal_width(io.StringIO()) is None


def assert_harmless(text: str) -> None:
    assert not {c for c in text if c < " " and c != "\n"}
    assert not set("\x7f\x9b\u202e") & set(text)


def test_hostile_text_reaches_no_sink() -> None:
    rows = [{HOSTILE: HOSTILE, "plain": {HOSTILE: [HOSTILE]}}]
    columns = [HOSTILE, "plain"]
    table = rows_table(columns, rows)
    assert_harmless(table)
    assert "[/x] [bold]a[/bold] :smile: [31mred2J abc next cell" in table
    assert len(table.splitlines()) == 3
    assert_harmless(rows_csv(columns, rows).replace("\t", ""))
    assert_harmless(rows_json(columns, rows))
    assert rows_json(columns, rows).isascii()


def test_hidden_columns() -> None:
    rows: list[dict[str, Any]] = [{"PatientID": "canary", "n": 1}, {"PatientID": None, "n": 2}]
    assert hide(rows, ["PatientID"]) == [{"PatientID": "hidden", "n": 1},
                                         {"PatientID": None, "n": 2}]
    assert rows[0]["PatientID"] == "canary"


def finding(
    subject: str, severity: str = "error", target: str | None = None, **detail: object
) -> Finding:
    return Finding("4d1f0c9a72e3b856", subject, target, Severity(severity), detail)


REPORT = Report(
    (
        Result(check("FOR-01"), Status.passed, (), 12, 0.1),
        Result(check("DOS-01"), Status.not_checked),
        Result(check("HIE-03"), Status.failed,
               (finding(UID, first="export/CANARY^NAME.dcm", others=["CANARY"]),), 1200, 0.1),
        Result(check("REF-01"), Status.failed,
               (finding("1.2.3", target="1.2.9", role="DOSE_PLAN", n=1, series=[]),
                *(finding(f"1.2.{k}", "info", role="PRIOR_PLAN") for k in range(3))), 812, 0.1),
        Result(replace(check("PLN-07"), confidence=Confidence.heuristic), Status.warned,
               (finding("1.2.4", "warning", label=HOSTILE),), 5, 0.1),
        Result(check("REF-02"), Status.errored, message="The server refuses the statement: no."),
        Result(replace(check("FOR-05"), level=Level.pixel), Status.skipped,
               message="needs the level pixel"),
    ),
    seconds=2.14,
)
TABLE = f"""\
HIE-03 error    One SOP Instance UID means one object: two files with the same UID hold the same \
data set   1 of 1,200
   {UID}   first: hidden, others: hidden   patient 4d1f0c9a72e3b856
REF-01 error    Every reference resolves to an object that was ingested   4 of 812
   1.2.3 → 1.2.9   error   n: 1, role: DOSE_PLAN   patient 4d1f0c9a72e3b856
   1.2.0   info   role: PRIOR_PLAN   patient 4d1f0c9a72e3b856
   … 2 more
PLN-07 warning  An approved external beam plan has at least one dose (heuristic)   1 of 5
   1.2.4   warning   label: [/x] [bold]a[/bold] :smile: [31mred2J abc next cell   \
patient 4d1f0c9a72e3b856
REF-02 errored  The server refuses the statement: no.
FOR-05 skipped  needs the level pixel

7 checks: 1 passed, 2 failed, 1 warned, 1 not checked (nothing to look at), 1 errored, 1 skipped
6 findings (2 error, 1 warning, 3 info) · 2.1 s
"""


def test_report_table() -> None:
    assert report_table(REPORT, limit=2) == TABLE
    assert_harmless(report_table(REPORT))


def test_report_of_one_patient_says_so() -> None:
    text = report_table(replace(REPORT, patient="4d1f0c9a72e3b856"), limit=None)
    assert "   patient 4d1f" not in text
    assert "more" not in text
    assert text.endswith(
        "Findings of patient 4d1f0c9a72e3b856 only; numbers after “of” count the whole graph.\n"
    )


def test_clean_report_is_two_lines() -> None:
    assert report_table(Report((Result(check("FOR-01"), Status.passed, (), 1),))) == (
        "1 check: 1 passed\n0 findings · 0.0 s\n"
    )


def test_report_json() -> None:
    text = report_json(REPORT, Severity.warning)
    document = json.loads(text)
    assert document["schema_version"] == 1
    assert (document["exit_code"], document["fail_on"]) == (3, "warning")
    assert document["counts"] == {
        "passed": 1, "failed": 2, "warned": 1, "accepted": 0, "not checked": 1, "errored": 1,
        "skipped": 1,
    }
    assert document["findings"] == {"info": 3, "warning": 1, "error": 2}
    by_id = {c["id"]: c for c in document["checks"]}
    assert by_id["HIE-03"]["population"] == 1200
    assert by_id["HIE-03"]["findings"][0]["detail"] == {"first": "hidden", "others": "hidden"}
    assert by_id["REF-01"]["findings"][0]["target"] == "1.2.9"
    assert by_id["REF-01"]["n_findings"] == 4
    assert text == json.dumps(document, sort_keys=True, indent=2) + "\n"


def test_identifying_values_are_shown_only_when_asked_for() -> None:
    for render in (report_table, report_csv, report_json, report_jsonl, report_concise,
                   report_junit, report_markdown, page):
        assert "CANARY" not in render(REPORT)
        assert "CANARY" in render(REPORT, identifiers=True)


def test_report_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(report_csv(REPORT))))
    assert len(rows) == 6
    assert rows[1]["check"] == "REF-01"
    assert rows[1]["severity"] == "error"
    assert json.loads(rows[1]["detail"]) == {"role": "DOSE_PLAN", "n": 1, "series": []}


BROWSER = "http://127.0.0.1:7474/browser/?dbms=bolt://neo4j@127.0.0.1:7687&db=neo4j"


def page(report: Report, fail_on: Severity = Severity.error, identifiers: bool = False) -> str:
    return render_report(report, Context("1.0", "127.0.0.1:7687", "Prostate 2027"),
                         fail_on=fail_on, identifiers=identifiers)


def accepted(report: Report) -> Report:
    """The report after REF-01 was waived but for its last finding, against a baseline."""
    results = [
        replace(r, findings=(
            *(replace(f, state=State.waived, accepted="A: agreed") for f in r.findings[:-1]),
            r.findings[-1])) if r.check.id == "REF-01" else r for r in report.results]
    return replace(report, results=tuple(results), baseline=True, notices=("Mind this.",),
                   fixed=(Fixed("FOR-01", "1.2.77", None),))


def test_report_table_tells_what_was_accepted() -> None:
    text = report_table(accepted(REPORT))
    assert "   4 of 812 (1 new, 3 waived)\n   1.2.2   info" in text
    assert "fixed   FOR-01 1.2.77\n" in text
    assert "6 findings (2 error, 1 warning, 3 info; 3 new, 3 waived) · 1 fixed · 2.1 s" in text


def test_quiet_table_is_findings_only() -> None:
    text = report_table(REPORT, quiet=True)
    assert "FOR-05" not in text
    assert "7 checks" not in text
    assert "REF-02 errored" in text
    assert report_table(Report(()), quiet=True) == ""


def test_concise_is_a_line_for_each_finding() -> None:
    lines = report_concise(REPORT).splitlines()
    assert len(lines) == 7
    assert lines[1] == "REF-01 error new 1.2.3 → 1.2.9 n: 1, role: DOSE_PLAN"
    assert lines[-1] == "REF-02 errored The server refuses the statement: no."
    assert_harmless(report_concise(REPORT))


def test_jsonl_holds_the_run_then_checks_then_their_findings() -> None:
    rows = [json.loads(line) for line in report_jsonl(REPORT).splitlines()]
    assert [r["kind"] for r in rows[:4]] == ["run", "check", "check", "check"]
    assert rows[0]["schema_version"] == 1
    assert rows[0]["exit_code"] == 3
    assert sum(r["kind"] == "finding" for r in rows) == 6
    assert {r["check"] for r in rows if r["kind"] == "finding"} == {"HIE-03", "REF-01", "PLN-07"}


def test_links_stand_in_json_when_browser_is_known() -> None:
    document = json.loads(report_json(REPORT, browser=BROWSER))
    check_link = document["checks"][0]["browser"]
    assert check_link.startswith(f"{BROWSER}&cmd=edit&arg=")
    finding_link = document["checks"][3]["findings"][0]["browser"]
    assert "1.2.3" in unquote(finding_link)
    assert "browser" not in json.loads(report_json(REPORT))["checks"][0]


def test_junit_maps_every_check() -> None:
    root = ElementTree.fromstring(report_junit(REPORT))
    (suite,) = root
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7", "failures": "2", "errors": "1", "skipped": "2"}
    cases = {str(c.get("name")).split()[0]: c for c in suite}
    assert [e.tag for e in cases["FOR-01"]] == []
    assert [e.tag for e in cases["DOS-01"]] == ["skipped"]
    assert cases["DOS-01"][0].get("message") == "nothing to look at"
    assert cases["FOR-05"][0].get("message") == "needs the level pixel"
    assert [e.tag for e in cases["REF-01"]] == ["failure", "system-out"]
    assert str(cases["REF-01"][0].get("message")).startswith("4 of 812: ")
    # a heuristic fails nothing, however low the bar
    assert [e.tag for e in cases["PLN-07"]] == ["system-out"]
    low = ElementTree.fromstring(report_junit(REPORT, Severity.info))
    assert low[0].get("failures") == "2"
    waived = ElementTree.fromstring(report_junit(accepted(REPORT)))
    assert waived[0].get("failures") == "1"


def test_markdown_escapes_what_files_state() -> None:
    hostile = finding("1.2", label="<img src=x> [a](b) `c` | # d\n# e")
    text = report_markdown(Report((Result(check("FOR-01"), Status.failed, (hostile,), 2),)))
    assert "<img" not in text
    assert "](b)" not in text
    assert [x for x in text.splitlines() if x.startswith("#")] == [
        "# Checks of the graph", "## FOR-01"]
    assert "| FOR-01 | error | 1 of 2 |" in text
    assert "Mind this" in report_markdown(accepted(REPORT))


# --- the page ------------------------------------------------------------------------------------

class Reader(HTMLParser):
    """What a browser makes of the page: tags with their attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


HOSTILE_FINDING = finding(
    "1.2.3", target='"><script>alert(1)</script>', label='<img src=x onerror="alert(1)">',
    **{"</td><iframe>": "x"})


def test_the_page_escapes_everything_and_loads_nothing() -> None:
    text = page(Report((Result(check("FOR-01"), Status.failed, (HOSTILE_FINDING,), 2),),
                       notices=("<b>no</b>",)))
    tags = parsed(text).tags
    assert not {"script", "img", "iframe", "b"} & ({t for t, _ in tags} - {"b"})
    assert all("onerror" not in attributes for _, attributes in tags)
    links = [a["href"] for t, a in tags if t in ("a", "link")]
    assert all(str(link).startswith(("#", "data:")) for link in links)
    assert not re.search(r"url\(|@import|src=", text.partition("<body>")[0])
    assert "default-src 'none'" in text
    digest = b64encode(sha256(text.partition("<style>")[2].partition("</style>")[0].encode())
                       .digest()).decode()
    assert f"style-src 'sha256-{digest}'" in text


def test_the_page_tells_the_whole_run() -> None:
    words = " ".join(" ".join(parsed(page(accepted(REPORT))).words).split())
    assert "Incomplete: a check could not finish" in words
    assert "4 of 812" in words
    assert "1 fixed" in words
    assert "FOR-01 1.2.77" in words
    assert "nothing to look at" in words
    assert "A: agreed" in words
    assert "Mind this." in words
    assert "Prostate 2027" in words
    assert "needs the level pixel" in words
    assert "contains patient data" not in words
    assert "contains patient data" in page(REPORT, identifiers=True)


@pytest.mark.parametrize(("found", "verdict"), [
    ((), "No new finding of severity error from what the files state"),
    ((finding("1.2"),), "There are new findings of severity error"),
])
def test_the_page_says_the_verdict(found: tuple[Finding, ...], verdict: str) -> None:
    assert verdict in page(Report((Result(check("FOR-01"), Status.failed, found, 2),)))


def test_the_page_links_to_figures_and_browser() -> None:
    context = Context("1.0", browser=BROWSER, figure=lambda key: f"figures/{key}.html")
    text = render_report(REPORT, context)
    links = {str(a["href"]) for t, a in parsed(text).tags if t == "a"}
    assert "figures/4d1f0c9a72e3b856.html" in links
    assert any("cmd=edit" in link and "FOR-01" in unquote(link) for link in links)
    assert sum("SOPInstanceUID" in unquote(link) and "1.2.3" in unquote(link)
               for link in links) == 1
    assert all(link.startswith(("#", "http://127.0.0.1", "figures/")) for link in links)


def test_the_page_says_how_many_findings_it_leaves_out() -> None:
    many = tuple(finding(f"1.2.{k}") for k in range(1003))
    text = page(Report((Result(check("FOR-01"), Status.failed, many, 2000),)))
    assert "1,003 of 2,000" in text
    assert "3 more; the formats csv and json list them all." in text


# --- rows for programs ---------------------------------------------------------------------------

def test_rows_jsonl() -> None:
    rows: list[dict[str, Any]] = [{"a": date(2024, 5, 31), "b": [1]}, {"a": None}]
    assert rows_jsonl(["a", "b"], rows) == '{"a": "2024-05-31", "b": [1]}\n{"a": null, "b": null}\n'


def test_rows_parquet_keeps_types() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    from pyarrow.parquet import read_table

    rows: list[dict[str, Any]] = [
        {"n": 1, "day": date(2024, 5, 31), "uid": UID, "list": ["a"], "map": {"b": [1]}},
        {"n": None, "day": None, "uid": "1.2", "list": [], "map": None}]
    columns = ["n", "day", "uid", "list", "map"]
    found = read_table(pyarrow.BufferReader(rows_parquet(columns, rows)))
    assert found.column_names == columns
    assert found.to_pylist()[0] == {"n": 1, "day": date(2024, 5, 31), "uid": UID, "list": ["a"],
                                    "map": '{"b": [1]}'}
    assert found.schema.field("n").type == pyarrow.int64()
    with pytest.raises(UsageError, match="several types"):
        rows_parquet(["a"], [{"a": 1}, {"a": "x"}])


def test_parquet_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="needs the package pyarrow") as raised:
        rows_parquet(["a"], [])
    assert "rtgraph[parquet]" in raised.value.hint
