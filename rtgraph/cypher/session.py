"""One validation as a user asks for it: which checks, of whom, held against what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtgraph.cypher import library
from rtgraph.cypher.graph import patient_of, recognise
from rtgraph.cypher.header import BrokenFile, Check, Level
from rtgraph.cypher.judge import judge, read_baseline
from rtgraph.cypher.policy import Policy, read_policy
from rtgraph.cypher.profile import CHECK, PARAMETER, read_profile
from rtgraph.cypher.report import Report, Result
from rtgraph.cypher.stored import waivers
from rtgraph.cypher.validate import broken, run_checks

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store

# Files of the project that are checks beside those of the package.
OWN_CHECKS = Path("checks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a user wants checked.

    Attributes
    ----------
    select, ignore : sequence of str
        Families or ids of checks.
    patient, study : str, optional
        patient_key or PatientID, or the StudyInstanceUID of a patient, whose findings are kept.
    settings : mapping
        The section about checks of the settings.
    protocol, baseline : Path, optional
        A protocol file and a baseline.
    against : Path, optional
        The profile of the source of a copy; the comparison runs besides what `select` names, alone
        when that is empty.
    heuristics : bool
        Whether heuristic findings may fail the run.
    own : Path, optional
        Folder of the project's own checks.
    """

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    patient: str | None = None
    study: str | None = None
    level: Level = Level.header
    timeout: float | None = None
    jobs: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    protocol: Path | None = None
    baseline: Path | None = None
    against: Path | None = None
    heuristics: bool = False
    own: Path | None = OWN_CHECKS


class Validation:
    """A validation whose settings and files have been read, so that mistakes come before work.

    Raises
    ------
    UsageError
        A name, a setting or a file is wrong.
    """

    def __init__(self, wanted: Wanted) -> None:
        loaded = library.load_checks(wanted.own)
        if wanted.against:
            wanted = replace(wanted, select=(*wanted.select, CHECK))
        self.wanted = wanted
        self.policy: Policy = read_policy(wanted.settings, loaded.files, wanted.protocol)
        self.broken = _wanted(loaded.problems, wanted)
        self.checks: list[Check] = _selected(loaded, wanted)
        self.parameters: dict[str, object] = dict(self.policy.parameters)
        if wanted.against:
            self.parameters[PARAMETER] = read_profile(wanted.against)
        self.baseline = read_baseline(wanted.baseline) if wanted.baseline else None

    @property
    def passes(self) -> set[Level]:
        """The passes whose facts the chosen checks look at, up to the level that is wanted."""
        return {c.level for c in self.checks
                if Level.header.rank < c.level.rank <= self.wanted.level.rank}

    async def patient(self, store: "Store") -> str | None:
        """Return the key of the patient that is wanted, None for all."""
        return await patient_of(store, self.wanted.patient, self.wanted.study)

    async def run(self, store: "Store", done: Callable[[Result], None] | None = None,
                  partial: Mapping[Level, str] | None = None) -> Report:
        """Run the checks and weigh what they find; `partial` are passes that are not complete."""
        state = await recognise(store)
        wanted = self.wanted
        report = await run_checks(
            store, self.checks, patient=await self.patient(store),
            level=wanted.level, timeout=wanted.timeout, jobs=wanted.jobs,
            parameters=self.parameters, partial=partial, done=done)
        results = (*report.results, *map(broken, self.broken))
        report = replace(
            report, notices=tuple(state.notices), heuristics_count=wanted.heuristics,
            results=tuple(sorted(results, key=lambda r: r.check.id)))
        return judge(report, self.policy, waivers=await waivers(store), baseline=self.baseline)


def _selected(loaded: library.Loaded[Check], wanted: Wanted) -> list[Check]:
    known = {name for c in loaded.files for name in (c.family, c.id)}
    names = set().union(*map(_names, loaded.problems)) - known
    chosen = [n for n in wanted.select if n.upper() not in names]
    if wanted.select and not chosen:
        return []
    ignored = [n for n in wanted.ignore if n.upper() not in names]
    return library.select(loaded.files, chosen, ignored)


def _wanted(problems: Sequence[BrokenFile], wanted: Wanted) -> list[BrokenFile]:
    """Return the broken files among the checks that the user chose."""
    chosen = {n.upper() for n in wanted.select}
    ignored = {n.upper() for n in wanted.ignore}

    return [p for p in problems
            if not _names(p) & ignored and (not chosen or _names(p) & chosen)]


def _names(problem: BrokenFile) -> set[str]:
    """Return id and family of a check that cannot be read."""
    name = problem.name.upper()
    return {name, name.partition("-")[0]}
