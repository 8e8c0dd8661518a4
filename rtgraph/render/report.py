"""Reports of checks as text: table, one line a finding, CSV, JSON and JSON lines.

No value that a check names as identifying is shown unless identifiers are asked for.
"""

import json
from collections.abc import Iterator

from rtgraph.cypher.header import Check, Confidence, Severity
from rtgraph.cypher.links import file_link, subject_link
from rtgraph.cypher.report import (
    QUIET,
    UNFINISHED,
    Finding,
    Report,
    Result,
    State,
    Status,
    ends,
    fingerprint,
)
from rtgraph.graphmodel.tables import Row, hide
from rtgraph.render.rows import SCHEMA_VERSION, as_json, dump, rows_csv
from rtgraph.text import one_line, plain

_COLUMNS = (
    "check", "severity", "confidence", "state", "patient_key", "subject", "target", "detail",
    "accepted", "title",
)


def report_table(
    report: Report, limit: int | None = 5, identifiers: bool = False, *, quiet: bool = False
) -> str:
    """Return a report for people: what did not pass, then the totals.

    Parameters
    ----------
    report : Report
        From `run_checks`.
    limit : int, optional
        Findings printed for each check; counts stay exact. None prints all.
    identifiers : bool
        Print the values that the checks name as identifying.
    quiet : bool
        Print findings and checks that errored only.
    """
    unwanted = (*QUIET, Status.skipped, Status.accepted) if quiet else QUIET
    lines = []
    for result in report.results:
        if result.status not in unwanted:
            lines += [_headline(result), *_findings(result, report, limit, identifiers)]
    if quiet:
        return "".join(f"{row}\n" for row in lines)
    lines += [f"fixed   {f.check} {ends(f.subject, f.target)}" for f in report.fixed]
    return "\n".join([*lines, *([""] if lines else []), *totals(report), ""])


def report_concise(report: Report, identifiers: bool = False) -> str:
    """Return a line for each finding, and for each check that errored; nothing else."""
    lines = []
    for result in report.results:
        if result.status is Status.errored:
            lines.append(f"{result.check.id} errored {one_line(result.message)}")
        for finding in result.findings:
            shown = finding_map(result.check, finding, identifiers)
            words = [result.check.id, finding.severity, finding.state,
                     ends(finding.subject, finding.target), one_line(shown["detail"])]
            lines.append(" ".join(w for w in words if w))
    return "".join(f"{row}\n" for row in lines)


def report_csv(report: Report, identifiers: bool = False) -> str:
    """Return one CSV line for each finding; `detail` is JSON."""
    rows: list[Row] = [
        {"check": r.check.id, "title": r.check.title, "confidence": r.check.confidence,
         **finding_map(r.check, f, identifiers)}
        for r in report.results for f in r.findings
    ]
    return rows_csv(_COLUMNS, rows)


def report_json(
    report: Report, fail_on: Severity = Severity.error, identifiers: bool = False,
    browser: str | None = None,
) -> str:
    """Return the whole report as a JSON object with `schema_version` and `exit_code`.

    `browser` is the address of Neo4j Browser; checks and findings then have links to it.
    """
    checks = [
        check_map(r, browser) | {"findings": [
            finding_map(r.check, f, identifiers, browser) for f in r.findings]}
        for r in report.results]
    return dump(run_map(report, fail_on, identifiers) | {"checks": checks})


def report_jsonl(
    report: Report, fail_on: Severity = Severity.error, identifiers: bool = False,
    browser: str | None = None,
) -> str:
    """Return the report as JSON lines: the run, then each check followed by its findings."""

    def lines() -> Iterator[dict[str, object]]:
        yield {"kind": "run", **run_map(report, fail_on, identifiers)}
        for r in report.results:
            yield {"kind": "check", **check_map(r, browser)}
            for f in r.findings:
                yield {"kind": "finding", "check": r.check.id,
                       **finding_map(r.check, f, identifiers, browser)}

    return "".join(json.dumps(as_json(row), sort_keys=True) + "\n" for row in lines())


def run_map(report: Report, fail_on: Severity, identifiers: bool) -> dict[str, object]:
    """Return what a report says about the run as a whole."""
    return {
        "schema_version": SCHEMA_VERSION,
        "patient": report.patient,
        "level": report.level,
        "fail_on": fail_on,
        "exit_code": int(report.exit_code(fail_on)),
        "identifiers": identifiers,
        "started": report.started,
        "seconds": round(report.seconds, 3),
        "counts": report.counts(),
        "findings": report.severities(),
        "states": report.states(),
        "baseline": report.baseline,
        "fixed": [{"check": f.check, "subject": f.subject, "target": f.target}
                  for f in report.fixed],
        "notices": list(report.notices),
    }


def check_map(result: Result, browser: str | None = None) -> dict[str, object]:
    """Return a check and how it ended, without its findings."""
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
        "partial": result.partial,
        "population": result.population,
        "n_findings": len(result.findings),
        "seconds": round(result.seconds, 3),
        **({"browser": file_link(browser, check)} if browser and check.statement else {}),
    }


def finding_map(
    check: Check, finding: Finding, identifiers: bool, browser: str | None = None
) -> dict[str, object]:
    """Return a finding as a map; what the check names as identifying is hidden."""
    names = () if identifiers else check.identifying
    return {
        "patient_key": finding.patient_key,
        "subject": finding.subject,
        "target": finding.target,
        "severity": finding.severity,
        "state": finding.state,
        "accepted": finding.accepted,
        "fingerprint": fingerprint(check, finding),
        "detail": hide([dict(finding.detail)], names)[0],
        **({"browser": subject_link(browser, finding.subject)} if browser else {}),
    }


def totals(report: Report) -> list[str]:
    """Return the last lines of a report: checks by how they ended, findings by severity."""
    words = [
        f"{n} {status}" + (" (nothing to look at)" if status is Status.not_checked else "")
        for status, n in report.counts().items() if n
    ]
    n_checks = len(report.results)
    lines = [f"{n_checks} {_plural('check', n_checks)}: {', '.join(words)}"]
    by_severity = {s: n for s, n in report.severities().items() if n}
    n = sum(by_severity.values())
    parts = [", ".join(f"{k:,} {s}" for s, k in reversed(by_severity.items()))]
    if states := said_states(report.states(), all_of_them=report.baseline):
        parts.append(states)
    lines.append(
        f"{n:,} {_plural('finding', n)}" + (f" ({'; '.join(parts)})" if n else "")
        + (f" · {len(report.fixed):,} fixed" if report.baseline else "")
        + f" · {report.seconds:.1f} s"
    )
    if report.patient:
        lines.append(
            f"Findings of patient {one_line(report.patient)} only; "
            "numbers after “of” count the whole graph."
        )
    return lines


def said_states(states: dict[State, int], *, all_of_them: bool = False) -> str:
    """Return findings by state as text; nothing when all are new and nobody compared them."""
    names = {State.new: "new", State.known: "in the baseline"}
    if not all_of_them and not any(n for s, n in states.items() if s is not State.new):
        return ""
    return ", ".join(f"{n:,} {names.get(s, s.value)}" for s, n in states.items() if n)


def share(result: Result) -> str:
    """Return the findings of a check with its population, as `3 of 812`."""
    return f"{len(result.findings):,} of {result.population:,}"


def _headline(result: Result) -> str:
    check = result.check
    if result.status in UNFINISHED:
        return f"{check.id} {result.status:<8} {one_line(result.message)}"
    heuristic = " (heuristic)" if check.confidence is Confidence.heuristic else ""
    states = said_states(result.states())
    word = result.status if result.status is Status.accepted else result.severity
    return (f"{check.id} {word:<8} {check.title}{heuristic}   {share(result)}"
            + (f" ({states})" if states else "") + " (partial)" * result.partial)


def _findings(
    result: Result, report: Report, limit: int | None, identifiers: bool
) -> list[str]:
    """Return a line for each new finding up to the limit, and one for the rest of them."""
    varies = "severity" in result.check.returns
    new = [f for f in result.findings if f.counts]
    lines = []
    for finding in new[:limit]:
        shown = finding_map(result.check, finding, identifiers)
        words = [ends(finding.subject, finding.target)]
        words += [str(finding.severity)] if varies else []
        words += [one_line(shown["detail"])] if shown["detail"] else []
        words += [f"patient {one_line(finding.patient_key)}"] if not report.patient else []
        lines.append("   " + "   ".join(words))
    more = len(new) - len(lines)
    return [*lines, f"   … {more:,} more"] if more else lines


def _plural(word: str, n: int) -> str:
    return word if n == 1 else f"{word}s"
