"""Image series as volumes: the geometry derived in the graph equals numpy on the same slices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.rt import CT, MR, PT, made
from tests.data.small import encoded, uid
from tests.server.conftest import TestGraph

pytestmark = pytest.mark.server

AXIAL, CORONAL, SAGITTAL = (
    ((1, 0, 0), (0, 1, 0)), ((1, 0, 0), (0, 0, -1)), ((0, 1, 0), (0, 0, -1)))
TILTED = ((1, 0, 0), (0, cos(radians(30)), sin(radians(30))))
Axes = tuple[tuple[float, ...], tuple[float, ...]]
MEASURES = ("slice_spacing", "slice_spacing_min", "slice_spacing_max", "slice_shear_mm",
            "extent_mm", "n_duplicate_positions", "n_slice_gaps", "n_number_gaps",
            "n_orientations", "n_matrix_sizes", "n_localizers", "n_acquisition_numbers",
            "n_frames", "rescale_values", "n_no_rescale")


@dataclass(frozen=True)
class Slice:
    """A slice: where it lies, its number, and what else it states."""

    origin: tuple[float, float, float] | None
    axes: Axes | None = AXIAL
    size: tuple[int, int] = (4, 4)
    number: int | None = None
    elements: dict[str, object] = field(default_factory=dict)


def write(folder: Path, name: str, slices: Sequence[Slice], sop_class: str = CT) -> str:
    """Write a series; return its UID."""
    folder.mkdir(exist_ok=True)
    for n, one in enumerate(slices):
        axes = None if one.axes is None else [f"{v:.9g}" for row in one.axes for v in row]
        origin = None if one.origin is None else [f"{v:.10g}" for v in one.origin]
        ds = made(sop_class, f"{name} {n}", of={"series": name, "frame": "frame"}, **{
            "ImagePositionPatient": origin, "ImageOrientationPatient": axes,
            "InstanceNumber": one.number, "Rows": one.size[0], "Columns": one.size[1],
            **one.elements})
        if one.number is None:
            del ds.InstanceNumber
        folder.joinpath(f"{name}-{n:03}.dcm").write_bytes(encoded(ds))
    return uid(name)


def measured(graph: TestGraph, series: str) -> dict[str, Any]:
    found = graph.one("MATCH (s:Series {SeriesInstanceUID: $uid}) RETURN properties(s)", uid=series)
    return {name: found.get(name) for name in MEASURES}


# --- truth ---------------------------------------------------------------------------------------

def stacks(slices: Iterable[Slice]) -> list[list[Slice]]:
    """Slices by orientation and size, the largest stack first."""
    found: dict[tuple[Any, ...], list[Slice]] = {}
    for one in slices:
        if one.origin is not None and one.axes is not None:
            found.setdefault((one.axes, one.size), []).append(one)
    return sorted(found.values(), key=len, reverse=True)


def places(stack: Sequence[Slice]) -> tuple[NDArray[np.float64], list[int]]:
    """Places along the normal with what lies in the plane, and how many slices each has."""
    assert stack[0].axes is not None
    rows, columns = (np.array(v, dtype=np.float64) for v in stack[0].axes)
    basis = np.array([np.cross(rows, columns), rows, columns])
    points = np.array([one.origin for one in stack]) @ basis.T
    points = points[np.lexsort(points.T[::-1])]
    firsts = np.concatenate([[True], np.diff(points[:, 0]) > 0.01])
    return points[firsts], np.bincount(np.cumsum(firsts) - 1).tolist()


def truth(slices: Sequence[Slice]) -> dict[str, Any]:
    """What numpy says of the slices."""
    found = [places(stack) for stack in stacks(slices)]
    steps = [np.diff(points, axis=0) for points, _ in found]
    numbers = {one.number for one in slices if one.number is not None}
    expected: dict[str, Any] = {
        "n_number_gaps": len(set(range(min(numbers), max(numbers) + 1)) - numbers)
        if numbers else None,
        "n_orientations": len({one.axes for one in slices} - {None}),
        "n_matrix_sizes": len({one.size for one in slices}),
    }
    if not found:
        return expected | dict.fromkeys(MEASURES[:7])
    along, across = steps[0][:, 0], np.hypot(steps[0][:, 1], steps[0][:, 2])
    points = found[0][0]
    some = len(along) > 0
    return expected | {
        "slice_spacing": np.median(along) if some else None,
        "slice_spacing_min": along.min() if some else None,
        "slice_spacing_max": along.max() if some else None,
        "slice_shear_mm": np.median(across) if some else None,
        "extent_mm": [points[0, 0], points[-1, 0]],
        "n_duplicate_positions": sum(
            max(0, n - sorted(counts)[(len(counts) - 1) // 2])
            for _, counts in found for n in counts),
        "n_slice_gaps": sum(
            int((d[:, 0] > 1.5 * np.median(d[:, 0])).sum()) for d in steps if len(d)),
    }


# --- series --------------------------------------------------------------------------------------

def line(zs: Iterable[float], axes: Axes = AXIAL, *, start: int = 1, shear: float = 0.0,
         **of: Any) -> list[Slice]:
    """Slices along the normal, numbered from `start`; each is `shear` mm further down."""
    normal = np.cross(*axes)
    return [
        Slice(tuple((np.array([-100.0, -50.0, 0.0]) + z * normal
                     + n * shear * np.array(axes[1])).round(6).tolist()),
              axes, number=start + n, **of)
        for n, z in enumerate(zs)]


REGULAR = [3.0 * n for n in range(12)]
LOCALIZER = Slice((-200, 0, 300), CORONAL, (8, 6), 1,
                  {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})
SERIES: list[tuple[str, list[Slice], dict[str, Any]]] = [
    # name, slices, what a reader would say
    ("regular", line(REGULAR), {
        "slice_spacing": 3, "n_slice_gaps": 0, "n_duplicate_positions": 0, "n_number_gaps": 0,
        "slice_shear_mm": 0, "extent_mm": [0, 33], "n_orientations": 1}),
    ("head to feet", line(reversed(REGULAR)), {"slice_spacing": 3, "n_slice_gaps": 0}),
    ("out of order", line([9, 0, 6, 3, 15, 12]), {"slice_spacing": 3, "n_slice_gaps": 0}),
    ("one is missing", line([0, 3, 6, 12, 15, 18]), {
        "slice_spacing": 3, "slice_spacing_max": 6, "n_slice_gaps": 1}),
    ("two are missing", line([0, 3, 9, 12, 21, 24, 27]), {"n_slice_gaps": 2}),
    ("steps of two sizes", line([0, 1, 2, 3, 4, 7, 10]), {
        "slice_spacing": 1, "slice_spacing_max": 3, "n_slice_gaps": 2}),
    ("a slice twice", [*line(REGULAR), *line([9], start=13)], {
        "n_duplicate_positions": 1, "slice_spacing": 3, "n_slice_gaps": 0}),
    ("a slice three times", [*line(REGULAR), *line([9, 9], start=13)], {
        "n_duplicate_positions": 2}),
    ("four phases", [one for p in range(4) for one in line(REGULAR, start=1 + 12 * p)], {
        "n_duplicate_positions": 0, "slice_spacing": 3, "slice_spacing_min": 3}),
    ("four phases, one slice lost", [one for p in range(4) for one in line(REGULAR)][:-1], {
        "n_duplicate_positions": 0, "slice_spacing": 3}),
    ("two phases, noise of rounding", [*line(REGULAR), *line([z + 4e-6 for z in REGULAR])], {
        "n_duplicate_positions": 0, "slice_spacing_max": 3}),
    ("quarters with noise", [*line([n * 1.125 - 0.005 for n in range(9)]),
                             *line([n * 1.125 - 0.005002 for n in range(9)])], {
        "n_duplicate_positions": 0, "n_slice_gaps": 0}),
    ("tilted gantry", line(REGULAR, shear=0.5), {"slice_shear_mm": 0.5, "slice_spacing": 3}),
    ("tilted slices", line(REGULAR, TILTED), {"slice_spacing": 3, "slice_shear_mm": 0}),
    ("coronal", line(REGULAR, CORONAL), {"slice_spacing": 3, "extent_mm": [-50, -17]}),
    ("sagittal", line([z / 2 for z in REGULAR], SAGITTAL), {"slice_spacing": 1.5}),
    ("a localizer inside", [LOCALIZER, *line(REGULAR, start=2)], {
        "n_localizers": 1, "n_orientations": 2, "n_matrix_sizes": 2, "slice_spacing": 3,
        "n_slice_gaps": 0}),
    ("three planes", [*line(REGULAR[:4]), *line(REGULAR[:6], CORONAL, start=5),
                      *line(REGULAR[:5], SAGITTAL, start=11)], {
        "n_orientations": 3, "slice_spacing": 3, "extent_mm": [-50, -35]}),
    ("two sizes at one place", [*line(REGULAR), *line(REGULAR[:3], size=(8, 8), start=13)], {
        "n_matrix_sizes": 2, "n_duplicate_positions": 0}),
    ("numbers left out", [*line([0, 3]), *line([6, 9], start=5), *line([12], start=10)], {
        "n_number_gaps": 5, "n_slice_gaps": 0}),
    ("numbers from 100, one twice", [*line([0, 3], start=100), *line([6, 9], start=101)], {
        "n_number_gaps": 0}),
    ("one slice", line([7.5]), {"slice_spacing": None, "extent_mm": [7.5, 7.5],
                                "n_slice_gaps": 0, "n_duplicate_positions": 0}),
    ("the same place twice", line([7.5, 7.5]), {
        "slice_spacing": None, "n_duplicate_positions": 0}),
    ("two slices", line([0, 2.5]), {"slice_spacing": 2.5, "n_slice_gaps": 0}),
    ("no positions", [Slice(None, number=n) for n in (1, 2, 5)], {
        "extent_mm": None, "n_number_gaps": 2, "n_orientations": 1}),
    ("no orientation", [Slice((0, 0, z), None, number=1) for z in (0, 3)], {
        "slice_spacing": None, "n_orientations": 0}),
    ("no numbers", [Slice((0, 0, z)) for z in (0, 3)], {"n_number_gaps": None}),
]


def test_geometry_equals_numpy(graph: TestGraph, tmp_path: Path) -> None:
    series = {name: write(tmp_path, name, slices) for name, slices, _ in SERIES}
    graph.ingest(tmp_path)
    for name, slices, said in SERIES:
        found = measured(graph, series[name])
        expected = truth(slices)
        assert {n: found[n] for n in expected} == {
            n: v if v is None else pytest.approx(v, abs=1e-5) for n, v in expected.items()}, name
        assert {n: found[n] for n in said} == {
            n: v if v is None else pytest.approx(v, abs=1e-4) for n, v in said.items()}, name
        assert found["n_frames"] == len(slices), name


def test_slices_that_come_and_go(graph: TestGraph, tmp_path: Path) -> None:
    """Whatever the order of arrival, and after files are gone, numpy says the same."""
    whole = [*line(REGULAR, shear=0.2), LOCALIZER]
    later = tmp_path / "later"
    later.mkdir()
    series = write(tmp_path / "images", "images", whole)
    for n in (12, 3, 4, 5):
        (tmp_path / f"images/images-{n:03}.dcm").rename(later / f"{n}.dcm")
    graph.ingest(tmp_path / "images")
    first = [one for n, one in enumerate(whole) if n not in (3, 4, 5, 12)]
    _same(measured(graph, series), truth(first))
    assert measured(graph, series)["n_localizers"] == 0
    graph.ingest(later)
    _same(measured(graph, series), truth(whole))
    assert measured(graph, series)["n_localizers"] == 1


def _same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {n: found[n] for n in expected} == {
        n: v if v is None else pytest.approx(v, abs=1e-5) for n, v in expected.items()}


# --- values of pixels ----------------------------------------------------------------------------

def rescaled(slope: object, intercept: object, kind: object = "HU", **more: object) -> Slice:
    return Slice((0, 0, 0), number=1, elements={
        "RescaleSlope": slope, "RescaleIntercept": intercept, "RescaleType": kind, **more})


RESCALES: list[tuple[str, str, list[Slice], dict[str, Any]]] = [
    # name, class, slices, what the series says
    ("one", CT, [rescaled("1", "-1024"), rescaled("1.0", "-1.024e3")], {
        "rescale_values": ["1,-1024,HU"], "n_no_rescale": 0}),
    ("two", CT, [rescaled("1", "-1024"), rescaled("1", "0"), rescaled("1", "0")], {
        "rescale_values": ["1,-1024,HU", "1,0,HU"], "n_no_rescale": 0}),
    ("some without", CT, [rescaled("1", "-1024"), rescaled(None, "-1024"),
                          rescaled("1", None)], {
        "rescale_values": ["1,-1024,HU"], "n_no_rescale": 2}),
    ("none", CT, [Slice((0, 0, 0)), Slice((0, 0, 3))], {
        "rescale_values": [], "n_no_rescale": 2}),
    ("more than ten", CT, [rescaled("1", f"{n}") for n in range(12)], {
        "rescale_values": sorted(f"1,{n},HU" for n in range(12))[:10], "n_no_rescale": 0}),
    ("of PT", PT, [rescaled("0.5", "0", None), rescaled("0.7", "0", None)], {
        "rescale_values": ["*,0,"], "n_no_rescale": 0}),
    ("PT without", PT, [rescaled("0.5", "0", None), Slice((0, 0, 0))], {"n_no_rescale": 1}),
    ("of MR", MR, [Slice((0, 0, 0))], {"rescale_values": [], "n_no_rescale": None}),
    ("acquisitions", CT, [rescaled("1", "0", AcquisitionNumber=n) for n in (1, 2, 2, None)], {
        "n_acquisition_numbers": 2}),
    ("frames", CT, [rescaled("1", "0", NumberOfFrames=n) for n in (20, 5, None)], {
        "n_frames": 26}),
]


def test_rescale_and_acquisitions(graph: TestGraph, tmp_path: Path) -> None:
    series = {name: write(tmp_path, name, slices, sop_class)
              for name, sop_class, slices, _ in RESCALES}
    graph.ingest(tmp_path)
    for name, _, _, said in RESCALES:
        found = measured(graph, series[name])
        assert {n: found[n] for n in said} == said, name
