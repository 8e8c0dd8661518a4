"""A report as Markdown: for issues, wikis and pull requests."""

import re
from html import escape

from rtgraph.cypher.header import Confidence
from rtgraph.cypher.report import QUIET, UNFINISHED, Report, Result
from rtgraph.render.report import finding_map, said_states, share, totals
from rtgraph.text import one_line

# Text from files must not become a heading, a link, a mention, an image or HTML.
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~@$-])")


def report_markdown(
    report: Report, limit: int | None = 5, identifiers: bool = False
) -> str:
    """Return the totals, a table of the checks that did not pass, and their findings."""
    shown = [r for r in report.results if r.status not in QUIET]
    lines = ["# Checks of the graph", "", *(escaped(t) + "  " for t in totals(report))]
    if shown:
        lines += ["", "| check | result | findings | what must hold |", "| --- | --- | --- | --- |"]
        lines += [_row(r) for r in shown]
    for result in shown:
        lines += _findings(result, limit, identifiers)
    if report.fixed:
        lines += ["", "## Fixed since the baseline", ""]
        lines += [f"- {f.check} {_code(f.subject)}" for f in report.fixed]
    if report.notices:
        lines += ["", "## Notices", "", *(f"- {escaped(n)}" for n in report.notices)]
    return "\n".join(lines) + "\n"


def escaped(value: object) -> str:
    """Return a value as one line of Markdown in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", escape(one_line(value), quote=False))


def _row(result: Result) -> str:
    check = result.check
    finished = result.status not in UNFINISHED
    states = said_states(result.states())
    cells = [
        check.id, result.severity if finished and result.findings else result.status,
        share(result) + (f" ({states})" if states else "") if finished else escaped(result.message),
        escaped(check.title) + " (partial)" * (finished and result.partial)
        + (" (heuristic)" if check.confidence is Confidence.heuristic else "")]
    return f"| {' | '.join(cells)} |"


def _findings(result: Result, limit: int | None, identifiers: bool) -> list[str]:
    new = [f for f in result.findings if f.counts]
    if not new:
        return []
    lines = ["", f"## {result.check.id}", "", f"{escaped(result.check.fix)}", ""]
    for finding in new[:limit]:
        shown = finding_map(result.check, finding, identifiers)
        ends = _code(finding.subject) + (f" → {_code(finding.target)}" if finding.target else "")
        lines.append(f"- {finding.severity}: {ends} {escaped(shown['detail'])}".rstrip())
    more = len(new) - len(new[:limit])
    return [*lines, f"- … {more:,} more"] if more else lines


def _code(value: str | None) -> str:
    """Return a UID or key as code; a backtick would end it."""
    return f"`{one_line(value or '-').replace('`', chr(39))}`"
