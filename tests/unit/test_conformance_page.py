"""docs/conformance.md states the thresholds and figures of the code."""

import re
from itertools import islice
from pathlib import Path

import pytest

from rtgraph.preprocess import dose, geometry, ledger, masks, registration, stacks, storeddvh
from tools import conformance

PAGE = (Path(__file__).parents[2] / "docs/conformance.md").read_text(encoding="utf-8")
THRESHOLDS = [
    # row                                  what the code has
    ("slices of one stack",                [stacks.PARALLEL]),
    ("doubled slice",                      [stacks.SAME_MM]),
    ("even steps",                         [geometry.STEP_MM, 100 * geometry.STEP_SHARE]),
    ("sheared stack (gantry tilt)",        [100 * stacks.SHEAR_SHARE]),
    ("contour on a plane",                 [ledger.MOVED_REL]),
    ("contour beside a plane",             [ledger.PLACED_REL]),
    ("contour in one plane",               [ledger.FLAT_MM]),
    ("several contours on a plane",        [100 * masks.DIFFERS_SHARE]),
    ("rigid matrix",                       [registration._ORTHONORMAL]),
    ("PLAN beside the sum of its BEAM doses",
     [100 * dose.AGREES_MAX, 100 * dose.AGREES_P95, 95]),
    ("DVH beside the stored one",          [100 * storeddvh.DIFFERS_SHARE, storeddvh.DIFFERS_GY]),
]  # fmt: skip


@pytest.mark.parametrize(("row", "values"), THRESHOLDS, ids=[t[0] for t in THRESHOLDS])
def test_a_threshold_is_that_of_the_code(row: str, values: list[float]) -> None:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row} |")]
    stated = re.findall(r"\d+(?:\.\d+)?", line.split("|")[3])
    assert [float(s) for s in stated] == pytest.approx(values)


def test_every_row_with_a_threshold_is_compared() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]*\d[^|]* \|$", PAGE, re.MULTILINE)
    assert rows == [row for row, _ in THRESHOLDS]


def test_the_figures_are_those_that_are_printed() -> None:
    lines = [line for line, good in islice(conformance.masks(), 3) if good]
    assert len(lines) == 3
    assert [line for line in lines if line not in PAGE] == []
