"""Findings in the graph: stored runs and issues, waivers, and what changed between two runs.

An issue is OPEN while the last run that looked for it found it, then CLOSED; WAIVED by a person,
with a reason, until a day or for good. A run touches only the checks that it could finish.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from rtgraph import __version__
from rtgraph.cypher.header import Confidence
from rtgraph.cypher.library import lookup
from rtgraph.cypher.report import UNFINISHED, Report, issue_key
from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel import findings
from rtgraph.graphmodel.nodes import NODE_TYPES, NodeType
from rtgraph.graphmodel.tables import Row

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store, Transaction

_CONFIDENCE = {Confidence.fact: 1.0, Confidence.heuristic: 0.5}
# Nodes that tell about findings, and are not what a finding is about.
_ABOUT_NOTHING = {"Issue", "ValidationRun", "IngestRun", "ReferenceRole", "Root", "Cohort"}
# Most findings are about these, so that few statements are needed.
_LIKELY = ("Instance", "Series", "Study", "Patient", "FrameOfReference")
BATCH = 5000


@dataclass(frozen=True, slots=True)
class Difference:
    """Issues by what became of them between two stored runs."""

    before: str
    after: str
    opened: tuple[Row, ...]
    closed: tuple[Row, ...]
    unchanged: tuple[Row, ...]
    not_compared: tuple[str, ...]


async def store_report(store: "Store", report: Report) -> str:
    """Write the run and its findings as issues, close what is gone; return the id of the run."""
    finished = datetime.now(UTC)
    run_id = f"{report.started:%Y-%m-%dT%H:%M:%SZ}-{secrets.token_hex(2)}"
    ran = [r for r in report.results if r.status not in UNFINISHED]
    checks = sorted(r.check.id for r in ran if r.finished)
    counts = {status.value: n for status, n in report.counts().items() if n}
    rows = {
        issue_key(r.check, f): [
            issue_key(r.check, f), r.check.id, f.severity.upper(), _CONFIDENCE[r.check.confidence],
            f.patient_key, f.subject, f.target]
        for r in ran for f in reversed(r.findings)}
    issues = [rows[key] for key in sorted(rows)]

    async def work(transaction: "Transaction") -> None:
        await transaction.run(
            findings.RUN_NODE, id=run_id, started=report.started, finished=finished,
            tool_version=__version__, level=report.level.value, checks=checks,
            counts=json.dumps(counts, sort_keys=True), patient_key=report.patient)
        today = date.today()
        for at in range(0, len(issues), BATCH):
            part = issues[at:at + BATCH]
            await transaction.run(findings.ISSUES, run=run_id, rows=part, now=finished,
                                  today=today)
            subjects = [[row[0], row[5]] for row in part if row[5] is not None]
            for kind in sorted(NODE_TYPES, key=_likely_first):
                if subjects and kind.label not in _ABOUT_NOTHING:
                    tied = {r["key"] for r in await transaction.run(
                        findings.about(kind.label, kind.key), rows=subjects)}
                    subjects = [row for row in subjects if row[0] not in tied]
        await transaction.run(findings.CLOSE, run=run_id, checks=checks, today=today,
                              patient_key=report.patient)

    await store.transact(work)
    return run_id


def _likely_first(kind: NodeType) -> int:
    return _LIKELY.index(kind.label) if kind.label in _LIKELY else len(_LIKELY)


async def waivers(store: "Store", today: date | None = None) -> dict[str, str]:
    """Return the keys of the issues that are waived today, each with who waived it and why."""
    day = today or date.today()
    rows = await store.read(lookup("waivers").statement)
    return {r["key"]: f"{r['author']}: {r['reason']}" for r in rows
            if r["until"] is None or r["until"] >= day}


async def waived(store: "Store") -> list[Row]:
    """Return all waived issues, those whose waiver is over included."""
    return await store.read(lookup("waivers").statement)


async def waive(
    store: "Store", rule: str, subject: str, target: str | None, *, author: str, reason: str,
    until: date | None,
) -> Row:
    """Waive a stored issue; return it.

    Raises
    ------
    UsageError
        There is no such issue, or there are several.
    """
    issue = await _issue(store, rule, subject, target)
    now = datetime.now(UTC)

    async def work(transaction: "Transaction") -> None:
        await transaction.run(findings.WAIVE, key=issue["key"], author=author, reason=reason,
                              now=now, until=until)

    await store.transact(work)
    return issue


async def undo_waiver(store: "Store", rule: str, subject: str, target: str | None) -> Row:
    """Take a waiver back; return the issue.

    Raises
    ------
    UsageError
        There is no such issue, it is not waived, or there are several.
    """
    issue = await _issue(store, rule, subject, target)
    if issue["status"] != "WAIVED":
        raise UsageError(f"The issue of {rule} is not waived.", "See rtgraph waive --list.")

    async def work(transaction: "Transaction") -> None:
        await transaction.run(findings.UNDO_WAIVER, key=issue["key"])

    await store.transact(work)
    return issue


async def _issue(store: "Store", rule: str, subject: str, target: str | None) -> Row:
    """Return the issue of a check and subject; `target` is any other part of its identity."""
    rows = await store.read(lookup("issues-of").statement, rule=rule, subject=subject)
    found = [r for r in rows if target is None or target == r["target"]
             or target in r["key"].split("|")[2:]]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"There is no stored issue of {rule} with this subject and target.",
                         "Store the findings first: rtgraph validate --store")
    which = sorted({str(r["target"] or r["key"].split("|")[-1]) for r in found})
    raise UsageError(f"There are {len(found)} stored issues of {rule} with this subject.",
                     f"Name the target too, one of: {', '.join(which[:5])}.")


async def runs(store: "Store") -> list[Row]:
    """Return the stored runs, the newest first."""
    return await store.read(lookup("validation-runs").statement)


async def difference(store: "Store", before: str, after: str | None = None) -> Difference:
    """Compare two stored runs, the second being the newest unless it is named.

    Raises
    ------
    UnknownName
        There is no such run.
    UsageError
        There is nothing to compare it with.
    """
    stored = await runs(store)
    by_id = {r["id"]: r for r in stored}
    for run in filter(None, (before, after)):
        if run not in by_id:
            raise UnknownName("stored run", run, by_id)
    if after is None:
        after = str(stored[0]["id"])
    if after == before:
        raise UsageError("The run is the newest one that is stored.",
                         "Run the checks again with --store, then compare.")
    both = set(by_id[before]["checks"]) & set(by_id[after]["checks"])
    either = set(by_id[before]["checks"]) | set(by_id[after]["checks"])
    rows = await store.read(lookup("difference").statement, before=before, after=after)
    known = [r for r in rows if r["rule"] in both and _in_both(r, by_id[before], by_id[after])]
    return Difference(
        before, after,
        opened=_where(known, before=False, after=True),
        closed=_where(known, before=True, after=False),
        unchanged=_where(known, before=True, after=True),
        not_compared=tuple(sorted(either - both)))


def _in_both(issue: Row, *compared: Row) -> bool:
    """Tell whether each run looked at the patient of the issue."""
    return all(run["patient_key"] in (None, issue["patient_key"]) for run in compared)


def _where(rows: Sequence[Row], *, before: bool, after: bool) -> tuple[Row, ...]:
    return tuple(r for r in rows if r["before"] is before and r["after"] is after)
