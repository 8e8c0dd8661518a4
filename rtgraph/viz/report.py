"""Render a report of checks as one HTML page: no network, no script, everything escaped."""

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from rtgraph.cypher.header import Confidence, Severity
from rtgraph.cypher.links import file_link, subject_link
from rtgraph.cypher.report import QUIET, UNFINISHED, Finding, Report, Result, Status, ends
from rtgraph.graphmodel.tables import hide
from rtgraph.text import one_line, plain
from rtgraph.viz.html import csp_hash, environment, part

MOST_FINDINGS = 1000


@dataclass(frozen=True, slots=True)
class Context:
    """What a report page says about itself.

    Attributes
    ----------
    version : str
        Of rtgraph.
    graph : str
        Which graph was checked: host and port, never a password.
    protocol : str
        Title of the protocol file, empty without one.
    browser : str or None
        Address of Neo4j Browser; without it there are no links to it.
    figure : callable
        Returns the address of the figure of a patient relative to the page, None without one.
    """

    version: str
    graph: str = ""
    protocol: str = ""
    browser: str | None = None
    figure: Callable[[str], str | None] = lambda patient_key: None


def render_report(
    report: Report, context: Context, *, fail_on: Severity = Severity.error,
    identifiers: bool = False,
) -> str:
    """Return the page; without `identifiers` values that checks name as identifying are hidden."""
    style = part("report.css")
    counted = {s.value: n for s, n in report.counts().items()}
    return environment(trim=True).get_template("report.html").render(
        style=Markup(style), style_hash=csp_hash(style),
        version=plain(context.version), graph=plain(context.graph),
        protocol=plain(context.protocol), patient=report.patient, level=report.level,
        started=f"{report.started:%Y-%m-%d %H:%M:%S} UTC", seconds=f"{report.seconds:.1f}",
        fail_on=fail_on.value, exit_code=int(report.exit_code(fail_on)), identifiers=identifiers,
        counts=counted, severities={s.value: n for s, n in reversed(report.severities().items())},
        states={s.value: n for s, n in report.states().items()}, baseline=report.baseline,
        fixed=[{"check": f.check, "ends": ends(f.subject, f.target)} for f in report.fixed],
        notices=[plain(n) for n in report.notices],
        checks=[_check(r, context, identifiers) for r in report.results],
        browser=context.browser,
    )


def _check(result: Result, context: Context, identifiers: bool) -> dict[str, object]:
    check = result.check
    finished = result.status not in UNFINISHED
    shown = result.findings[:MOST_FINDINGS]
    return {
        "id": check.id, "title": plain(check.title), "status": result.status.value,
        "word": result.severity.value if finished and result.findings and
        result.status is not Status.accepted else result.status.value,
        "heuristic": check.confidence is Confidence.heuristic,
        "share": f"{len(result.findings):,} of {result.population:,}"
        + " (partial)" * result.partial if finished else "",
        "message": plain(result.message), "fix": plain(check.fix), "source": plain(check.source),
        "why": plain(check.why), "exceptions": plain(check.exceptions),
        "quiet": result.status in (*QUIET, Status.skipped),
        "browser": file_link(context.browser, check)
        if context.browser and check.statement else None,
        "findings": [_finding(result, f, context, identifiers) for f in shown],
        "more": len(result.findings) - len(shown),
    }


def _finding(
    result: Result, finding: Finding, context: Context, identifiers: bool
) -> dict[str, object]:
    names = () if identifiers else result.check.identifying
    return {
        "severity": finding.severity.value, "state": finding.state.value,
        "accepted": plain(finding.accepted), "subject": one_line(finding.subject or "-"),
        "target": one_line(finding.target) if finding.target is not None else "",
        "detail": one_line(hide([dict(finding.detail)], names)[0]),
        "patient": finding.patient_key,
        "figure": context.figure(finding.patient_key) if finding.patient_key else None,
        "browser": subject_link(context.browser, finding.subject) if context.browser else None,
    }
