"""Differences of two objects: items by key, numbers with tolerance, strings as strings."""

from collections.abc import Callable
from copy import deepcopy
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from rtgraph.errors import UsageError
from rtgraph.preprocess.differences import CompareOptions, differences
from tests.command import Command
from tests.data import planned

CHAIN = planned.chain("PAT-A")


def edit(name: str, change: Callable[[Dataset], Any]) -> tuple[Dataset, Dataset]:
    changed = deepcopy(CHAIN[name])
    change(changed)
    return CHAIN[name], changed


def turned(ds: Dataset) -> None:
    ds.BeamSequence = [ds.BeamSequence[1], ds.BeamSequence[0]]


def without(ds: Dataset) -> None:
    ds.BeamSequence = [ds.BeamSequence[1]]


def renamed(ds: Dataset) -> None:
    ds.RTPlanName, ds.SOPInstanceUID = "new", "1.2"


CASES = [
    # name         object, change, options, (path, kind, a, b)
    ("equal", "plan", lambda d: None, {}, []),
    ("order of items", "plan", turned, {}, []),
    ("a text", "plan", lambda d: setattr(d, "RTPlanLabel", "P2"), {},
     [("RTPlanLabel", "CHANGED", "P1", "P2")]),
    ("case of a text", "plan", lambda d: setattr(d, "RTPlanLabel", "p1"), {},
     [("RTPlanLabel", "CHANGED", "P1", "p1")]),
    ("in an item", "plan", lambda d: setattr(d.BeamSequence[1], "BeamName", "X"), {},
     [("BeamSequence[BeamNumber=2].BeamName", "CHANGED", "B2", "X")]),
    ("an item less", "plan", without, {},
     [("BeamSequence[BeamNumber=1]", "ONLY_A", "item of 7 elements", "")]),
    ("nested", "plan", lambda d: setattr(
        d.BeamSequence[0].ControlPointSequence[0], "GantryAngle", "91"), {},
     [("BeamSequence[BeamNumber=1].ControlPointSequence[ControlPointIndex=0].GantryAngle",
       "CHANGED", "90", "91")]),
    ("within tolerance", "plan", lambda d: setattr(
        d.BeamSequence[0].ControlPointSequence[0], "GantryAngle", "90.4"), {"tolerance": 0.5}, []),
    ("relative", "plan", lambda d: setattr(
        d.DoseReferenceSequence[0], "TargetPrescriptionDose", "32.1"), {"relative": 0.01}, []),
    ("whole numbers have none", "plan", lambda d: setattr(
        d.FractionGroupSequence[0], "NumberOfFractionsPlanned", 31), {"tolerance": 5},
     [("FractionGroupSequence[FractionGroupNumber=1].NumberOfFractionsPlanned", "CHANGED",
       "30", "31")]),
    ("the same number otherwise", "plan", lambda d: setattr(
        d.DoseReferenceSequence[0], "TargetPrescriptionDose", "32.000"), {}, []),
    ("added", "plan", lambda d: setattr(d, "RTPlanName", "new"), {},
     [("RTPlanName", "ONLY_B", "", "new")]),
    ("ignored", "plan", renamed,
     {"ignore": ("RTPlanN*", "*UID")}, []),
    ("grid", "dose", lambda d: setattr(d, "GridFrameOffsetVector",
                                       [float(v) + 0.5 for v in d.GridFrameOffsetVector]), {},
     [("GridFrameOffsetVector", "CHANGED", "15 values", "15 values")]),
    ("pixels", "dose", lambda d: setattr(d, "PixelData", d.PixelData[:-1] + b"\x07"), {},
     [("PixelData", "CHANGED", "33000 bytes", "33000 bytes")]),
    ("a roi by number", "structures", lambda d: setattr(
        d.StructureSetROISequence[2], "ROIName", "Parotid_R"), {},
     [("StructureSetROISequence[ROINumber=3].ROIName", "CHANGED", "Parotid_L", "Parotid_R")]),
    ("contours", "structures", lambda d: setattr(
        d.ROIContourSequence[1].ContourSequence[0], "ContourData",
        [0.0, *list(d.ROIContourSequence[1].ContourSequence[0].ContourData)[1:]]), {},
     [("ROIContourSequence[ReferencedROINumber=2].ContourSequence[1].ContourData", "CHANGED",
       "270 values", "270 values")]),
]


@pytest.mark.parametrize(("name", "change", "options", "expected"), [c[1:] for c in CASES],
                         ids=[c[0] for c in CASES])
def test_differences(name: str, change: Callable[[Dataset], Any], options: dict[str, Any],
                     expected: list[tuple[str, ...]]) -> None:
    found = differences(*edit(name, change), CompareOptions(**options))
    assert [(d.path, d.kind, d.a, d.b) for d in found] == expected


def test_notes_and_identifying_values() -> None:
    (grid,) = differences(*edit("dose", lambda d: setattr(
        d, "GridFrameOffsetVector", [0, *list(d.GridFrameOffsetVector)[1:-1], 99])))
    assert grid.note == "1 of 15 values, up to 57"
    (name,) = differences(*edit("plan", lambda d: setattr(d, "PatientName", "Other")))
    assert name.identifying
    (angle,) = differences(*edit("plan", lambda d: setattr(
        d.BeamSequence[0].ControlPointSequence[0], "GantryAngle", "3")))
    assert not angle.identifying


@pytest.mark.parametrize(("one", "other", "note"), [
    ([1.0, nan], [1.0, nan],  None),
    ([1.0, nan], [1.5, nan],  "1 of 2 values, up to 0.5"),
    ([1.0, nan], [1.0, 2.0],  "1 of 2 values, up to 0"),
    ([inf, 1.0], [inf, 1.0],  None),
    ([inf, 1.0], [-inf, 1.0], "1 of 2 values, up to inf"),
])
def test_numbers_that_are_none(one: list[float], other: list[float], note: str | None) -> None:
    a, b = Dataset(), Dataset()
    a.add_new(0x0018_9079, "FD", one)  # InversionTimes
    b.add_new(0x0018_9079, "FD", other)
    assert [d.note for d in differences(a, b)] == (
        [] if note is None else [note])


def test_two_classes_are_not_compared() -> None:
    with pytest.raises(UsageError, match="two classes, RT Plan Storage and RT Dose Storage"):
        differences(CHAIN["plan"], CHAIN["dose"])


def test_a_file_that_cannot_be_read_is_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = Command(tmp_path, monkeypatch, capsys)
    text = tmp_path / "notes.txt"
    text.touch()
    ended = command("compare", text, text, code=3)
    assert "no DICOM object" in ended.stderr
