"""Processing of masks: parts, holes and margins against solids and distances computed here."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rtgraph.errors import UsageError
from rtgraph.preprocess.geometry import Grid, axes_of
from rtgraph.preprocess.masks import Mask
from rtgraph.preprocess.masksteps import MASK_STEPS, parse_mask_steps, processed
from rtgraph.preprocess.settings import read_settings
from tests.data.solids import ORIENTATIONS

SPACING = (3.0, 1.5, 1.2)  # planes, rows, columns
SHAPE = (30, 44, 50)
CC = 3.0 * 1.5 * 1.2 / 1000
Voxels = NDArray[np.bool_]


def grid(orientation: str = "HFS", positions: NDArray[np.float64] | None = None) -> Grid:
    return Grid(origin=np.array([-31.7, 12.3, -71.9]), axes=axes_of(ORIENTATIONS[orientation]),
                spacing=(1.2, 1.5), size=(SHAPE[2], SHAPE[1]),
                positions=np.arange(SHAPE[0], dtype=np.float64) * 3 if positions is None
                else positions)


def ball(radius: float, at: tuple[float, float, float] = (43.7, 33.1, 29.9)) -> Voxels:
    """Return the voxels whose centre is in a ball; the middle in mm from the first voxel."""
    z, y, x = np.indices(SHAPE) * np.array(SPACING).reshape(3, 1, 1, 1)
    return np.asarray((z - at[0])**2 + (y - at[1])**2 + (x - at[2])**2 <= radius**2)


def box(low: tuple[int, int, int], high: tuple[int, int, int]) -> Voxels:
    """Return a box of voxels from `low` up to and without `high`."""
    made = np.zeros(SHAPE, bool)
    made[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return made


def mask_of(voxels: Voxels, on: Grid | None = None) -> Mask:
    index = np.argwhere(voxels)
    low, high = index.min(axis=0), index.max(axis=0) + 1
    array = voxels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.uint8)
    return Mask(1, "GTV", array, (int(low[0]), int(low[1]), int(low[2])), on or grid())


def after(voxels: Voxels, *rows: dict[str, Any]) -> tuple[Voxels, tuple[dict[str, Any], ...]]:
    mask, done = processed(mask_of(voxels), parse_mask_steps(rows), "GTV")
    return (np.zeros(SHAPE, bool) if mask is None else mask.full() > 0), done


BIG, MIDDLE, TINY = ball(14), box((2, 2, 2), (6, 8, 9)), box((25, 35, 40), (26, 36, 43))
CORNER = box((6, 8, 9), (8, 10, 11))  # touches MIDDLE at a corner of voxels only
SHELL = BIG & ~ball(7)
TUBE = box((10, 10, 10), (20, 30, 30)) & ~box((10, 15, 15), (20, 25, 25))
CUP = TUBE | box((10, 10, 10), (11, 30, 30))
CASES = [
    # name                    voxels                   step                       result
    ("largest of three",      TINY | BIG | MIDDLE,     {"step": "largest-part"},  BIG),
    ("largest comes last",    TINY | MIDDLE,           {"step": "largest-part"},  MIDDLE),
    ("one part",              MIDDLE,                  {"step": "largest-part"},  MIDDLE),
    ("corners do not join",   MIDDLE | CORNER,         {"step": "largest-part"},  MIDDLE),
    ("equal parts",           box((1, 1, 1), (3, 3, 3)) | box((9, 9, 9), (11, 11, 11)),
     {"step": "largest-part"},                         box((1, 1, 1), (3, 3, 3))),
    ("small ones",            TINY | BIG | MIDDLE,     {"step": "remove-small", "min_cc": 0.1},
     BIG | MIDDLE),
    ("as large as asked",     TINY | MIDDLE,           {"step": "remove-small", "min_cc": 3 * CC},
     TINY | MIDDLE),
    ("a voxel less",          TINY | MIDDLE,           {"step": "remove-small", "min_cc": 4 * CC},
     MIDDLE),
    ("enclosed",              SHELL,                   {"step": "fill-holes"},    BIG),
    ("open at both ends",     TUBE,                    {"step": "fill-holes"},    TUBE),
    ("open at one end",       CUP,                     {"step": "fill-holes"},    CUP),
    ("in each plane",         TUBE,                    {"step": "fill-holes", "within": "plane"},
     box((10, 10, 10), (20, 30, 30))),
    ("box grown by a row",    MIDDLE,                  {"step": "grow", "mm": 1.5},
     box((2, 1, 2), (6, 9, 9)) | box((2, 2, 1), (6, 8, 10))),
    ("box less a row",        MIDDLE,                  {"step": "shrink", "mm": 1.5},
     box((2, 3, 3), (6, 7, 8))),
    ("grown past the edge",   box((0, 0, 0), (2, 2, 2)), {"step": "grow", "mm": 1.2},
     box((0, 0, 0), (2, 2, 3))),
]  # fmt: skip


@pytest.mark.parametrize(("voxels", "row", "expected"), [c[1:] for c in CASES],
                         ids=[c[0] for c in CASES])
def test_steps_on_solids(voxels: Voxels, row: dict[str, Any], expected: Voxels) -> None:
    found, (done,) = after(voxels, row)
    assert np.argwhere(found != expected).tolist() == []
    assert row.items() <= done.items()
    assert (done["voxels_before"], done["voxels_after"]) == (voxels.sum(), expected.sum())
    assert (done["volume_before_cc"], done["volume_after_cc"]) == pytest.approx(
        (voxels.sum() * CC, expected.sum() * CC))


def nearest(mask: Voxels) -> NDArray[np.float64]:
    """Return the distance in mm of every voxel centre to the nearest of a mask, one by one."""
    z, y, x = (np.arange(n) * s for n, s in zip(SHAPE, SPACING, strict=True))
    found = np.full(SHAPE, np.inf)
    for k, j, i in np.argwhere(mask):
        squares = (((z - z[k])**2)[:, None, None] + ((y - y[j])**2)[:, None] + (x - x[i])**2)
        np.minimum(found, squares, out=found)
    return np.asarray(np.sqrt(found))


@pytest.mark.parametrize("mm", [1.2, 2.9, 3.0, 5.0, 7.3])
def test_margins_are_distances_in_mm(mm: float) -> None:
    """Of every voxel, on voxels that are longer across planes; an edge of the image is outside."""
    start = ball(9) | TINY
    outer = surface(start)
    grown, _ = after(start, {"step": "grow", "mm": mm})
    assert np.argwhere(grown != (start | (nearest(outer) <= mm + 1e-6))).tolist() == []
    shrunk, _ = after(start, {"step": "shrink", "mm": mm})
    beside = surface(~start)
    assert np.argwhere(shrunk != (start & (nearest(beside) > mm + 1e-6))).tolist() == []


def surface(mask: Voxels) -> Voxels:
    """Return the voxels of a mask that touch, by faces, edges or corners, what is outside."""
    padded = np.pad(mask, 1, constant_values=True)
    inner = np.ones(SHAPE, bool)
    for dz, dy, dx in np.ndindex(3, 3, 3):
        inner &= padded[dz:dz + SHAPE[0], dy:dy + SHAPE[1], dx:dx + SHAPE[2]]
    return np.asarray(mask & ~inner)


@pytest.mark.parametrize(("radius", "mm"), [(10.0, 6.0), (12.0, 3.0), (8.0, 9.0)])
def test_a_ball_grows_to_a_ball_and_back(radius: float, mm: float) -> None:
    """To half a voxel across planes, which is what is known of a surface between voxels."""
    grown, _ = after(ball(radius), {"step": "grow", "mm": mm})
    assert not (grown & ~ball(radius + mm)).any()
    assert not (ball(radius + mm - 1.5) & ~grown).any()
    shrunk, _ = after(ball(radius + mm), {"step": "shrink", "mm": mm})
    assert not (ball(radius - 1.5) & ~shrunk).any()
    assert not (shrunk & ~ball(radius + 1.5)).any()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orientation_does_not_matter(orientation: str) -> None:
    steps = parse_mask_steps([{"step": "grow", "mm": 4}, {"step": "largest-part"}])
    here, there = (processed(mask_of(BIG | MIDDLE, grid(o)), steps)[0]
                   for o in ("HFS", orientation))
    assert here is not None
    assert there is not None
    assert np.array_equal(here.full(), there.full())
    assert there.grid.same_as(grid(orientation))


def test_steps_follow_each_other_and_know_their_masks() -> None:
    rows: list[dict[str, Any]] = [
        {"step": "remove-small", "min_cc": 1, "rois": ["GTV"]}, {"step": "largest-part"},
        {"step": "shrink", "mm": 30, "rois": ["PTV", "CTV"]}]
    steps = parse_mask_steps(rows)
    found, done = processed(mask_of(TINY | BIG | MIDDLE), steps, "GTV")
    assert found is not None
    assert np.array_equal(found.full() > 0, BIG)
    assert [d["step"] for d in done] == ["remove-small", "largest-part"]
    assert done[0]["rois"] == ["GTV"]
    assert done[0]["voxels_after"] == done[1]["voxels_before"]
    untouched, none = processed(mask_of(BIG), steps[2:], "GTV")
    assert none == ()
    assert untouched is not None
    assert np.array_equal(untouched.full() > 0, BIG)


def test_nothing_left_is_no_mask() -> None:
    mask, done = processed(mask_of(TINY), parse_mask_steps([
        {"step": "remove-small", "min_cc": 1}, {"step": "grow", "mm": 5}]))
    assert mask is None
    assert [(d["voxels_before"], d["voxels_after"]) for d in done] == [(3, 0), (0, 0)]


def test_uneven_planes_are_made_even_first() -> None:
    """Planes 3 mm apart and then 6: a margin of 6 mm reaches one plane of the even grid further."""
    positions = np.concatenate([np.arange(10) * 3.0, 27 + np.arange(1, 21) * 6.0])
    start = mask_of(box((12, 20, 20), (15, 24, 24)), grid(positions=positions))
    mask, _ = processed(start, parse_mask_steps([{"step": "grow", "mm": 6}]))
    assert mask is not None
    assert mask.grid.uniform
    z = [float(mask.grid.positions[k]) for k in np.flatnonzero(mask.full().any(axis=(1, 2)))]
    assert (min(z), max(z)) == pytest.approx((positions[12] - 6, positions[14] + 6), abs=3.0)


WRONG = [
    # name          text                                                message
    ("unknown",     "step = 'largest'",                                 "no step named 'largest'"),
    ("parameter",   "step = 'grow'\ncm = 1",                            "parameter of grow"),
    ("missing",     "step = 'remove-small'",                            "needs min_cc"),
    ("text",        "step = 'grow'\nmm = '5'",                          "mm of the step grow"),
    ("negative",    "step = 'shrink'\nmm = -1",                         "mm is above 0"),
    ("zero",        "step = 'remove-small'\nmin_cc = 0",                "min_cc is above 0"),
    ("within",      "step = 'fill-holes'\nwithin = 'slice'",            "volume or plane"),
    ("one name",    "step = 'grow'\nmm = 1\nrois = 'GTVp'",             "no list of texts"),
    ("other ROI",   "step = 'grow'\nmm = 1\nrois = ['PTV']",            "no ROI of masks.rois"),
    ("of images",   "step = 'clip'\nlow = 0\nhigh = 1",                 "no step named 'clip'"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_mistakes_are_told(row: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_settings(f"format = 'npz'\nmasks.rois = ['GTVp']\n[[masks.steps]]\n{row}\n")


def test_shares_of_voxels_have_no_parts() -> None:
    text = "format = 'npz'\n[masks]\nmode = 'area-fraction'\n[[masks.steps]]\nstep = 'largest-part'"
    with pytest.raises(UsageError, match="voxel-centre"):
        read_settings(text)
    share = Mask(1, "GTV", np.full((1, 2, 2), 0.5, np.float32), (1, 1, 1), grid())
    with pytest.raises(UsageError, match="whole voxels"):
        processed(share, parse_mask_steps([{"step": "largest-part"}]))


def test_steps_are_part_of_the_configuration() -> None:
    plain = "format = 'npz'\n"
    settings = read_settings(plain + "[[masks.steps]]\nstep = 'grow'\nmm = 5\n")
    assert settings.record()["masks.steps"] == [{"step": "grow", "rois": [], "mm": 5}]
    assert settings.digest != read_settings(plain).digest
    assert sorted(MASK_STEPS) == ["fill-holes", "grow", "largest-part", "remove-small", "shrink"]
