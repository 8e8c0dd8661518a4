"""Masks against independent truth: winding numbers of voxel centres, areas of polygons."""

from functools import cache

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from rtgraph.preprocess import raster
from rtgraph.preprocess.contours import Roi, read_structures
from rtgraph.preprocess.geometry import Grid, axes_of
from rtgraph.preprocess.masks import Between, MaskOptions, Mode, RoiMask, findings_of, make_mask
from rtgraph.preprocess.raster import HoleRule, Polygon
from tests.data import solids
from tests.data.solids import (
    CENTRE,
    CONTOUR_DATA,
    LARGE,
    ORIENTATIONS,
    SHAPES,
    STEP,
    Layout,
    RoiSpec,
    ring,
)


def grid_of(layout: Layout) -> Grid:
    return Grid(origin=np.array(layout.origin), axes=axes_of(layout.orientation),
                spacing=layout.spacing, positions=np.array(layout.positions), size=layout.size,
                thickness_mm=STEP)


def made(contours: solids.Contours, layout: Layout, kind: str = "CLOSED_PLANAR",
         options: MaskOptions | None = None) -> RoiMask:
    """Write a structure set, read it back, make the mask."""
    ds = solids.structures(layout, [RoiSpec(7, "Solid", contours, kind)])
    (roi,) = read_structures(ds).rois
    return make_mask(roi, grid_of(layout), options, str(ds.SOPInstanceUID))


@cache
def solid(shape: str, orientation: str, kind: str = "CLOSED_PLANAR") -> Roi:
    """Return a shape as it is read from a structure set in an orientation."""
    layout = Layout(ORIENTATIONS[orientation])
    return read_structures(
        solids.structures(layout, [RoiSpec(7, "Solid", SHAPES[shape](), kind)])).rois[0]


def array_of(found: RoiMask) -> np.ndarray:
    assert found.mask is not None
    return found.mask.full()


@cache
def truth(shape: str, rule: HoleRule, exclusive: bool) -> np.ndarray:
    """Return the voxels of a shape; the same in every orientation, since they are counted in it."""
    return solids.truth(SHAPES[shape](), Layout(), rule.value, exclusive)


RULES = [
    # name          rule                kind
    ("xor",         HoleRule.xor,       "CLOSED_PLANAR"),
    ("union",       HoleRule.union,     "CLOSED_PLANAR"),
    ("standard",    HoleRule.standard,  "CLOSED_PLANAR"),
    ("standard-xor", HoleRule.standard, "CLOSEDPLANAR_XOR"),
]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("rule", "kind"), [r[1:] for r in RULES], ids=[r[0] for r in RULES])
def test_voxels_are_those_whose_centre_is_inside(
    shape: str, orientation: str, rule: HoleRule, kind: str
) -> None:
    grid = grid_of(Layout(ORIENTATIONS[orientation]))
    found = make_mask(solid(shape, orientation, kind), grid, MaskOptions(holes=rule))
    expected = truth(shape, rule, kind == "CLOSEDPLANAR_XOR")
    assert expected.any()
    assert np.array_equal(array_of(found), expected)
    assert {r.result for r in found.ledger} == {"PLACED"}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_volumes_and_centroid(shape: str, orientation: str) -> None:
    contours, layout = SHAPES[shape](), Layout(ORIENTATIONS[orientation])
    volume = solids.volume_cc(shape, contours)
    roi, grid = solid(shape, orientation), grid_of(layout)
    centres, shares = make_mask(roi, grid), make_mask(roi, grid, MaskOptions(Mode.area_fraction))
    assert centres.facts.volume_cc == pytest.approx(volume, rel=1e-9)
    assert shares.facts.volume_voxels_cc == pytest.approx(volume, rel=1e-5)
    shell = len({w for w, _ in contours}) * np.pi * 6.0 * 1.5 * STEP / 1000
    within = 0.015 * volume if shape in LARGE else shell
    assert abs(centres.facts.volume_voxels_cc - volume) < within
    weights = array_of(shares).astype(float)
    index = np.stack(np.nonzero(weights), axis=1)[:, ::-1]
    centroid = np.average(grid_of(layout).to_points(index), axis=0,
                          weights=weights[np.nonzero(weights)])
    areas = [(abs(solids.shoelace(p)), p.mean(axis=0), w) for w, p in contours]
    if shape in ("SPHERE", "CYL", "TWO", "SMALL"):
        uvw = np.average([(*c, w) for _, c, w in areas], axis=0, weights=[a for a, _, _ in areas])
        assert centroid == pytest.approx(layout.patient(np.array([uvw]))[0], abs=0.01 * 1.2)


def test_no_share_outside_and_whole_inside() -> None:
    found = array_of(made(SHAPES["RING"](), Layout(), options=MaskOptions(Mode.area_fraction)))
    u = np.arange(64)[None, :] * 1.2 - CENTRE[0]
    v = np.arange(56)[:, None] * 1.5 - CENTRE[1]
    distance, reach = np.hypot(u, v), np.hypot(0.6, 0.75) + 0.01
    assert np.all(found[25][(distance > 15 + reach) & (distance < 24.99 - reach)] == 1)
    assert np.all(found[25][(distance > 25 + reach) | (distance < 14.99 - reach)] == 0)
    assert found.min() == 0
    assert found.max() == 1


@pytest.mark.parametrize("factor", [2, 3, 4, 8, 16])
def test_a_finer_grid_moves_nothing(factor: int) -> None:
    polygon = Polygon(ring(9.7, 40, (14.21, 13.37)))
    fine = Polygon((polygon.points + 0.5) * factor - 0.5)
    coarse = raster.coverage([polygon], (1, 30, 30), HoleRule.xor)[0].astype(float)
    share = raster.coverage([fine], (1, 30 * factor, 30 * factor), HoleRule.xor)[0]
    blocks = share.astype(float).reshape(30, factor, 30, factor).mean(axis=(1, 3))
    assert np.abs(blocks - coarse).max() < 1e-6
    rows, columns = np.mgrid[:30, :30]
    for centres, truth in ((columns, 14.21), (rows, 13.37)):
        assert np.average(centres, weights=blocks) == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rule", list(HoleRule))
def test_shares_of_wild_polygons_equal_fine_samples(seed: int, rule: HoleRule) -> None:
    rng = np.random.default_rng(seed)
    polygons = [Polygon(rng.uniform(-3, 23, (int(rng.integers(3, 12)), 2)),
                        exclusive=bool(rng.integers(2))) for _ in range(3)]
    share = raster.coverage(polygons, (1, 20, 20), rule)[0]
    n = 24
    at = (np.arange(20 * n) + 0.5) / n - 0.5
    inside = np.zeros((20 * n, 20 * n), bool)
    odd = np.zeros((20 * n, 20 * n), bool)
    for p in polygons:
        region = even_odd(p.points, at[None, :], at[:, None])
        if rule is HoleRule.xor or (rule is HoleRule.standard and p.exclusive):
            odd ^= region
        else:
            inside |= region
    sampled = (inside ^ odd).reshape(20, n, 20, n).mean(axis=(1, 3))
    assert np.abs(sampled - share).max() < 0.03
    assert np.abs(sampled - share).mean() < 0.002
    low = np.min([p.points.min(axis=0) for p in polygons])
    wide = [Polygon(p.points - low + 1, 0, p.exclusive) for p in polygons]
    whole = raster.coverage(wide, (1, 40, 40), rule).sum(dtype=float)
    assert raster.areas(polygons, 1, rule)[0] == pytest.approx(whole, rel=1e-5)


def even_odd(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Tell for each point whether a ray upwards crosses an odd number of edges."""
    found = np.zeros(np.broadcast(x, y).shape, bool)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, 1, axis=0), strict=True):
        if x0 != x1:
            found ^= ((x0 <= x) != (x1 <= x)) & (y < y0 + (x - x0) * (y1 - y0) / (x1 - x0))
    return found


# --- where contours go --------------------------------------------------------------------------

SHIFTED = [
    # name             w of the contours     planes     results           finding
    ("on the planes",  [60.0, 63.0],         [20, 21],  ["PLACED"] * 2,   None),
    ("0.2 mm off",     [60.2, 63.2],         [20, 21],  ["PLACED"] * 2,   None),
    ("1.2 mm off",     [61.2, 64.2],         [20, 21],  ["MOVED"] * 2,    "OFF_PLANE"),
    ("9 mm below",     [-9.0, -6.0],         [],        ["OUTSIDE"] * 2,  "OUTSIDE_IMAGE"),
    ("1.2 mm below",   [-1.2],               [0],       ["MOVED"],        "OFF_PLANE"),
    ("9 mm above",     [59 * STEP + 9.0],    [],        ["OUTSIDE"],      "OUTSIDE_IMAGE"),
    ("twice as dense", [60.0, 61.5, 63.0],   [20, 21],
     ["PLACED", "OFF_PLANE", "PLACED"], None),
]


@pytest.mark.parametrize("orientation", ["HFS", "FFS", "sagittal", "oblique"])
@pytest.mark.parametrize(("at", "planes", "results", "finding"), [s[1:] for s in SHIFTED],
                         ids=[s[0] for s in SHIFTED])
def test_contours_go_to_the_nearest_plane_or_nowhere(
    orientation: str, at: list[float], planes: list[int], results: list[str], finding: str | None
) -> None:
    layout = Layout(ORIENTATIONS[orientation])
    found = made([(w, ring(12.0)) for w in at], layout)
    assert [r.result for r in found.ledger] == results
    filled = np.flatnonzero(array_of(found).any(axis=(1, 2))).tolist() if found.mask else []
    assert filled == planes
    assert finding is None or finding in {f.code for f in findings_of(found)}
    for w, row in zip(at, found.ledger, strict=True):
        nearest = min(max(round(w / STEP), 0), 59)
        if row.result != "OFF_PLANE":
            assert row.plane_distance_mm == pytest.approx(w - nearest * STEP, abs=1e-6)


def test_one_contour_on_two_planes_is_not_placed() -> None:
    layout, points = Layout(), ring(12.0)
    uvw = np.column_stack([points, np.where(np.arange(180) < 90, 60.0, 63.0)])
    ds = solids.structures(layout, [RoiSpec(1, "Bent")])
    ds.ROIContourSequence[0].ContourSequence = [solids.item(
        ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=180,
        ContourData=[solids.decimal(x) for x in layout.patient(uvw).ravel()])]
    found = make_mask(read_structures(ds).rois[0], grid_of(layout))
    assert found.mask is None
    assert (found.ledger[0].result, found.ledger[0].reasons) == ("DEGENERATE", ("NOT_COPLANAR",))


def test_a_tilted_contour_is_off_the_planes() -> None:
    layout, points = Layout(), ring(12.0)
    ds = solids.structures(layout, [RoiSpec(1, "Tilted")])
    uvw = np.column_stack([points, 60.0 + 0.3 * (points[:, 0] - CENTRE[0])])
    ds.ROIContourSequence[0].ContourSequence = [solids.item(
        ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=180,
        ContourData=[solids.decimal(x) for x in layout.patient(uvw).ravel()])]
    found = make_mask(read_structures(ds).rois[0], grid_of(layout))
    assert (found.ledger[0].result, found.ledger[0].reasons) == ("OFF_PLANE", ("TILTED",))


UNEVEN = [
    # name                 positions of the planes, and which are filled
    ("3/6/3 mm",           [*range(0, 60, 3), *range(60, 120, 6), *range(120, 180, 3)],
     "on planes"),
    ("two planes absent",  [k * 3.0 for k in range(60) if k not in (28, 29)], "no others"),
]


@pytest.mark.parametrize(("positions", "what"), [u[1:] for u in UNEVEN], ids=[u[0] for u in UNEVEN])
def test_true_planes_of_uneven_stacks(positions: list[float], what: str) -> None:
    """Contours on every plane from 60 mm to 117 mm; where a plane is absent, nothing is moved."""
    layout = Layout(positions=tuple(map(float, positions)))
    drawn = ([p for p in positions if 60 <= p < 120] if what == "on planes"
             else [60 + 3.0 * k for k in range(20)])
    found = made([(w, ring(20.0)) for w in drawn], layout)
    filled = np.flatnonzero(array_of(found).any(axis=(1, 2)))
    assert [layout.positions[k] for k in filled] == [p for p in positions if 60 <= p < 120]
    lost = [r for r in found.ledger if r.result != "PLACED"]
    assert {r.result for r in lost} <= {"OFF_PLANE"}
    assert len(lost) == (0 if what == "on planes" else 2)


BROKEN = [
    # name            type              values, points stated   result         reason
    ("point",         "POINT",          None,                   "POINT",       None),
    ("open",          "OPEN_PLANAR",    None,                   "OPEN",        None),
    ("nonplanar",     "OPEN_NONPLANAR", None,                   "OPEN",        None),
    ("unknown type",  "SPLINE",         None,                   "UNREADABLE",  "UNKNOWN_TYPE"),
    ("two points",    "CLOSED_PLANAR",  (6, 2),                 "DEGENERATE",  "FEW_POINTS"),
    ("odd length",    "CLOSED_PLANAR",  (100, 34),              "UNREADABLE",  "ODD_LENGTH"),
    ("count differs", "CLOSED_PLANAR",  (300, 180),             "UNREADABLE",  "COUNT_DIFFERS"),
    ("a line",        "CLOSED_PLANAR",  "flat",                 "DEGENERATE",  "ZERO_AREA"),
    ("words",         "CLOSED_PLANAR",  "words",                "UNREADABLE",  "NOT_NUMBERS"),
    ("no data",       "CLOSED_PLANAR",  (0, 0),                 "DEGENERATE",  "FEW_POINTS"),
]


def spoil(contour: Dataset, how: object) -> None:
    values = np.array(contour[CONTOUR_DATA].value, float)
    if isinstance(how, tuple):
        contour[CONTOUR_DATA] = solids.raw_decimals(values[:how[0]])
        contour.NumberOfContourPoints = how[1]
    elif how == "flat":
        values[::3] = values[0]
        contour[CONTOUR_DATA] = solids.raw_decimals(values)
    elif how == "words":
        contour[CONTOUR_DATA] = RawDataElement(CONTOUR_DATA, "DS", 8, b"1\\left\\2", 0, False, True)


@pytest.mark.parametrize(("kind", "how", "result", "reason"), [b[1:] for b in BROKEN],
                         ids=[b[0] for b in BROKEN])
def test_a_bad_contour_is_a_row_and_the_others_stay(
    kind: str, how: object, result: str, reason: str | None
) -> None:
    layout = Layout()
    ds = solids.structures(layout, [RoiSpec(1, "Mixed", [(60.0, ring(12.0)), (63.0, ring(12.0))])])
    bad = ds.ROIContourSequence[0].ContourSequence[0]
    bad.ContourGeometricType = kind
    spoil(bad, how)
    found = make_mask(read_structures(ds).rois[0], grid_of(layout))
    assert found.ledger[0].result == result
    assert found.ledger[0].reasons == (() if reason is None else (reason,))
    assert found.ledger[1].result == "PLACED"
    assert list(np.flatnonzero(array_of(found).any(axis=(1, 2)))) == [21]


def test_self_crossing_and_nesting_are_told() -> None:
    bow = np.array([[20.0, 20.0], [50.0, 50.0], [50.0, 20.0], [20.0, 50.0]])
    found = made([(60.0, bow), (63.0, ring(25.0)), (63.0, ring(15.0)), (63.0, ring(5.0))], Layout())
    assert [r.reasons for r in found.ledger] == [("SELF_CROSSING",), (), (), ()]
    assert [r.nested_in for r in found.ledger] == [None, None, 1, 2]
    assert found.facts.n_nested_planes == 1
    assert {"SELF_CROSSING", "NESTED"} <= {f.code for f in findings_of(found)}


def test_a_keyhole_crosses_nothing_and_nests_nothing() -> None:
    found = made(SHAPES["KEY"](), Layout())
    assert {r.reasons for r in found.ledger} == {()}
    assert found.facts.volume_xor_cc == pytest.approx(found.facts.volume_union_cc)


def test_both_volumes_of_overlapping_contours() -> None:
    found = made([(60.0, ring(10.0, at=(30.0, 40.0))), (60.0, ring(10.0, at=(38.0, 40.0)))],
                 Layout())
    lens = 2 * 100 * np.arccos(0.4) - 4 * np.sqrt(400 - 64)
    circle = np.pi * 100
    assert found.facts.volume_union_cc == pytest.approx((2 * circle - lens) * 0.003, rel=1e-3)
    assert found.facts.volume_xor_cc == pytest.approx((2 * circle - 2 * lens) * 0.003, rel=2e-3)


def test_contours_beyond_the_edge_are_cut_and_told() -> None:
    found = made([(60.0, ring(12.0, at=(3.1, 40.2)))], Layout())
    expected = solids.truth([(60.0, ring(12.0, at=(3.1, 40.2)))], Layout())
    assert np.array_equal(array_of(found), expected)
    assert found.ledger[0].reasons == ("BEYOND_EDGE",)
    assert made([(60.0, ring(12.0, at=(-40.0, 40.2)))], Layout()).ledger[0].result == "OUTSIDE"


@pytest.mark.parametrize("mode", list(Mode))
def test_planes_between_hold_an_interpolated_shape(mode: Mode) -> None:
    every_third = [(60.0 + 9 * k, ring(10.0 + 6 * k)) for k in range(4)]
    plain = made(every_third, Layout())
    assert plain.facts.n_gap_planes == 6
    assert "GAPS" in {f.code for f in findings_of(plain)}
    found = made(every_third, Layout(), options=MaskOptions(mode, between=Between.shape))
    assert found.mask is not None
    assert found.mask.filled_planes == (21, 22, 24, 25, 27, 28)
    areas = array_of(found).sum(axis=(1, 2), dtype=float) * 1.8
    for k in found.mask.filled_planes:
        radius = 10.0 + 6 * (k - 20) / 3
        assert areas[k] == pytest.approx(np.pi * radius**2, rel=0.06)


def test_a_structure_set_loses_no_roi() -> None:
    """Contours in another order, an ROI without, a number twice, a slash, a name twice."""
    layout = Layout()
    rois = [RoiSpec(5, "GTV/boost", [(60.0, ring(5.0))]), RoiSpec(2, "Lung", [(60.0, ring(20.0))]),
            RoiSpec(9, "Empty"), RoiSpec(4, "Lung", [(60.0, ring(10.0))])]
    ds = solids.structures(layout, rois)
    ds.ROIContourSequence = [ds.ROIContourSequence[k] for k in (3, 0, 1)]
    ds.RTROIObservationsSequence = list(reversed(ds.RTROIObservationsSequence))
    read = read_structures(ds)
    assert [(r.number, r.name, len(r.contours)) for r in read.rois] == [
        (5, "GTV/boost", 1), (2, "Lung", 1), (9, "Empty", 0), (4, "Lung", 1)]
    areas = {r.number: make_mask(r, grid_of(layout)).facts.volume_cc for r in read.rois}
    truth = {5: 25, 2: 400, 9: 0, 4: 100}
    assert areas == pytest.approx({n: np.pi * r2 * 0.003 for n, r2 in truth.items()}, rel=1e-3)
    ds.StructureSetROISequence[3].ROINumber = 2
    again = read_structures(ds)
    assert [(r.number, r.ambiguous, len(r.contours)) for r in again.rois] == [
        (5, False, 1), (2, True, 0), (9, False, 0), (2, True, 0)]
    assert again.orphans == (4,)
