"""Every case of the dose policy: what is taken, with which weight, and why the others are not."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from rtgraph.preprocess.policy import (
    Candidate,
    Decision,
    PlanFacts,
    Policy,
    decide,
    plausibility,
)

EARLY, LATE = datetime(2024, 1, 1), datetime(2024, 2, 1)
P = PlanFacts(uid="P", beams=frozenset({1, 2}), groups=frozenset({1}), fractions_planned=30,
              fractions_delivered=30, created=datetime(2023, 12, 1))
Q = replace(P, uid="Q", fractions_planned=10, fractions_delivered=5)
P_Q = (replace(P, related=frozenset({"Q"})), replace(Q, related=frozenset({"P"})))
PLAN, COURSE = Policy(), Policy(scope="course")


def dose(uid: str, plans: str = "P", summation: str = "PLAN", **more: Any) -> Candidate:
    return Candidate(uid=uid, plans=tuple(plans), summation=summation,
                     **{"frame_uid": "F", "created": LATE, **more})


B1, B2 = dose("b1", summation="BEAM", beams=(1,)), dose("b2", summation="BEAM", beams=(2,))
CASES = [
    # name        policy, plans, doses                                 rule, chosen, rejected
    ("one plan dose", PLAN, [P], [dose("d")], "PLAN_DOSE", {"d": 1}, {}),
    ("plan and beam doses", PLAN, [P], [dose("d"), B1, B2], "PLAN_DOSE", {"d": 1},
     {"b1": "PART_OF_PLAN", "b2": "PART_OF_PLAN"}),
    ("beam doses", PLAN, [P], [B1, B2], "SUM_OF_BEAMS", {"b1": 1, "b2": 1}, {}),
    ("a beam lacks", PLAN, [P], [B1], "NO_DOSE", {}, {"b1": "INCOMPLETE"}),
    ("a beam twice", PLAN, [P], [B1, B2, replace(B2, uid="b3")], "AMBIGUOUS", {},
     {"b1": "NOT_CHOSEN", "b2": "NOT_CHOSEN", "b3": "NOT_CHOSEN"}),
    ("both beams in one", PLAN, [P], [replace(B1, beams=(1, 2))], "SUM_OF_BEAMS", {"b1": 1}, {}),
    ("fraction groups", PLAN, [P], [dose("f", summation="FRACTION", groups=(1,))],
     "SUM_OF_FRACTIONS", {"f": 1}, {}),
    ("two plans, each its own", PLAN, [P], [dose("d"), dose("e", "PQ", "MULTI_PLAN")],
     "PLAN_DOSE", {"d": 1}, {"e": "OTHER_PLANS"}),
    ("course without a relation", COURSE, [P, Q], [dose("d"), dose("e", "Q")],
     "AMBIGUOUS", {}, {"d": "NOT_CHOSEN", "e": "NOT_CHOSEN"}),
    ("course with a sum", COURSE, [P, Q], [dose("d"), dose("e", "Q"),
                                           dose("s", "PQ", "MULTI_PLAN")],
     "EXISTING_SUM", {"s": 1}, {"d": "NOT_CHOSEN", "e": "NOT_CHOSEN"}),
    ("course by records", COURSE, [*P_Q], [dose("d"), dose("e", "Q")],
     "SUM_OF_PLANS", {"d": 1, "e": 0.5}, {}),
    ("course, beams of one plan", COURSE, [*P_Q], [dose("d"), replace(B1, plans=("Q",)),
                                                   replace(B2, plans=("Q",))],
     "SUM_OF_PLANS", {"d": 1, "b1": 0.5, "b2": 0.5}, {}),
    ("course without records", COURSE, [P_Q[0], replace(P_Q[1], fractions_delivered=None)],
     [dose("d"), dose("e", "Q")], "AMBIGUOUS", {}, {"d": "NOT_CHOSEN", "e": "NOT_CHOSEN"}),
    ("course, one plan without dose", COURSE, [*P_Q], [dose("d")], "NO_DOSE", {},
     {"d": "NOT_CHOSEN"}),
    ("sum of another set of plans", COURSE, [*P_Q], [dose("s", "PX", "MULTI_PLAN"), dose("d"),
                                                     dose("e", "Q")],
     "SUM_OF_PLANS", {"d": 1, "e": 0.5}, {"s": "OTHER_PLANS"}),
    ("several, the same pixels", PLAN, [P], [dose("same1"), dose("same2")], "DUPLICATE",
     {"same1": 1}, {"same2": "DUPLICATE"}),
    ("several, different", PLAN, [P], [dose("d"), dose("e")], "AMBIGUOUS", {},
     {"d": "AMBIGUOUS", "e": "AMBIGUOUS"}),
    ("several, latest", replace(PLAN, on_ambiguity="latest"), [P],
     [dose("d"), dose("e", created=EARLY)], "LATEST", {"d": 1}, {"e": "EARLIER"}),
    ("several, latest twice", replace(PLAN, on_ambiguity="latest"), [P], [dose("d"), dose("e")],
     "AMBIGUOUS", {}, {"d": "AMBIGUOUS", "e": "AMBIGUOUS"}),
    ("several, one excluded", replace(PLAN, excluded=("e",)), [P], [dose("d"), dose("e")],
     "PLAN_DOSE", {"d": 1}, {"e": "EXCLUDED"}),
    ("of another patient", PLAN, [P], [dose("d"), dose("e", same_patient=False)], "PLAN_DOSE",
     {"d": 1}, {"e": "OTHER_PATIENT"}),
    ("none", PLAN, [P], [], "NO_DOSE", {}, {}),
    ("relative", PLAN, [P], [dose("d", units="RELATIVE")], "NO_DOSE", {}, {"d": "UNITS"}),
    ("effective beside physical", PLAN, [P], [dose("d"), dose("e", dose_type="EFFECTIVE")],
     "PLAN_DOSE", {"d": 1}, {"e": "DOSE_TYPE"}),
    ("both types allowed", replace(PLAN, dose_types=("EFFECTIVE", "PHYSICAL")), [P],
     [dose("d"), dose("e", dose_type="EFFECTIVE")], "PLAN_DOSE", {"e": 1}, {"d": "DOSE_TYPE"}),
    ("unreadable grid", PLAN, [P], [dose("d", readable=False)], "NO_DOSE", {},
     {"d": "UNREADABLE_GRID"}),
    ("values not kept", PLAN, [P], [dose("d", readable=False, kept="HEADER")], "NO_DOSE", {},
     {"d": "HEADER_ONLY"}),
    ("another frame", PLAN, [P], [dose("d", frame_uid="X")], "NO_DOSE", {}, {"d": "FRAME"}),
    ("a registered frame", PLAN, [P], [dose("d", frame_uid="R")], "PLAN_DOSE", {"d": 1}, {}),
    ("no defined term", PLAN, [P], [dose("d", summation="PLAN_SUM")], "NO_DOSE", {},
     {"d": "SUMMATION_TERM"}),
    ("guessed link", PLAN, [P], [dose("d", inferred=True)], "NO_DOSE", {}, {"d": "LINK"}),
    ("guessed link allowed", replace(PLAN, links=("stated", "inferred")), [P],
     [dose("d", inferred=True)], "PLAN_DOSE", {"d": 1}, {}),
]


def decided(policy: Policy, plans: list[PlanFacts], doses: list[Candidate]) -> Decision:
    frames = {"F": True, "R": True, "X": False}
    return decide(policy, plans, doses, frames, lambda uid: "same" if "same" in uid else uid)


@pytest.mark.parametrize(("policy", "plans", "doses", "rule", "chosen", "rejected"),
                         [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_ladder(policy: Policy, plans: list[PlanFacts], doses: list[Candidate], rule: str,
                    chosen: dict[str, float], rejected: dict[str, str]) -> None:
    for order in (doses, doses[::-1]):
        found = decided(policy, plans, order)
        assert found.rule == rule
        assert dict(found.chosen) == chosen
        assert dict(found.rejected) == rejected
        assert found.decided is bool(chosen)


def test_two_alternative_plans_are_never_added() -> None:
    """20.4 Gy each on one structure set: each plan has its own dose, a course is refused."""
    doses = [dose("d"), dose("e", "Q")]
    for plan, uid in ((P, "d"), (Q, "e")):
        own = [c for c in doses if plan.uid in c.plans]
        assert dict(decided(PLAN, [plan], own).chosen) == {uid: 1.0}
    found = decided(COURSE, [P, Q], doses)
    assert not found.decided
    assert found.warnings == ("UNRELATED_PLAN P", "UNRELATED_PLAN Q")


def test_warnings() -> None:
    stale = decided(PLAN, [P], [dose("d", created=datetime(2023, 1, 1))])
    assert (stale.rule, stale.warnings) == ("PLAN_DOSE", ("STALE d",))
    unopened = decide(PLAN, [P], [dose("d"), dose("e")], {"F": True})
    assert (unopened.rule, unopened.warnings) == ("AMBIGUOUS", ("PIXELS_NOT_COMPARED",))
    assert plausibility(PLAN, 120.0, 60.0) == ["ABOVE_PLAUSIBLE 120.0 Gy"]
    assert plausibility(PLAN, 20.0, 60.0) == ["PRESCRIPTION_RATIO 0.33"]
    assert plausibility(PLAN, 63.0, 60.0) == []
    assert plausibility(PLAN, 63.0, None) == []


def test_a_policy_has_a_hash_of_all_it_says() -> None:
    assert PLAN.digest == Policy().digest
    assert len({PLAN.digest, COURSE.digest, replace(PLAN, version=2).digest}) == 3
