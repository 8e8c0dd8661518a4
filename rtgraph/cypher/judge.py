"""Weighs what a run found: baseline, waivers, suppressions, then severities and thresholds."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from rtgraph.cypher.header import Check
from rtgraph.cypher.policy import Limits, Policy, Suppression
from rtgraph.cypher.report import (
    UNFINISHED,
    Finding,
    Fixed,
    Report,
    Result,
    State,
    fingerprint,
    identity,
    issue_key,
    status_of,
)
from rtgraph.errors import UsageError

BASELINE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """Findings of an earlier run, by fingerprint."""

    findings: Mapping[str, Fixed]


def judge(
    report: Report, policy: Policy, *, waivers: Mapping[str, str] | None = None,
    baseline: Baseline | None = None, today: date | None = None,
) -> Report:
    """Return the report with the state and severity of each finding as the project wants them.

    Parameters
    ----------
    waivers : mapping, optional
        Keys of waived issues of the graph, and who waived them why.
    baseline : Baseline, optional
        Findings that are known.
    today : date, optional
        The day on which suppressions are looked at.
    """
    today = today or date.today()
    standing = [s for s in policy.suppressions if s.expires is None or s.expires >= today]
    used: set[int] = set()

    def state(check: Check, finding: Finding) -> Finding:
        if why := (waivers or {}).get(issue_key(check, finding)):
            return replace(finding, state=State.waived, accepted=why)
        for k, entry in enumerate(standing):
            if _fits(entry, check, finding):
                used.add(k)
                return replace(finding, state=State.suppressed,
                               accepted=f"{entry.author}: {entry.reason}")
        if baseline and fingerprint(check, finding) in baseline.findings:
            return replace(finding, state=State.known)
        return finding

    results = []
    for result in report.results:
        findings = tuple(state(result.check, f) for f in result.findings)
        results.append(_weighed(replace(result, findings=findings), report, policy))
    judged = replace(report, results=tuple(results), baseline=baseline is not None)
    return replace(
        judged, fixed=_fixed(judged, baseline) if baseline else (),
        notices=(*report.notices, *_notices(judged, policy, standing, used)))


def _weighed(result: Result, report: Report, policy: Policy) -> Result:
    """Return a result with the severities of the project, and the status that follows."""
    if result.status in UNFINISHED:
        return result
    limits = policy.limits.get(result.check.id, Limits())
    n = result.total if report.patient else sum(f.counts for f in result.findings)
    findings = tuple(
        replace(f, severity=limits.severity_of(f.severity, n, result.population))
        for f in result.findings)
    return replace(result, findings=findings,
                   status=status_of(result.check, findings, result.population))


def _fits(entry: Suppression, check: Check, finding: Finding) -> bool:
    if entry.check != check.id:
        return False
    values = dict(zip(check.identity, identity(check, finding), strict=True)) | {
        "subject": finding.subject, "target": finding.target, "patient_key": finding.patient_key}
    return all(values.get(name) == value for name, value in entry.identity.items())


def _notices(
    report: Report, policy: Policy, standing: list[Suppression], used: set[int]
) -> list[str]:
    """Return what is to be said about suppressions; those of checks that did not run are left."""
    over = [s for s in policy.suppressions if s not in standing]
    said = [f"This suppression ended on {s.expires}: {s.said}" for s in over]
    ran = {r.check.id for r in report.results if r.finished}
    if report.patient is None:
        said += [f"Nothing needs this suppression: {s.said}"
                 for k, s in enumerate(standing) if k not in used and s.check in ran]
    return said


def _fixed(report: Report, baseline: Baseline) -> tuple[Fixed, ...]:
    """Return what of the baseline is gone; of one patient, or of a check that did not run, nothing
    is known."""
    if report.patient is not None:
        return ()
    ran = {r.check.id for r in report.results if r.finished}
    found = {fingerprint(r.check, f) for r in report.results for f in r.findings}
    gone = [fixed for key, fixed in baseline.findings.items()
            if key not in found and fixed.check in ran]
    return tuple(sorted(gone, key=lambda f: (f.check, f.subject or "", f.target or "")))


def baseline_text(report: Report) -> str:
    """Return a baseline of all findings but those that are waived or suppressed."""
    kept: Collection[State] = (State.new, State.known)
    rows = {
        fingerprint(r.check, f): {"check": r.check.id, "subject": f.subject, "target": f.target}
        for r in report.results for f in r.findings if f.state in kept}
    document = {"schema_version": BASELINE_VERSION, "findings": rows}
    return json.dumps(document, sort_keys=True, indent=1) + "\n"


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises
    ------
    UsageError
        The file cannot be read, or is no baseline of this version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema_version"] != BASELINE_VERSION:
            raise UsageError(
                f"The baseline has version {document['schema_version']}, this rtgraph reads "
                f"{BASELINE_VERSION}.", "Write a new one with --write-baseline.")
        return Baseline({key: Fixed(row["check"], row["subject"], row["target"])
                         for key, row in document["findings"].items()})
    except OSError as error:
        raise UsageError(f"The baseline cannot be read: {error.strerror}.",
                         "Write one with --write-baseline.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("The file is no baseline.", "Write one with --write-baseline.") from error
