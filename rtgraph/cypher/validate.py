"""Runs checks on a graph and gathers what they find in one report.

A check that errors or times out does not stop the others, and the exit code says that the run is
incomplete: an unfinished run cannot claim anything. Population 0 is *not checked*, not *passed*.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING

from rtgraph.cypher.header import Check, Confidence, Level, Severity
from rtgraph.errors import ExitCode, RtgraphError, ServerUnreachable
from rtgraph.graphmodel.tables import Row

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store


class Status(StrEnum):
    """How a check ended."""

    passed = "passed"
    failed = "failed"            # findings of severity error, from facts
    warned = "warned"            # milder findings, and all findings of a heuristic
    not_checked = "not checked"  # there was nothing to look at
    errored = "errored"          # it could not finish
    skipped = "skipped"          # its facts belong to another level, or it needs a parameter


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that breaks a check; `subject` and `target` are UIDs, keys or names of parts."""

    patient_key: str | None
    subject: str | None
    target: str | None
    severity: Severity
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended; `message` is one sentence, empty unless it errored or was skipped."""

    check: Check
    status: Status
    findings: tuple[Finding, ...] = ()
    population: int = 0
    seconds: float = 0.0
    message: str = ""

    @property
    def severity(self) -> Severity:
        """The highest severity among the findings, else that of the check."""
        found = [f.severity for f in self.findings]
        return max(found, key=lambda s: s.rank, default=self.check.severity)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found.

    Attributes
    ----------
    results : tuple of Result
        One for each check, in the order of the run.
    patient : str or None
        The `patient_key` whose findings were kept; populations are those of the whole graph.
    level : Level
        The level of the run.
    seconds : float
        Time of the run.
    """

    results: tuple[Result, ...]
    patient: str | None = None
    level: Level = Level.header
    seconds: float = field(default=0.0, compare=False)

    def exit_code(self, fail_on: Severity = Severity.error) -> ExitCode:
        """Return 3 when a check errored, else 1 for a fact at or above `fail_on`, else 0."""
        if any(r.status is Status.errored for r in self.results):
            return ExitCode.incomplete
        facts = [r for r in self.results if r.check.confidence is Confidence.fact]
        if any(f.severity.rank >= fail_on.rank for r in facts for f in r.findings):
            return ExitCode.findings
        return ExitCode.done

    def counts(self) -> dict[Status, int]:
        """Return how many checks ended in each status."""
        return {s: sum(r.status is s for r in self.results) for s in Status}

    def severities(self) -> dict[Severity, int]:
        """Return how many findings there are of each severity."""
        found = [f.severity for r in self.results for f in r.findings]
        return {s: found.count(s) for s in Severity}


async def run_checks(
    store: "Store",
    checks: Iterable[Check],
    *,
    patient: str | None = None,
    level: Level = Level.header,
    timeout: float | None = None,
) -> Report:
    """Run checks one after the other, in read-only transactions.

    Parameters
    ----------
    store : Store
        The graph; its derived edges must be up to date.
    checks : iterable of Check
        What to run, from `library.select`.
    patient : str, optional
        Keep only the findings of this `patient_key`.
    level : Level
        The pass whose facts are in the graph; checks that need a later one are skipped.
    timeout : float, optional
        Seconds that one check may take.
    """
    started = perf_counter()
    results: list[Result] = []
    lost = ""
    for check in checks:
        if check.level.rank > level.rank:
            needs = f"needs --level {check.level}"
            results.append(Result(check, Status.skipped, message=needs))
        elif check.params:
            needs = f"needs the parameter {', '.join(sorted(check.params))}"
            results.append(Result(check, Status.skipped, message=needs))
        elif lost:
            results.append(Result(check, Status.errored, message=lost))
        else:
            try:
                results.append(await _run(store, check, patient, timeout))
            except ServerUnreachable as error:  # each further check would wait for it again
                lost = _sentence(error)
                results.append(Result(check, Status.errored, message=lost))
    return Report(tuple(results), patient, level, perf_counter() - started)


async def _run(
    store: "Store", check: Check, patient: str | None, timeout: float | None
) -> Result:
    started = perf_counter()
    try:
        async with asyncio.timeout(timeout):
            rows = await store.read(check.statement)
            population = (await store.read(check.population))[0]["n"]
    except ServerUnreachable:
        raise
    except TimeoutError:
        message = f"It took longer than {timeout:g} s." if timeout else "The server is too slow."
    except RtgraphError as error:
        message = _sentence(error)
    else:
        findings = sorted(
            (_finding(check, r) for r in rows if patient in (None, r["patient_key"])),
            key=_worst_first,
        )
        return Result(
            check, _status(check, findings, population), tuple(findings), population,
            perf_counter() - started,
        )
    return Result(check, Status.errored, seconds=perf_counter() - started, message=message)


def _status(check: Check, findings: list[Finding], population: int) -> Status:
    if not findings:
        return Status.passed if population else Status.not_checked
    certain = check.confidence is Confidence.fact
    if certain and any(f.severity is Severity.error for f in findings):
        return Status.failed
    return Status.warned


def _finding(check: Check, row: Row) -> Finding:
    """Make a finding of a row; a list of texts inside `detail` is a set."""
    stated = str(row.get("severity") or "").lower()
    detail = {
        key: sorted(set(value))
        if isinstance(value, list) and all(isinstance(v, str) for v in value)
        else value
        for key, value in row["detail"].items()
    }
    return Finding(
        row["patient_key"],
        row["subject"],
        row["target"],
        Severity(stated) if stated in list(Severity) else check.severity,
        detail,
    )


def _worst_first(finding: Finding) -> tuple[object, ...]:
    """Order findings by severity, then as the statement does, then by detail: a total order."""
    names = (finding.patient_key, finding.subject, finding.target)
    known = ((name is None, name or "") for name in names)
    return (
        -finding.severity.rank,
        *known,
        json.dumps(finding.detail, sort_keys=True, default=str),
    )


def _sentence(error: RtgraphError) -> str:
    """Return the first line of a message; the server adds the statement and a caret below it."""
    return str(error).strip().split("\n")[0]
