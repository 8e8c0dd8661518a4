"""The technique of plans: one plan a row, made by hand.

Source: graph-model rules of version 1; gantry angles by PS3.3 C.8.8.14.8.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tests.data.items import item
from tests.data.rt import beam, facts, ion_beam, ion_plan, plan, point, read, the_part

OPEN, NARROW = (-50, -50, 50, 50), (-10, -20, 15, 5)
STATIC_FIELD = (point(0, "NONE", leaves=OPEN, jaws=(-50, 50)), point())
STEPS = (point(0, "NONE", leaves=OPEN), point(leaves=NARROW))
ARC = (point(181, "CW", leaves=OPEN), point(0), point(179, "NONE"))
MODULATED_ARC = (point(181, "CW", leaves=OPEN), point(0, leaves=NARROW), point(179, "NONE"))


def field(*points: Dataset, **more: Any) -> Dataset:
    return beam(*points, TreatmentDeliveryType="TREATMENT", **more)


def setup_beam(*points: Dataset, **more: Any) -> Dataset:
    return beam(*points, TreatmentDeliveryType="SETUP", **more)


def electrons(*points: Dataset) -> Dataset:
    return field(*points, radiation="ELECTRON")


def brachy(kind: str | None, *beams: Dataset) -> Dataset:
    return plan(*beams, BrachyTreatmentType=kind, ApplicationSetupSequence=[
        item(ApplicationSetupNumber=1, ApplicationSetupType="FLETCHER_SUIT")])


def scanned(*modes: str | None) -> Dataset:
    return ion_plan(*(ion_beam(point(90, "NONE"), point(), ScanMode=mode) for mode in modes))


PLANS = [
    # name                                technique        plan
    ("one field",                         "CONFORMAL_3D",  plan(field(*STATIC_FIELD))),
    ("a field without control points",    "CONFORMAL_3D",  plan(field())),
    ("only the jaws move",                "CONFORMAL_3D",  plan(field(
        point(0, "NONE", leaves=OPEN, jaws=(-50, 50)), point(jaws=(-20, 20))))),
    ("leaves said again in place",        "CONFORMAL_3D",  plan(field(
        point(0, leaves=OPEN), point(leaves=OPEN)))),
    ("leaves written with more digits",   "CONFORMAL_3D",  plan(field(
        point(0, leaves=("-50", "50")), point(leaves=("-50.0", "50.00"))))),
    ("the gantry said again in place",    "CONFORMAL_3D",  plan(field(
        point(90, "NONE"), point(90)))),
    ("leaves step, gantry fixed",         "IMRT_STATIC",   plan(field(*STEPS))),
    ("leaves move back at the end",       "IMRT_STATIC",   plan(field(
        point(0, leaves=OPEN), point(leaves=NARROW), point(leaves=OPEN)))),
    ("type not stated, leaves step",      "IMRT_STATIC",   plan(field(*STEPS, kind=None))),
    ("sliding window",                    "IMRT_DYNAMIC",  plan(field(*STEPS, kind="DYNAMIC"))),
    ("dynamic, leaves fixed",             "IMRT_DYNAMIC",  plan(field(
        *STATIC_FIELD, kind="DYNAMIC"))),
    ("arc with fixed leaves",             "ARC",           plan(field(*ARC, kind="DYNAMIC"))),
    ("arc that is called static",         "ARC",           plan(field(*ARC))),
    ("full circle between two points",    "ARC",           plan(field(
        point(180, "CC"), point(180)))),
    ("arc, leaves move",                  "VMAT",          plan(field(
        *MODULATED_ARC, kind="DYNAMIC"))),
    ("a field and an arc",                "ARC",           plan(
        field(*STEPS, kind="DYNAMIC"), field(*ARC, number=2))),
    ("stepped and sliding fields",        "IMRT_DYNAMIC",  plan(
        field(*STEPS), field(*STEPS, kind="DYNAMIC"))),
    ("open and stepped fields",           "IMRT_STATIC",   plan(
        field(*STATIC_FIELD), field(*STEPS))),
    ("the set-up arc does not count",     "CONFORMAL_3D",  plan(
        setup_beam(*MODULATED_ARC), field(*STATIC_FIELD))),
    ("delivery not stated is treatment",  "VMAT",          plan(beam(*MODULATED_ARC))),
    ("set-up beams alone",                None,            plan(setup_beam(*STATIC_FIELD))),
    ("no beam",                           None,            plan()),
    ("electrons",                         "ELECTRON",      plan(electrons(*STATIC_FIELD))),
    ("electrons, set-up with photons",    "ELECTRON",      plan(
        electrons(*STATIC_FIELD), setup_beam(*STATIC_FIELD))),
    ("electrons and a photon field",      "CONFORMAL_3D",  plan(
        electrons(*STATIC_FIELD), field(*STATIC_FIELD, number=2))),
    ("stereotactic arc",                  "VMAT+STEREO",   plan(field(
        *MODULATED_ARC, HighDoseTechniqueType="STEREO"))),
    ("stereotactic radiosurgery",         "CONFORMAL_3D+STEREO", plan(field(
        *STATIC_FIELD, HighDoseTechniqueType="SRS"))),
    ("total body irradiation",            "CONFORMAL_3D",  plan(field(
        *STATIC_FIELD, HighDoseTechniqueType="TBI"))),
    ("a set-up beam called stereotactic", "CONFORMAL_3D",  plan(
        field(*STATIC_FIELD), setup_beam(*STATIC_FIELD, HighDoseTechniqueType="STEREO"))),
    ("brachytherapy, high dose rate",     "BRACHY_HDR",    brachy("HDR")),
    ("brachytherapy, pulsed dose rate",   "BRACHY_PDR",    brachy("PDR")),
    ("brachytherapy, low dose rate",      "BRACHY_LDR",    brachy("LDR")),
    ("brachytherapy, kind not stated",    "BRACHY",        brachy(None)),
    ("brachytherapy and an arc",          "BRACHY_HDR",    brachy("HDR", field(*MODULATED_ARC))),
    ("pencil beam",                       "PBS",           scanned("MODULATED")),
    ("pencil beam, by its spots",         "PBS",           scanned("MODULATED_SPEC", "MODULATED")),
    ("uniform scanning",                  "UNIFORM_SCAN",  scanned("UNIFORM")),
    ("scattered",                         "PASSIVE",       scanned("NONE")),
    ("scan mode not stated",              None,            scanned(None)),
    ("a scan mode of one maker",          None,            scanned("WOBBLED")),
]


@pytest.mark.parametrize(("expected", "ds"), [p[1:] for p in PLANS], ids=[p[0] for p in PLANS])
def test_technique(expected: str | None, ds: Dataset) -> None:
    found = facts(ds)
    assert found.get("technique") == expected
    assert found["technique_rule"] == "1"


def test_each_beam_has_its_own_technique() -> None:
    found = read(plan(
        field(*STEPS), field(*MODULATED_ARC, number=2), setup_beam(*STATIC_FIELD, number=3)))
    assert {p.suffix: p.values.get("technique") for p in found.parts} == {
        "#B1": "IMRT_STATIC", "#B2": "VMAT", "#B3": "CONFORMAL_3D"}


# --- the way of the gantry -----------------------------------------------------------------------

FULL = (180, 180, 360)
ANGLES: list[tuple[str, tuple[float | None, ...], Sequence[tuple[object, str | None]]]] = [
    # name                          start, stop, span  angle and direction at each control point
    ("fixed",                       (5, 5, 0),         [(5, "NONE"), (5, None)]),
    ("fixed, not said again",       (5, 5, 0),         [(5, "NONE"), (None, None), (None, None)]),
    ("full circle in one step",     (5, 5, 360),       [(5, "CW"), (5, "NONE")]),
    ("full circle the other way",   FULL,              [(180, "CC"), (180, "NONE")]),
    ("full circle in four steps",   FULL,              [
        (180, "CW"), (270, "CW"), (0, "CW"), (90, "CW"), (180, "NONE")]),
    ("nearly full circle",          (181, 179, 358),   [(181, "CW"), (179, "NONE")]),
    ("nearly full, backwards",      (179, 181, 358),   [(179, "CC"), (181, "NONE")]),
    ("clockwise over 0",            (350, 10, 20),     [(350, "CW"), (10, "NONE")]),
    ("backwards over 0",            (10, 350, 20),     [(10, "CC"), (350, "NONE")]),
    ("clockwise the long way",      (10, 350, 340),    [(10, "CW"), (350, "NONE")]),
    ("backwards the long way",      (170, 180, 350),   [(170, "CC"), (180, "NONE")]),
    ("there and back",              (0, 0, 180),       [(0, "CW"), (90, "CC"), (0, "NONE")]),
    ("the direction is kept",       (0, 30, 390),      [(0, "CW"), (200, None), (30, None)]),
    ("the angle is kept",           (0, 40, 40),       [(0, "CW"), (None, None), (40, "NONE")]),
    ("direction without angles",    (0, 0, 0),         [(0, "CW"), (None, None)]),
    ("no direction: the near way",  (350, 20, 30),     [(350, None), (20, None)]),
    ("no direction, opposite",      (0, 180, 180),     [(0, None), (180, None)]),
    ("angle known from the second", (30, 60, 30),      [(None, "CW"), (30, None), (60, None)]),
    ("an angle that is no number",  (30, 60, 30),      [(b"abc", "CW"), (30, None), (60, None)]),
    ("no angle",                    (None,) * 3,       [(None, None), (None, None)]),
]


@pytest.mark.parametrize(
    ("expected", "points"), [a[1:] for a in ANGLES], ids=[a[0] for a in ANGLES])
def test_gantry(
    expected: tuple[float | None, ...], points: Sequence[tuple[object, str | None]]
) -> None:
    found = the_part(read(plan(beam(*(point(*p) for p in points)))), "Beam").values
    assert tuple(found.get(f"gantry_{n}") for n in ("start", "stop", "span")) == expected


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(start=st.integers(0, 359), steps=st.lists(st.integers(1, 60), min_size=1, max_size=12),
       backwards=st.booleans())
def test_an_arc_travels_the_sum_of_its_steps(
    start: int, steps: list[int], backwards: bool
) -> None:
    sign, turn = (-1, "CC") if backwards else (1, "CW")
    angles = [(start + sign * sum(steps[:n])) % 360 for n in range(len(steps) + 1)]
    points = [point(a, turn) for a in angles]
    found = the_part(read(plan(beam(*points))), "Beam").values
    assert found["gantry_span"] == pytest.approx(sum(steps))
    assert (found["gantry_start"], found["gantry_stop"]) == (angles[0], angles[-1])
