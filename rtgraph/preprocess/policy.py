"""Which dose belongs to a plan: a policy that is data, a ladder of rules, and the decision.

Candidates are filtered first, then the first rule that fits decides. What is ambiguous is refused
by default. Never are doses added over frames without a registration, of alternative plans, of
different types or units, and no label is read.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b

from rtgraph.preprocess.dose import SUMMATION_TERMS


class Rule(StrEnum):
    """What decided, or why nothing could."""

    EXISTING_SUM = "EXISTING_SUM"
    PLAN_DOSE = "PLAN_DOSE"
    SUM_OF_BEAMS = "SUM_OF_BEAMS"
    SUM_OF_FRACTIONS = "SUM_OF_FRACTIONS"
    SUM_OF_PLANS = "SUM_OF_PLANS"
    DUPLICATE = "DUPLICATE"
    LATEST = "LATEST"
    AMBIGUOUS = "AMBIGUOUS"
    NO_DOSE = "NO_DOSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The policy of a configuration, table `[dose_policy]`.

    Attributes
    ----------
    scope : str
        plan: the dose of one plan; course: the sum over the plans.
    units, dose_types : tuple of str
        DoseUnits and DoseType that are accepted; one result never mixes two types.
    links : tuple of str
        stated, and inferred to accept guessed links of doses to plans.
    excluded : tuple of str
        SOPInstanceUIDs of doses that are never taken: how a person resolves what is ambiguous.
    on_ambiguity : str
        refuse, or latest: of several different doses of a plan the one calculated last.
    max_plausible_gy, prescription_ratio
        Beyond them the decision has a warning.
    """

    name: str = "plan-dose"
    version: int = 1
    scope: str = "plan"
    units: tuple[str, ...] = ("GY",)
    dose_types: tuple[str, ...] = ("PHYSICAL",)
    links: tuple[str, ...] = ("stated",)
    excluded: tuple[str, ...] = ()
    on_ambiguity: str = "refuse"
    max_plausible_gy: float = 100.0
    prescription_ratio: tuple[float, float] = (0.5, 2.0)

    @property
    def digest(self) -> str:
        """A hash of everything that the policy says."""
        text = json.dumps(asdict(self), sort_keys=True)
        return blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A dose that refers to a plan, as the graph knows it.

    Attributes
    ----------
    plans : tuple of str
        Plans that it names, present or not.
    beams, groups : tuple of int
        Beam and fraction group numbers that it names.
    readable : bool
        The header says where the planes are.
    kept : str
        HEADER or NONE where its values were not kept on purpose.
    inferred : bool
        The link to the plan is guessed.
    same_patient : bool
        Dose and plan belong to one patient.
    """

    uid: str
    plans: tuple[str, ...]
    units: str = "GY"
    dose_type: str = "PHYSICAL"
    summation: str = "PLAN"
    frame_uid: str = ""
    beams: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    readable: bool = True
    kept: str = ""
    created: datetime | None = None
    inferred: bool = False
    same_patient: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """What the ladder asks of a plan.

    Attributes
    ----------
    beams : frozenset of int
        Numbers of its treatment beams.
    groups : frozenset of int
        Numbers of its fraction groups.
    fractions_planned, fractions_delivered : int or None
        Sum over its fraction groups; different fractions in its treatment records.
    related : frozenset of str
        Plans that it states as concurrent or successive, or that state it.
    """

    uid: str
    beams: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    fractions_planned: int | None = None
    fractions_delivered: int | None = None
    related: frozenset[str] = frozenset()
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with its reasons: doses with weights, rejected ones with codes, warnings."""

    rule: Rule
    chosen: tuple[tuple[str, float], ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def decided(self) -> bool:
        """Tell whether there is a dose."""
        return bool(self.chosen)


Digest = Callable[[str], str | None]


def decide(policy: Policy, plans: Sequence[PlanFacts], candidates: Iterable[Candidate],
           frames: Mapping[str, bool], digest_of: Digest = lambda uid: None) -> Decision:
    """Choose the dose of one plan, or the doses of a course.

    Parameters
    ----------
    policy : Policy
        The rules' data.
    plans : sequence of PlanFacts
        The plan asked for; under the scope course all plans of the course.
    candidates : iterable of Candidate
        Doses that refer to at least one of them.
    frames : mapping of str to bool
        Frames of reference of the candidates, and whether one leads to the reference grid.
    digest_of : callable
        Digest of the stored pixels of a dose, None where pixels are not to be opened.
    """
    kept: list[Candidate] = []
    rejected: list[tuple[str, str]] = []
    for c in sorted(candidates, key=lambda c: c.uid):
        code = _filtered(policy, c, frames)
        if code:
            rejected.append((c.uid, code))
        else:
            kept.append(c)
    warnings = [f"STALE {c.uid}" for c in kept if _is_stale(c, plans)]
    if len({c.dose_type for c in kept}) > 1:
        preferred = next(t for t in policy.dose_types if any(c.dose_type == t for c in kept))
        rejected += [(c.uid, "DOSE_TYPE") for c in kept if c.dose_type != preferred]
        kept = [c for c in kept if c.dose_type == preferred]
    found = _climb(policy, plans, kept, digest_of)
    known = {uid for uid, _ in found.chosen} | {uid for uid, _ in found.rejected}
    left = [(c.uid, "NOT_CHOSEN") for c in kept if c.uid not in known]
    return Decision(found.rule, found.chosen, tuple(sorted([*rejected, *found.rejected, *left])),
                    (*warnings, *found.warnings))


def _filtered(policy: Policy, c: Candidate, frames: Mapping[str, bool]) -> str:
    """Return the code of the first filter that a candidate does not pass (F1 to F5)."""
    if c.uid in policy.excluded:
        return "EXCLUDED"
    if not c.same_patient:
        return "OTHER_PATIENT"
    if c.units not in policy.units:
        return "UNITS"
    if c.dose_type not in policy.dose_types:
        return "DOSE_TYPE"
    if c.kept:
        return "HEADER_ONLY"
    if not c.readable:
        return "UNREADABLE_GRID"
    if not frames.get(c.frame_uid, False):
        return "FRAME"
    if c.summation not in SUMMATION_TERMS:
        return "SUMMATION_TERM"
    return "LINK" if c.inferred and "inferred" not in policy.links else ""


def _is_stale(c: Candidate, plans: Sequence[PlanFacts]) -> bool:
    return any(p.uid in c.plans and p.created is not None and c.created is not None
               and c.created < p.created for p in plans)


def _climb(policy: Policy, plans: Sequence[PlanFacts], kept: Sequence[Candidate],
           digest_of: Digest) -> Decision:
    wanted = frozenset(p.uid for p in plans)
    sums = [c for c in kept if c.summation == "MULTI_PLAN"]
    exact = [c for c in sums if frozenset(c.plans) == wanted]
    if len(exact) == 1:
        return Decision(Rule.EXISTING_SUM, ((exact[0].uid, 1.0),))
    if len(exact) > 1:
        return _one_of(policy, exact, digest_of)
    others = tuple((c.uid, "OTHER_PLANS") for c in kept if len(c.plans) > 1)
    kept = [c for c in kept if len(c.plans) == 1]
    if len(plans) == 1:
        found = _of_plan(policy, plans[0], kept, digest_of)
        return Decision(found.rule, found.chosen, (*others, *found.rejected), found.warnings)
    return _of_course(policy, plans, kept, digest_of, others)


def _of_course(policy: Policy, plans: Sequence[PlanFacts], kept: Sequence[Candidate],
               digest_of: Digest, others: tuple[tuple[str, str], ...]) -> Decision:
    """Add plans that are stated to belong together, weighted by delivered fractions (R5)."""
    uids = {p.uid for p in plans}
    unrelated = [p.uid for p in plans if not (p.related & (uids - {p.uid}))]
    if unrelated:
        return Decision(Rule.AMBIGUOUS, (), others,
                        tuple(f"UNRELATED_PLAN {uid}" for uid in sorted(unrelated)))
    chosen: list[tuple[str, float]] = []
    rejected = list(others)
    warnings: list[str] = []
    for plan in sorted(plans, key=lambda p: p.uid):
        found = _of_plan(policy, plan, [c for c in kept if plan.uid in c.plans], digest_of)
        rejected += found.rejected
        warnings += found.warnings
        if not found.decided:
            return Decision(found.rule, (), tuple(rejected), (*warnings, f"PLAN {plan.uid}"))
        if not plan.fractions_planned or plan.fractions_delivered is None:
            return Decision(Rule.AMBIGUOUS, (), tuple(rejected),
                            (*warnings, f"NO_DELIVERED_FRACTIONS {plan.uid}"))
        weight = plan.fractions_delivered / plan.fractions_planned
        chosen += [(uid, w * weight) for uid, w in found.chosen]
    return Decision(Rule.SUM_OF_PLANS, tuple(chosen), tuple(rejected), tuple(warnings))


def _of_plan(policy: Policy, plan: PlanFacts, kept: Sequence[Candidate], digest_of: Digest
             ) -> Decision:
    """Take the dose of one plan (R2 to R4, R6 to R8)."""
    whole = [c for c in kept if c.summation == "PLAN"]
    if len(whole) == 1:
        parts = tuple((c.uid, "PART_OF_PLAN") for c in kept if c.summation != "PLAN")
        return Decision(Rule.PLAN_DOSE, ((whole[0].uid, 1.0),), parts)
    if len(whole) > 1:
        return _one_of(policy, whole, digest_of)
    for rule, term, needed in ((Rule.SUM_OF_BEAMS, "BEAM", plan.beams),
                               (Rule.SUM_OF_FRACTIONS, "FRACTION", plan.groups)):
        parts_of = [c for c in kept if c.summation == term]
        named = [n for c in parts_of for n in (c.beams if term == "BEAM" else c.groups)]
        if parts_of and needed and needed <= set(named):
            if len(named) > len(set(named)):
                return Decision(Rule.AMBIGUOUS, (), (), (f"{term}_TWICE",))
            return Decision(rule, tuple((c.uid, 1.0) for c in parts_of))
    incomplete = tuple((c.uid, "INCOMPLETE") for c in kept)
    return Decision(Rule.NO_DOSE, (), incomplete)


def beam_doses(plan: PlanFacts, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the BEAM doses that together are a plan; none when a beam lacks or stands twice."""
    parts = [c for c in candidates if c.summation == "BEAM" and c.plans == (plan.uid,)]
    named = [n for c in parts for n in c.beams]
    whole = plan.beams and plan.beams <= set(named) and len(named) == len(set(named))
    return tuple(parts) if whole else ()


def _one_of(policy: Policy, several: Sequence[Candidate], digest_of: Digest) -> Decision:
    """Take one of several doses that say to be the same (R6), else what the policy says (R7)."""
    digests = {digest_of(c.uid) for c in several}
    first = several[0]
    rest = tuple(c for c in several if c is not first)
    if len(digests) == 1 and None not in digests:
        return Decision(Rule.DUPLICATE, ((first.uid, 1.0),),
                        tuple((c.uid, "DUPLICATE") for c in rest))
    warning = ("PIXELS_NOT_COMPARED",) if None in digests else ()
    dated = [c for c in several if c.created is not None]
    if policy.on_ambiguity == "latest" and dated:
        last = max(c.created for c in dated if c.created is not None)
        latest = [c for c in dated if c.created == last]
        if len(latest) == 1:
            return Decision(Rule.LATEST, ((latest[0].uid, 1.0),), tuple(
                (c.uid, "EARLIER") for c in several if c is not latest[0]), warning)
    return Decision(Rule.AMBIGUOUS, (), tuple((c.uid, "AMBIGUOUS") for c in several), warning)


def plausibility(policy: Policy, max_gy: float, prescription_gy: float | None) -> list[str]:
    """Return what is odd about the maximum of a dose that was chosen."""
    found = []
    if max_gy > policy.max_plausible_gy:
        found.append(f"ABOVE_PLAUSIBLE {max_gy:.1f} Gy")
    low, high = policy.prescription_ratio
    if prescription_gy and not low <= max_gy / prescription_gy <= high:
        found.append(f"PRESCRIPTION_RATIO {max_gy / prescription_gy:.2f}")
    return found
