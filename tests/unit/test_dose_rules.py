"""The grid of a dose and its stored histograms (PS3.3 C.8.8.3, C.8.8.4), against analytic truth."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tests.data.items import item
from tests.data.rt import DOSE, facts, made, parts, read, the_part

SEEDED = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def dose(offsets: object, frames: object = None, z: object = "-60", **elements: Any) -> Dataset:
    """Return a dose whose first plane lies at z."""
    return made(DOSE, NumberOfFrames=frames, GridFrameOffsetVector=offsets,
                ImagePositionPatient=None if z is None else ["-100", "-50", z], **elements)


def steps(*values: float) -> list[str]:
    return [f"{v:g}" for v in values]


GRIDS: list[tuple[str, tuple[Any, ...], Dataset]] = [
    # name                            form, monotonic, uniform, spacing, number    object
    ("relative",                      ("RELATIVE", True, True, 3, 4),
     dose(steps(0, 3, 6, 9), 4)),
    ("absolute",                      ("ABSOLUTE", True, True, 3, 4),
     dose(steps(-60, -57, -54, -51), 4)),
    ("relative, falling",             ("RELATIVE", True, True, 2.5, 3),
     dose(steps(0, -2.5, -5), 3)),
    ("absolute, falling",             ("ABSOLUTE", True, True, 3, 3),
     dose(steps(-60, -63, -66), 3)),
    ("first plane at 0, either way",  ("RELATIVE", True, True, 3, 2),
     dose(steps(0, 3), 2, z="0")),
    ("absolute, written roughly",     ("ABSOLUTE", True, True, 3, 2),
     dose(steps(-60.005, -57.005), 2)),
    ("not the place of the origin",   ("INVALID", True, True, 3, 3),
     dose(steps(-59, -56, -53), 3)),
    ("absolute without an origin",    ("INVALID", True, True, 3, 2),
     dose(steps(-60, -57), 2, z=None)),
    ("relative without an origin",    ("RELATIVE", True, True, 3, 2),
     dose(steps(0, 3), 2, z=None)),
    ("fewer offsets than frames",     ("INVALID", True, True, 3, 3),
     dose(steps(0, 3, 6), 4)),
    ("more offsets than frames",      ("INVALID", True, True, 3, 3),
     dose(steps(0, 3, 6), 2)),
    ("frames not stated",             ("INVALID", True, True, 3, 2),
     dose(steps(0, 3))),
    ("one plane, frames not stated",  ("RELATIVE", True, True, None, 1),
     dose(steps(0))),
    ("one step is larger",            ("RELATIVE", True, False, 3, 5),
     dose(steps(0, 3, 6, 12, 15), 5)),
    ("steps equal within 0.01 mm",    ("RELATIVE", True, True, 3, 4),
     dose(steps(0, 3, 6.006, 9.006), 4)),
    ("steps differ by more",          ("RELATIVE", True, False, 3, 4),
     dose(steps(0, 3, 6.02, 9.02), 4)),
    ("turns back",                    ("RELATIVE", False, False, 3, 4),
     dose(steps(0, 3, 2, 5), 4)),
    ("the same plane twice",          ("RELATIVE", False, False, 3, 4),
     dose(steps(0, 3, 3, 6), 4)),
    ("an offset that is no number",   (None, None, None, None, None),
     dose(b"0\\3\\x", 3)),
    ("an offset that is not finite",  (None, None, None, None, None),
     dose(b"0\\1e999\\6", 3)),
    ("no offsets",                    (None, None, None, None, None),
     dose(None, 3)),
    ("empty offsets",                 (None, None, None, None, None),
     dose(b"", 3)),
]


@pytest.mark.parametrize(("expected", "ds"), [g[1:] for g in GRIDS], ids=[g[0] for g in GRIDS])
def test_grid(expected: tuple[Any, ...], ds: Dataset) -> None:
    found = facts(ds)
    form, monotonic, uniform, spacing, number = (found.get(n) for n in (
        "offsets_form", "offsets_monotonic", "offsets_uniform", "grid_spacing_z",
        "n_grid_offsets"))
    assert (form, monotonic, uniform, number) == (*expected[:3], expected[4])
    assert spacing == pytest.approx(expected[3])


@SEEDED
@given(
    first=st.integers(-3000, 3000),
    gaps=st.lists(st.integers(5, 100), min_size=1, max_size=20),
    falling=st.booleans(), absolute=st.booleans())
def test_any_stack_of_planes(first: int, gaps: list[int], falling: bool, absolute: bool) -> None:
    z = [(first + (-1 if falling else 1) * sum(gaps[:n])) / 10 for n in range(len(gaps) + 1)]
    offsets = z if absolute else [v - z[0] for v in z]
    found = facts(dose(steps(*(round(v, 1) for v in offsets)), len(z), z=f"{z[0]:g}"))
    relative = not absolute or abs(first) == 0
    assert found["offsets_form"] == ("RELATIVE" if relative else "ABSOLUTE")
    assert found["offsets_monotonic"] is True
    assert found["offsets_uniform"] == (max(gaps) == min(gaps))
    ordered = sorted(gaps)
    middle = (ordered[(len(gaps) - 1) // 2] + ordered[len(gaps) // 2]) / 20
    assert found["grid_spacing_z"] == pytest.approx(middle)


def test_origin_pixels_and_units() -> None:
    found = facts(dose(
        steps(0, 3), 2, DoseUnits="GY", DoseSummationType="PLAN", DoseGridScaling="0.001",
        Rows=2, Columns=3, BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=0,
        SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", PixelData=bytes(24)))
    assert {n: found[n] for n in (
        "grid_origin", "has_pixel_data", "DoseUnits", "DoseSummationType", "DoseGridScaling",
        "Rows", "Columns", "NumberOfFrames", "n_dvh")} == {
        "grid_origin": [-100, -50, -60], "has_pixel_data": True, "DoseUnits": "GY",
        "DoseSummationType": "PLAN", "DoseGridScaling": 0.001, "Rows": 2, "Columns": 3,
        "NumberOfFrames": 2, "n_dvh": 0}


def test_a_dose_without_a_grid() -> None:
    found = facts(made(DOSE, ImagePositionPatient=["1", "2"]))
    assert found["has_pixel_data"] is False
    assert found.get("grid_origin") is None
    assert "offsets_form" not in found


# --- histograms ----------------------------------------------------------------------------------

def histogram(kind: str | None, units: str | None, data: object, **elements: Any) -> Dataset:
    return item(DVHType=kind, DVHVolumeUnits=units, DVHData=data, **elements)


def curve(*pairs: float) -> list[str]:
    return [f"{v:g}" for v in pairs]


VOLUMES: list[tuple[str, float | None, Dataset]] = [
    # name                         cm3    histogram: pairs of bin width and volume
    ("cumulative",                 90.5,  histogram("CUMULATIVE", "CM3",
                                                    curve(0.5, 90.5, 0.5, 60, 0.5, 0))),
    ("differential",               90.5,  histogram("DIFFERENTIAL", "CM3",
                                                    curve(1, 10.5, 1, 50, 2, 30))),
    ("in percent",                 None,  histogram("CUMULATIVE", "PERCENT",
                                                    curve(0.5, 100, 0.5, 60))),
    ("units not stated",           None,  histogram("CUMULATIVE", None, curve(0.5, 90.5))),
    ("one bin",                    7,     histogram("CUMULATIVE", "CM3", curve(0.5, 7))),
    ("a width alone",              None,  histogram("CUMULATIVE", "CM3", curve(0.5))),
    ("no data",                    None,  histogram("CUMULATIVE", "CM3", None)),
    ("no numbers",                 None,  histogram("CUMULATIVE", "CM3", b"a\\b")),
    ("a bad value in the middle",  None,  histogram("DIFFERENTIAL", "CM3", b"1\\2\\1\\x")),
    ("long decimals",              123.45678901234567, histogram(
        "CUMULATIVE", "CM3", b"0.50000000000000000\\123.45678901234567890\\0.5\\7")),
    ("thousands of bins",          500,   histogram("CUMULATIVE", "CM3",
                                                    curve(*(0.01, 500.0) * 5000))),
]


@pytest.mark.parametrize(
    ("expected", "one"), [v[1:] for v in VOLUMES], ids=[v[0] for v in VOLUMES])
def test_stored_volume(expected: float | None, one: Dataset) -> None:
    found = the_part(read(made(DOSE, DVHSequence=[one])), "DVH")
    assert found.values.get("stored_volume_cc") == pytest.approx(expected)


def test_histograms_name_their_rois() -> None:
    def of(*rois: tuple[object, str | None]) -> Dataset:
        return histogram(
            "CUMULATIVE", "CM3", None, DVHMeanDose="45.25", DVHNumberOfBins=3,
            DVHReferencedROISequence=[
                item(ReferencedROINumber=n, DVHROIContributionType=c) for n, c in rois])

    found = read(made(DOSE, DVHSequence=[
        of((5, "INCLUDED"), (3, "EXCLUDED")), of((7, None), (None, "INCLUDED")), of()]))
    assert {s: v["roi_refs"] for s, v in parts(found, "DVH").items()} == {
        "#V1": ["EXCLUDED:3", "INCLUDED:5"], "#V2": ["INCLUDED:7"], "#V3": []}
    assert parts(found, "DVH")["#V1"]["DVHMeanDose"] == 45.25
    assert found.values["Instance"]["n_dvh"] == 3


@SEEDED
@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 10**6)), min_size=1, max_size=50))
def test_the_volume_is_that_of_all_bins(bins: Sequence[tuple[int, int]]) -> None:
    volumes = [v / 100 for _, v in bins]
    remaining = [sum(volumes[n:]) for n in range(len(volumes))]
    for kind, stored in (("DIFFERENTIAL", volumes), ("CUMULATIVE", remaining)):
        pairs = [f"{v:.2f}" for (width, _), volume in zip(bins, stored, strict=True)
                 for v in (width, volume)]
        found = the_part(read(made(DOSE, DVHSequence=[histogram(kind, "CM3", pairs)])), "DVH")
        assert found.values["stored_volume_cc"] == pytest.approx(sum(volumes), abs=1e-6)
