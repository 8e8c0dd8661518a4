"""Declared normalisation steps: what they give, what they record, what they refuse."""

from typing import Any

import numpy as np
import pytest

from rtgraph.errors import UsageError
from rtgraph.preprocess.refusals import Refused
from rtgraph.preprocess.steps import Context, Gathered, Statistics, applied, parse_steps

VALUES = np.array([-1500, -1000, 0, 40, 4000], np.int16)
BODY = np.array([False, False, True, True, False])
COHORT = Statistics(10, 100.0, 50.0)
GIVEN = [
    # name           steps                                               result
    ("none",         [],                                   [-1500, -1000, 0, 40, 4000]),
    ("clip",         [{"step": "clip", "low": -1024, "high": 3071}],
     [-1024, -1000, 0, 40, 3071]),
    ("window",       [{"step": "window", "centre": 0, "width": 200}],    [0, 0, 0.5, 0.7, 1]),
    ("given range",  [{"step": "min-max", "low": -1000, "high": 0}],     [-0.5, 0, 1, 1.04, 5]),
    ("own range",    [{"step": "min-max"}],               [0, 500 / 5500, 1500 / 5500, 0.28, 1]),
    ("body z-score", [{"step": "z-score", "region": "body"}],            [-76, -51, -1, 1, 199]),
    ("cohort",       [{"step": "z-score", "scope": "cohort"}],           [-32, -22, -2, -1.2, 78]),
    ("prescription", [{"step": "prescription"}],                         [-30, -20, 0, 0.8, 80]),
    ("in order",     [{"step": "clip", "low": 0, "high": 40}, {"step": "min-max"}],
     [0, 0, 0, 1, 1]),
    ("suv first",    [{"step": "suv"}, {"step": "clip", "low": 0, "high": 10}], [0, 0, 0, 10, 10]),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), [g[1:] for g in GIVEN], ids=[g[0] for g in GIVEN])
def test_steps(rows: list[dict[str, Any]], expected: list[float]) -> None:
    steps = parse_steps(rows)
    context = Context(BODY, 50.0, COHORT)
    found = applied(VALUES, steps, context)
    assert found == pytest.approx(expected, abs=1e-4)
    assert found.dtype == (np.int16 if not rows else np.float32)
    for row, step in zip(rows, steps, strict=True):
        assert row.items() <= step.record().items()
    with np.errstate(all="raise"):
        assert VALUES.tolist() == [-1500, -1000, 0, 40, 4000]


def test_z_score_of_an_image() -> None:
    found = applied(VALUES, parse_steps([{"step": "z-score"}]), Context())
    assert (found.mean(), found.std()) == pytest.approx((0, 1), abs=1e-6)


WRONG = [
    # name            step                                              message
    ("unknown",       {"step": "zscore"},                               "no step named 'zscore'"),
    ("no name",       {"low": 1},                                       "no step named"),
    ("parameter",     {"step": "clip", "low": 0, "hihg": 1},            "parameter of clip"),
    ("missing",       {"step": "clip", "low": 0},                       "needs high"),
    ("text",          {"step": "clip", "low": "0", "high": 1},          "no number"),
    ("order",         {"step": "clip", "low": 2, "high": 1},            "low is below high"),
    ("width",         {"step": "window", "centre": 0, "width": 0},      "width is above 0"),
    ("half a range",  {"step": "min-max", "low": 0},                    "both"),
    ("scope",         {"step": "z-score", "scope": "study"},            "image or cohort"),
    ("truth value",   {"step": "clip", "low": True, "high": 5},         "no number"),
]


@pytest.mark.parametrize(("row", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_mistakes_are_told(row: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_steps([row])


@pytest.mark.parametrize("row", [{"step": "z-score", "region": "body"}, {"step": "prescription"},
                                 {"step": "z-score", "scope": "cohort"}])
def test_what_a_case_lacks_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        applied(VALUES, parse_steps([row]), Context())
    assert parse_steps([row])[0].needs_cohort is (row.get("scope") == "cohort")


def test_statistics_of_parts_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(2)
    parts = [rng.integers(-1000, 2000, n) for n in (1000, 1, 5000)]
    gathered = Gathered()
    gathered.add(np.zeros(0))
    for part in parts:
        gathered.add(part)
    found, whole = gathered.statistics(), np.concatenate(parts)
    assert (found.n, found.mean, found.deviation) == pytest.approx((6001, whole.mean(),
                                                                    whole.std()))
    assert found.percentiles["50"] == pytest.approx(np.percentile(whole, 50), abs=1)
    assert found.percentiles["99_5"] == pytest.approx(np.percentile(whole, 99.5), abs=2)
    assert Gathered().statistics().n == 0
