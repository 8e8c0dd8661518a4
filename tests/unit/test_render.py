"""Rows and reports as text: whole UIDs, hidden values, and nothing that a sink would act on."""

import csv
import io
import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from rtgraph.cypher.header import Confidence, Level, Severity
from rtgraph.cypher.library import check
from rtgraph.cypher.validate import Finding, Report, Result, Status
from rtgraph.render import (
    hide,
    report_csv,
    report_json,
    report_table,
    rows_csv,
    rows_json,
    rows_table,
    terminal_width,
)

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
   1.2.4   label: [/x] [bold]a[/bold] :smile: [31mred2J abc next cell   patient 4d1f0c9a72e3b856
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
        "passed": 1, "failed": 2, "warned": 1, "not checked": 1, "errored": 1, "skipped": 1,
    }
    assert document["findings"] == {"info": 3, "warning": 1, "error": 2}
    by_id = {c["id"]: c for c in document["checks"]}
    assert by_id["HIE-03"]["population"] == 1200
    assert by_id["HIE-03"]["findings"][0]["detail"] == {"first": "hidden", "others": "hidden"}
    assert by_id["REF-01"]["findings"][0]["target"] == "1.2.9"
    assert by_id["REF-01"]["n_findings"] == 4
    assert text == json.dumps(document, sort_keys=True, indent=2) + "\n"


def test_identifying_values_are_shown_only_when_asked_for() -> None:
    for render in (report_table, report_csv, report_json):
        assert "CANARY" not in render(REPORT)
        assert "CANARY" in render(REPORT, identifiers=True)


def test_report_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(report_csv(REPORT))))
    assert len(rows) == 6
    assert rows[1]["check"] == "REF-01"
    assert rows[1]["severity"] == "error"
    assert json.loads(rows[1]["detail"]) == {"role": "DOSE_PLAN", "n": 1, "series": []}
