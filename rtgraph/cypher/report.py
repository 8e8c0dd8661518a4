"""What a run of checks found: findings, results of checks, and the report of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b

from rtgraph.cypher.header import Check, Confidence, Level, Severity
from rtgraph.errors import ExitCode
from rtgraph.text import one_line


class Status(StrEnum):
    """How a check ended."""

    passed = "passed"
    failed = "failed"            # findings of severity error, from facts
    warned = "warned"            # milder findings, and all findings of a heuristic
    accepted = "accepted"        # all its findings are known, suppressed or waived
    not_checked = "not checked"  # there was nothing to look at
    errored = "errored"          # it could not finish
    skipped = "skipped"          # its facts belong to another level, or it needs a protocol


UNFINISHED = (Status.errored, Status.skipped)  # whether there is a finding is not known
QUIET = (Status.passed, Status.not_checked)  # nothing was found


class State(StrEnum):
    """Whether a finding counts: only new ones can fail a run."""

    new = "new"                # not accepted by anyone
    known = "known"            # in the baseline
    suppressed = "suppressed"  # by an entry of the settings
    waived = "waived"          # by a person, in the graph


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that breaks a check; `subject` and `target` are UIDs, keys or names of parts.

    `accepted` says who accepted it and why; it is empty for new and known findings.
    """

    patient_key: str | None
    subject: str | None
    target: str | None
    severity: Severity
    detail: Mapping[str, object]
    state: State = State.new
    accepted: str = ""

    @property
    def counts(self) -> bool:
        """Tell whether the finding is one that nobody accepted."""
        return self.state is State.new


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended.

    Attributes
    ----------
    findings : tuple of Finding
        Of the patient of the run, the worst first.
    population : int
        What was looked at, in the whole graph.
    total : int
        Findings in the whole graph, also when the run is about one patient.
    message : str
        One sentence; empty unless the check errored, was skipped or is partial.
    partial : bool
        Its pass could not read every file: what it found is so, what it did not find is not known.
    """

    check: Check
    status: Status
    findings: tuple[Finding, ...] = ()
    population: int = 0
    seconds: float = 0.0
    message: str = ""
    total: int = 0
    partial: bool = False

    @property
    def finished(self) -> bool:
        """Tell whether what it did not find is not there."""
        return self.status not in UNFINISHED and not self.partial

    @property
    def severity(self) -> Severity:
        """The highest severity among the findings, else that of the check."""
        found = [f.severity for f in self.findings if f.counts] or [
            f.severity for f in self.findings]
        return max(found, key=lambda s: s.rank, default=self.check.severity)

    def states(self) -> dict[State, int]:
        """Return how many findings there are in each state."""
        return {s: sum(f.state is s for f in self.findings) for s in State}


@dataclass(frozen=True, slots=True)
class Fixed:
    """A finding of the baseline that is no longer there."""

    check: str
    subject: str | None
    target: str | None


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
    notices : tuple of str
        What is to be said about settings: suppressions that nothing needed or that are over.
    baseline : bool
        Whether the findings were compared with a baseline; then `fixed` is what is gone.
    heuristics_count : bool
        Whether heuristic findings may fail the run.
    """

    results: tuple[Result, ...]
    patient: str | None = None
    level: Level = Level.header
    seconds: float = field(default=0.0, compare=False)
    started: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
    notices: tuple[str, ...] = ()
    baseline: bool = False
    fixed: tuple[Fixed, ...] = ()
    heuristics_count: bool = False

    def exit_code(self, fail_on: Severity = Severity.error) -> ExitCode:
        """Return 3 when a check errored or is partial, else 1 for a new fact at or above
        `fail_on`, else 0."""
        if any(r.status is Status.errored or r.partial for r in self.results):
            return ExitCode.incomplete
        if any(self.fails(r, f, fail_on) for r in self.results for f in r.findings):
            return ExitCode.findings
        return ExitCode.done

    def fails(self, result: Result, finding: Finding, fail_on: Severity) -> bool:
        """Tell whether a finding is one that makes the run exit with 1."""
        certain = result.check.confidence is Confidence.fact or self.heuristics_count
        return certain and finding.counts and finding.severity.rank >= fail_on.rank

    def counts(self) -> dict[Status, int]:
        """Return how many checks ended in each status."""
        return {s: sum(r.status is s for r in self.results) for s in Status}

    def severities(self) -> dict[Severity, int]:
        """Return how many findings there are of each severity."""
        found = [f.severity for r in self.results for f in r.findings]
        return {s: found.count(s) for s in Severity}

    def states(self) -> dict[State, int]:
        """Return how many findings there are in each state."""
        found = [f.state for r in self.results for f in r.findings]
        return {s: found.count(s) for s in State}


def status_of(check: Check, findings: tuple[Finding, ...], population: int) -> Status:
    """Return how a check ended that could finish."""
    if not findings:
        return Status.passed if population else Status.not_checked
    counting = [f for f in findings if f.counts]
    if not counting:
        return Status.accepted
    certain = check.confidence is Confidence.fact
    if certain and any(f.severity is Severity.error for f in counting):
        return Status.failed
    return Status.warned


def identity(check: Check, finding: Finding) -> tuple[str, ...]:
    """Return what makes the finding the same one in the next run; an absent value is empty."""
    columns = {"patient_key": finding.patient_key, "subject": finding.subject,
               "target": finding.target}
    values = (columns.get(name, finding.detail.get(name)) for name in check.identity)
    return tuple("" if value is None else str(value) for value in values)


def issue_key(check: Check, finding: Finding) -> str:
    """Return the key of the Issue node: the id of the check and the identity of the finding."""
    return "|".join((check.id, *identity(check, finding)))


def fingerprint(check: Check, finding: Finding) -> str:
    """Return a digest of the identity, 32 hex digits: the same after a wipe and a re-ingest."""
    return blake2b(issue_key(check, finding).encode(), digest_size=16).hexdigest()


def ends(subject: str | None, target: str | None) -> str:
    """Return subject and target of a finding in one line."""
    text = one_line(subject or "-")
    return text if target is None else f"{text} → {one_line(target)}"
