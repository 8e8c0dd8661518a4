"""Rows and check reports as text: table, CSV and JSON.

Everything that comes from a file passes a funnel of `rtgraph.text` here: terminals get `plain`
text and no markup is parsed, spreadsheets get cells they do not calculate, JSON is plain ASCII.
"""

import csv
import io
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, time
from typing import TextIO

from rtgraph.cypher.header import Check, Confidence, Severity
from rtgraph.cypher.validate import Finding, Report, Result, Status
from rtgraph.graphmodel.tables import Row
from rtgraph.text import csv_cell, plain

SCHEMA_VERSION = 1
HIDDEN = "hidden"
_UNLIMITED = 100_000
_REPORT_COLUMNS = (
    "check", "severity", "confidence", "patient_key", "subject", "target", "detail", "title",
)


def terminal_width(stream: TextIO) -> int | None:
    """Return the width of the terminal behind `stream`; pipes and files have none."""
    if not stream.isatty():
        return None
    from rich.console import Console

    return Console(file=stream).width


def hide(rows: Iterable[Row], names: Collection[str]) -> list[Row]:
    """Return the rows with the values of these columns hidden; an absent value stays absent."""
    return [{k: _hidden(k, v, names) for k, v in row.items()} for row in rows]


def _hidden(name: str, value: object, names: Collection[str]) -> object:
    """Hide a value by its name, and what nodes and maps hold under such a name."""
    if name in names and value is not None:
        return HIDDEN
    if isinstance(value, Mapping):
        return {k: _hidden(str(k), v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_hidden("", v, names) for v in value]
    return value


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
        table.add_column(Text(_line(column)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_line(row.get(c))) for c in columns))
    out = io.StringIO()
    console = Console(file=out, width=width or _UNLIMITED, color_system=None, force_terminal=False)
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().split("\n")[:-1])


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
    return _dump({"schema_version": SCHEMA_VERSION, "columns": list(columns), "rows": found})


def rows_jsonl(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Return a JSON object for each row, one a line."""
    return "".join(
        json.dumps(_json({c: row.get(c) for c in columns}), sort_keys=True) + "\n"
        for row in rows)


def report_table(report: Report, limit: int | None = 5, identifiers: bool = False) -> str:
    """Return a report for people: what did not pass, then the totals.

    Parameters
    ----------
    report : Report
        From `run_checks`.
    limit : int, optional
        Findings printed for each check; counts stay exact. None prints all.
    identifiers : bool
        Print the values that the checks name as identifying.
    """
    shown = [r for r in report.results if r.status not in (Status.passed, Status.not_checked)]
    lines = []
    for result in shown:
        lines += [_headline(result), *_findings(result, report, limit, identifiers)]
    return "\n".join([*lines, *([""] if lines else []), *_totals(report), ""])


def report_csv(report: Report, identifiers: bool = False) -> str:
    """Return one CSV line for each finding; `detail` is JSON."""
    rows: list[Row] = [
        {
            "check": r.check.id,
            "title": r.check.title,
            "confidence": r.check.confidence,
            **_finding(r.check, f, identifiers),
        }
        for r in report.results
        for f in r.findings
    ]
    return rows_csv(_REPORT_COLUMNS, rows)


def report_json(
    report: Report, fail_on: Severity = Severity.error, identifiers: bool = False
) -> str:
    """Return the whole report as a JSON object with `schema_version` and `exit_code`."""
    return _dump({
        "schema_version": SCHEMA_VERSION,
        "patient": report.patient,
        "level": report.level,
        "fail_on": fail_on,
        "exit_code": int(report.exit_code(fail_on)),
        "identifiers": identifiers,
        "seconds": round(report.seconds, 3),
        "counts": report.counts(),
        "findings": report.severities(),
        "checks": [_result(r, identifiers) for r in report.results],
    })


def _result(result: Result, identifiers: bool) -> dict[str, object]:
    check = result.check
    return {
        "id": check.id,
        "title": check.title,
        "severity": check.severity,
        "confidence": check.confidence,
        "level": check.level,
        "tier": check.tier,
        "identity": list(check.identity),
        "fix": check.fix,
        "source": check.source,
        "status": result.status,
        "message": plain(result.message),
        "population": result.population,
        "n_findings": len(result.findings),
        "seconds": round(result.seconds, 3),
        "findings": [_finding(check, f, identifiers) for f in result.findings],
    }


def _finding(check: Check, finding: Finding, identifiers: bool) -> dict[str, object]:
    """Return a finding as a map; what the check names as identifying is hidden."""
    names = () if identifiers else check.identifying
    return {
        "patient_key": finding.patient_key,
        "subject": finding.subject,
        "target": finding.target,
        "severity": finding.severity,
        "detail": hide([dict(finding.detail)], names)[0],
    }


def _headline(result: Result) -> str:
    check = result.check
    if result.status in (Status.errored, Status.skipped):
        return f"{check.id} {result.status:<8} {_line(result.message)}"
    heuristic = " (heuristic)" if check.confidence is Confidence.heuristic else ""
    share = f"{len(result.findings):,} of {result.population:,}"
    return f"{check.id} {result.severity:<8} {check.title}{heuristic}   {share}"


def _findings(
    result: Result, report: Report, limit: int | None, identifiers: bool
) -> list[str]:
    """Return a line for each finding up to the limit, and one for the rest."""
    varies = "severity" in result.check.returns
    lines = []
    for finding in result.findings[:limit]:
        shown = _finding(result.check, finding, identifiers)
        words = [_line(finding.subject or "-")]
        if finding.target is not None:
            words[0] += f" → {_line(finding.target)}"
        words += [str(finding.severity)] if varies else []
        words += [_line(shown["detail"])] if shown["detail"] else []
        words += [f"patient {_line(finding.patient_key)}"] if not report.patient else []
        lines.append("   " + "   ".join(words))
    more = len(result.findings) - len(lines)
    return [*lines, f"   … {more:,} more"] if more else lines


def _totals(report: Report) -> list[str]:
    words = [
        f"{n} {status}" + (" (nothing to look at)" if status is Status.not_checked else "")
        for status, n in report.counts().items() if n
    ]
    n_checks = len(report.results)
    lines = [f"{n_checks} {_plural('check', n_checks)}: {', '.join(words)}"]
    by_severity = {s: n for s, n in report.severities().items() if n}
    n = sum(by_severity.values())
    parts = ", ".join(f"{k:,} {s}" for s, k in reversed(by_severity.items()))
    lines.append(
        f"{n:,} {_plural('finding', n)}" + (f" ({parts})" if n else "")
        + f" · {report.seconds:.1f} s"
    )
    if report.patient:
        lines.append(
            f"Findings of patient {_line(report.patient)} only; "
            "numbers after “of” count the whole graph."
        )
    return lines


def _plural(word: str, n: int) -> str:
    return word if n == 1 else f"{word}s"


def _line(value: object) -> str:
    """Return a value as one line of safe text; maps as `key: value`, without absent values."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        present = {str(k): v for k, v in value.items() if v is not None and v != []}
        return ", ".join(f"{_line(k)}: {_part(v)}" for k, v in sorted(present.items()))
    if isinstance(value, list | tuple):
        return ", ".join(_part(v) for v in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return value.isoformat()
    return " ".join(plain(value).replace("\t", " ").splitlines())


def _part(value: object) -> str:
    """Return a value inside a list or map; maps get brackets."""
    return f"({_line(value)})" if isinstance(value, Mapping) else _line(value)


def _csv(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(_json(value), sort_keys=True)
    return csv_cell(_json(value))


def _json(value: object) -> object:
    """Return a value that JSON can hold; numbers that it cannot hold become text."""
    if isinstance(value, Mapping):
        return {str(k): _json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_json(v) for v in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if value is None or isinstance(value, str | int) or (
        isinstance(value, float) and math.isfinite(value)
    ):
        return value
    return str(value)


def _dump(document: Mapping[str, object]) -> str:
    """Return JSON with sorted keys in ASCII, so that no terminal acts on what a file holds."""
    return json.dumps(_json(document), sort_keys=True, indent=2) + "\n"
