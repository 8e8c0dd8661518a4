"""Runs checks on a graph and gathers what they find in one report.

A check that errors or times out does not stop the others, and the exit code says that the run is
incomplete: an unfinished run cannot claim anything. Population 0 is *not checked*, not *passed*.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from rtgraph.cypher.header import (
    FINDING,
    BrokenFile,
    Check,
    Confidence,
    Level,
    Severity,
    View,
)
from rtgraph.cypher.report import Finding, Report, Result, State, Status, status_of
from rtgraph.errors import RtgraphError, ServerUnreachable
from rtgraph.graphmodel.tables import Row

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store

__all__ = ["Finding", "Report", "Result", "State", "Status", "broken", "run_checks"]

# The option that gives a parameter of a check its value.
GIVEN_BY = {
    "profile": "--against FILE",
    "protocol": "--protocol FILE with structures",
    "objects": "--protocol FILE with objects",
}


async def run_checks(
    store: "Store",
    checks: Iterable[Check],
    *,
    patient: str | None = None,
    level: Level = Level.header,
    timeout: float | None = None,
    jobs: int = 1,
    parameters: Mapping[str, object] | None = None,
    partial: Mapping[Level, str] | None = None,
    done: Callable[[Result], None] | None = None,
) -> Report:
    """Run checks in read-only transactions; the results are in the order of the checks.

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
    jobs : int
        Checks that run at the same time.
    parameters : mapping, optional
        Values for checks with a parameter; a check whose parameter is not there is skipped.
    partial : mapping of Level to str, optional
        Passes that could not read every file, and a sentence about it. A check of such a level
        that finds nothing has not finished.
    done : callable, optional
        Gets each result as soon as it is there.
    """
    started = perf_counter()
    turn = asyncio.Semaphore(jobs)
    values = dict(parameters or {})
    lost = ""

    async def one(check: Check) -> Result:
        nonlocal lost
        async with turn:
            if why := _skipped(check, level, values):
                result = Result(check, Status.skipped, message=why)
            elif lost:
                result = Result(check, Status.errored, message=lost)
            else:
                try:
                    result = _as_far(await _run(store, check, patient, timeout, values),
                                     (partial or {}).get(check.level, ""))
                except ServerUnreachable as error:  # each further check would wait for it again
                    lost = _sentence(error)
                    result = Result(check, Status.errored, message=lost)
        if done:
            done(result)
        return result

    results = await asyncio.gather(*(one(check) for check in checks))
    return Report(tuple(results), patient, level, perf_counter() - started)


def _as_far(result: Result, lost: str) -> Result:
    """Return the result of a check whose pass was not complete: nothing found proves nothing."""
    if not lost or result.status is Status.errored:
        return result
    if not result.findings:
        result = replace(result, status=Status.errored)
    return replace(result, partial=True, message=lost)


def broken(problem: BrokenFile) -> Result:
    """Return the result of a check whose file cannot be read: it errored, the others run."""
    check = Check(
        id=problem.name, title=f"{problem.name}.cypher cannot be read", severity=Severity.error,
        confidence=Confidence.fact, level=Level.header, tier=1, view=View.table,
        returns=(), identity=(), population="", identifying=(), fix="Correct the header.",
        source="", statement="", text="")
    return Result(check, Status.errored, message=_sentence(problem))


def _skipped(check: Check, level: Level, values: Mapping[str, object]) -> str:
    """Return why a check cannot be run here, else an empty text."""
    if check.level.rank > level.rank:
        return f"needs --level {check.level}"
    if missing := check.params - set(values):
        return f"needs {GIVEN_BY.get(min(missing), f'the parameter {min(missing)}')}"
    return ""


async def _run(
    store: "Store", check: Check, patient: str | None, timeout: float | None,
    values: Mapping[str, object],
) -> Result:
    started = perf_counter()
    given = {name: values[name] for name in check.params}
    try:
        async with asyncio.timeout(timeout):
            rows = await store.read(check.statement, **given)
            counted = await store.read(check.population)
    except ServerUnreachable:
        raise
    except TimeoutError:
        message = f"It took longer than {timeout:g} s." if timeout else "The server is too slow."
    except RtgraphError as error:
        message = _sentence(error)
    else:
        if not (all(set(FINDING) <= set(r) for r in rows) and counted and "n" in counted[0]):
            return Result(check, Status.errored, message="It does not return what a check returns.")
        population = int(counted[0]["n"])
        findings = tuple(sorted(
            (_finding(check, r) for r in rows if patient in (None, r["patient_key"])),
            key=_worst_first,
        ))
        return Result(
            check, status_of(check, findings, population), findings, population,
            perf_counter() - started, total=len(rows),
        )
    return Result(check, Status.errored, seconds=perf_counter() - started, message=message)


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
