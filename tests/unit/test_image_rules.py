"""Slices and image series: where they lie, how the patient lies, phases, localizers, cone beams."""

from math import cos, radians, sin
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.data.rt import CT, MR, PT, made, read

SEEDED = settings(max_examples=60, deadline=None, derandomize=True, database=None)
AXIAL = (1, 0, 0, 0, 1, 0)
Vector = NDArray[np.float64]


def decimals(values: Any) -> list[str]:
    return [f"{v:.10g}" for v in values]


def series(sop_class: str = CT, **elements: Any) -> dict[str, Any]:
    """Return the properties of the series of an image that states these elements."""
    return read(made(sop_class, "image", **elements)).values["Series"]


def slice_of(position: object, axes: object) -> dict[str, Any]:
    """Return where a slice lies."""
    found = read(made(CT, "image", ImagePositionPatient=position, ImageOrientationPatient=axes))
    return {n: found.values["Instance"].get(n) for n in ("slice_position", "slice_offset")}


def turned(axis: int, degrees: float) -> list[str]:
    """Return the orientation of an axial image that is turned about x (0), y (1) or z (2)."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    matrix = [
        np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])][axis]
    return decimals([*(matrix @ [1, 0, 0]), *(matrix @ [0, 1, 0])])


# --- orientation ---------------------------------------------------------------------------------

ORIENTATIONS: list[tuple[str, str | None, object]] = [
    # name                         plane        ImageOrientationPatient
    ("axial",                      "AXIAL",     decimals(AXIAL)),
    ("axial, prone",               "AXIAL",     decimals((-1, 0, 0, 0, -1, 0))),
    ("axial, seen from the head",  "AXIAL",     decimals((-1, 0, 0, 0, 1, 0))),
    ("coronal",                    "CORONAL",   decimals((1, 0, 0, 0, 0, -1))),
    ("sagittal",                   "SAGITTAL",  decimals((0, 1, 0, 0, 0, -1))),
    ("axial, tilted by 14",        "AXIAL",     turned(0, 14)),
    ("tilted by 16",               "OBLIQUE",   turned(0, 16)),
    ("half way to coronal",        "OBLIQUE",   turned(0, 45)),
    ("coronal within 14",          "CORONAL",   turned(0, 76)),
    ("turned in its plane",        "AXIAL",     turned(2, 30)),
    ("axes not at right angles",   None,        decimals((1, 0, 0, 0.5, 0.866, 0))),
    ("axes of no length",          None,        decimals((0,) * 6)),
    ("five numbers",               None,        decimals(AXIAL[:5])),
    ("no number",                  None,        b"1\\0\\0\\0\\1\\x"),
    ("not stated",                 None,        None),
]


@pytest.mark.parametrize(
    ("expected", "axes"), [o[1:] for o in ORIENTATIONS], ids=[o[0] for o in ORIENTATIONS])
def test_orientation(expected: str | None, axes: object) -> None:
    assert series(ImageOrientationPatient=axes).get("orientation") == expected


# --- position of a slice -------------------------------------------------------------------------

ORIGIN = decimals((-100, -50, -40))
PLACES: list[tuple[str, Any, Any, object, object]] = [
    # name                     position   along row and column   origin    orientation
    ("axial",                  -40,       (-100, -50),           ORIGIN,   decimals(AXIAL)),
    ("axial, from the head",   40,        (100, -50),            ORIGIN,
     decimals((-1, 0, 0, 0, 1, 0))),
    ("coronal",                -50,       (-100, 40),            ORIGIN,
     decimals((1, 0, 0, 0, 0, -1))),
    ("sagittal",               100,       (-50, 40),             ORIGIN,
     decimals((0, 1, 0, 0, 0, -1))),
    ("no origin",              None,      None,                  None,     decimals(AXIAL)),
    ("origin of two numbers",  None,      None,                  ORIGIN[:2], decimals(AXIAL)),
    ("no orientation",         None,      None,                  ORIGIN,   None),
    ("not finite",             None,      None,         b"1e999\\0\\0",    decimals(AXIAL)),
    ("no number",              None,      None,         b"a\\0\\0",        decimals(AXIAL)),
]


@pytest.mark.parametrize(("position", "offset", "origin", "axes"), [p[1:] for p in PLACES],
                         ids=[p[0] for p in PLACES])
def test_where_a_slice_lies(position: Any, offset: Any, origin: object, axes: object) -> None:
    found = slice_of(origin, axes)
    assert found["slice_position"] == position
    assert found["slice_offset"] == (offset if offset is None else list(offset))


@SEEDED
@given(st.tuples(*[st.integers(-5000, 5000)] * 3), st.tuples(*[st.integers(-180, 180)] * 3))
def test_a_slice_lies_where_its_origin_is(
    origin: tuple[int, int, int], angles: tuple[int, int, int]
) -> None:
    rows, columns = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    for axis, angle in enumerate(angles):
        values = np.array(turned(axis, angle), dtype=np.float64)
        matrix = np.column_stack([values[:3], values[3:], np.cross(values[:3], values[3:])])
        rows, columns = matrix @ rows, matrix @ columns
    point = np.array(origin) / 10
    found = slice_of(decimals(point), decimals((*rows, *columns)))
    normal = np.cross(rows, columns)
    assert found["slice_position"] == pytest.approx(float(point @ normal), abs=1e-5)
    assert found["slice_offset"] == pytest.approx([point @ rows, point @ columns], abs=1e-5)


# --- position of the patient ---------------------------------------------------------------------

# How the patient lies (PS3.3 C.7.3.1.1.2), as directions in coordinates of the patient: x to the
# left, y to the back, z to the head. What is down on the couch, and where somebody looks who
# stands before the gantry: head first, from the feet to the head.
DOWN = {"S": (0, 1, 0), "P": (0, -1, 0), "DR": (-1, 0, 0), "DL": (1, 0, 0)}
AHEAD = {"HF": (0, 0, 1), "FF": (0, 0, -1)}
POSITIONS = [first + lying for first in AHEAD for lying in DOWN]


def seen(position: str) -> tuple[Vector, Vector]:
    """Return the directions to the right and down in an image as it is seen in the room."""
    down, ahead = np.array(DOWN[position[2:]]), np.array(AHEAD[position[:2]])
    return np.cross(down, ahead), down  # right, down and ahead are a right-handed system


@pytest.mark.parametrize("stated", POSITIONS)
@pytest.mark.parametrize("lying", POSITIONS)
def test_only_the_position_that_is_seen_fits(stated: str, lying: str) -> None:
    found = series(ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], PatientPosition=stated,
                   ImageOrientationPatient=decimals(np.concatenate(seen(lying))))
    assert found["position_conflict"] is (stated != lying)


def test_positions_known_from_the_text_of_the_standard() -> None:
    right, down = seen("HFS")  # supine, head first: left of the patient on the right, back down
    assert (right.tolist(), down.tolist()) == ([1, 0, 0], [0, 1, 0])
    right, down = seen("FFP")  # prone, feet first: left on the right again, face down
    assert (right.tolist(), down.tolist()) == ([1, 0, 0], [0, -1, 0])


CONFLICTS: list[tuple[str, bool | None, dict[str, Any]]] = [
    # name                          conflict    what differs from an original axial HFS image
    ("as it should be",             False,  {}),
    ("turned by 40",                False,  {"ImageOrientationPatient": turned(2, 40)}),
    ("turned by 50",                True,   {"ImageOrientationPatient": turned(2, 50)}),
    ("tilted by 10",                False,  {"ImageOrientationPatient": turned(0, 10)}),
    ("upside down",                 True,   {"ImageOrientationPatient": turned(2, 180)}),
    ("mirrored",                    True,   {
        "ImageOrientationPatient": decimals((-1, 0, 0, 0, 1, 0))}),
    ("coronal",                     None,   {
        "ImageOrientationPatient": decimals((1, 0, 0, 0, 0, -1))}),
    ("derived",                     None,   {"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}),
    ("reformatted",                 None,   {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "REFORMATTED"]}),
    ("type not stated",             None,   {"ImageType": None}),
    ("position not stated",         None,   {"PatientPosition": None}),
    ("sitting",                     None,   {"PatientPosition": "SITTING"}),
    ("no orientation",              None,   {"ImageOrientationPatient": None}),
]


@pytest.mark.parametrize(
    ("expected", "changed"), [c[1:] for c in CONFLICTS], ids=[c[0] for c in CONFLICTS])
def test_position_conflict(expected: bool | None, changed: dict[str, Any]) -> None:
    stated: dict[str, Any] = {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "PatientPosition": "HFS",
        "ImageOrientationPatient": decimals(AXIAL)}
    assert series(**stated | changed).get("position_conflict") is expected


# --- localizers ----------------------------------------------------------------------------------

LOCALIZERS: list[tuple[str, bool | None, object]] = [
    # name                        localizer   ImageType
    ("value 3",                   True,       ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
    ("value 3 of more",           True,       ["ORIGINAL", "PRIMARY", "LOCALIZER", "CSA"]),
    ("axial",                     False,      ["ORIGINAL", "PRIMARY", "AXIAL"]),
    ("another value",             False,      ["ORIGINAL", "PRIMARY", "AXIAL", "LOCALIZER"]),
    ("two values",                False,      ["ORIGINAL", "PRIMARY"]),
    ("not stated",                None,       None),
]


@pytest.mark.parametrize(
    ("expected", "kinds"), [row[1:] for row in LOCALIZERS], ids=[row[0] for row in LOCALIZERS])
def test_localizer(expected: bool | None, kinds: object) -> None:
    assert series(ImageType=kinds).get("is_localizer") is expected


# --- phases --------------------------------------------------------------------------------------

TIMES = {"NumberOfTemporalPositions": 10, "TemporalPositionIdentifier": 3}
IN_DESCRIPTION, IN_TIMES, IN_CYCLE = "DESCRIPTION", "TEMPORAL_POSITION", "NOMINAL_PERCENTAGE"
PHASES: list[tuple[str, tuple[str | None, str | None], str, dict[str, Any]]] = [
    # name                     label, source              description              other elements
    ("percent",                ("50%", IN_DESCRIPTION),   "4DCT 50%",              {}),
    ("percent after a blank",  ("0%", IN_DESCRIPTION),    "Thorax 0 % resp",       {}),
    ("percent with a point",   ("12.5%", IN_DESCRIPTION), "Gated, 12.5%",          {}),
    ("percent with zeros",     ("10%", IN_DESCRIPTION),   "Phase 10.0% B30f",      {}),
    ("T and percent",          ("30%", IN_DESCRIPTION),   "CT T=30%",              {}),
    ("T-number",               ("T50", IN_DESCRIPTION),   "4D T50",                {}),
    ("T-number with a zero",   ("T0", IN_DESCRIPTION),    "Lung T00",              {}),
    ("T-number after a blank", ("T90", IN_DESCRIPTION),   "Lung T 90",             {}),
    ("T behind a hyphen",      ("T20", IN_DESCRIPTION),   "4D-T20",                {}),
    ("temporal position",      ("3/10", IN_TIMES),        "4DCT 50%",              TIMES),
    ("only one position",      (None, None),              "Thorax",
     {"NumberOfTemporalPositions": 1, "TemporalPositionIdentifier": 1}),
    ("no number of positions", (None, None),              "Thorax",
     {"TemporalPositionIdentifier": 1}),
    ("cycle of the heart",     ("75%", IN_CYCLE),         "T20",
     {"NominalPercentageOfCardiacPhase": 75.0, **TIMES}),
    ("average of all phases",  (None, None),              "AVG 0%-90%",            {}),
    ("average, said short",    (None, None),              "MIP 0-90%",             {}),
    ("average, with blanks",   (None, None),              "Ave 0% - 90%",          {}),
    ("vertebrae",              (None, None),              "CT T1-T12",             {}),
    ("vertebrae to the loins", (None, None),              "Spine T10 - L2",        {}),
    ("vertebrae from the neck", (None, None),             "Spine C5-T4",           {}),
    ("part of a word",         (None, None),              "PET10 BEST50",          {}),
    ("planning CT",            (None, None),              "Planning CT 3 mm",      {}),
    ("empty",                  (None, None),              "",                      {}),
]


@pytest.mark.parametrize(("expected", "description", "more"), [p[1:] for p in PHASES],
                         ids=[p[0] for p in PHASES])
def test_phase(
    expected: tuple[str | None, str | None], description: str, more: dict[str, Any]
) -> None:
    found = series(SeriesDescription=description, **more)
    assert (found.get("phase_label"), found.get("phase_source")) == expected


def test_the_weighting_of_an_mr_is_no_phase() -> None:
    assert series(MR, SeriesDescription="T2 axial").get("phase_label") is None
    assert series(MR, SeriesDescription="T2 cine 30%")["phase_label"] == "30%"


# --- cone beams ----------------------------------------------------------------------------------

CONE_BEAMS: list[tuple[str, float | None, dict[str, Any]]] = [
    # name                           score   elements
    ("planning CT",                  0.0,    {"SeriesDescription": "Planning CT"}),
    ("said in the description",      0.8,    {"SeriesDescription": "CBCT day 3"}),
    ("said in two words",            0.8,    {"SeriesDescription": "Cone Beam"}),
    ("said with a hyphen",           0.8,    {"ProtocolName": "cone-beam pelvis"}),
    ("said in the protocol",         0.8,    {"ProtocolName": "kV_CBCT_Head"}),
    ("said in ImageType",            0.8,    {"ImageType": ["ORIGINAL", "PRIMARY", "CBCT"]}),
    ("made by an imager",            0.5,    {"ManufacturerModelName": "On-Board Imager"}),
    ("made by XVI",                  0.5,    {"ManufacturerModelName": "XVI"}),
    ("made by a linac",              0.5,    {"ManufacturerModelName": "TrueBeam STx"}),
    ("made by a linac called Edge",  0.5,    {"ManufacturerModelName": "Edge"}),
    ("a scanner called Edge",        0.0,
     {"ManufacturerModelName": "SOMATOM Definition Edge", "StationName": "CTAWP1"}),
    ("said by the station",          0.5,
     {"ManufacturerModelName": "Imager", "StationName": "TrueBeam1"}),
    ("both",                         1.0,
     {"SeriesDescription": "CBCT", "ManufacturerModelName": "Halcyon"}),
    ("part of a word",               0.0,    {"SeriesDescription": "silicone beams"}),
]


@pytest.mark.parametrize(
    ("expected", "elements"), [c[1:] for c in CONE_BEAMS], ids=[c[0] for c in CONE_BEAMS])
def test_cone_beam_score(expected: float, elements: dict[str, Any]) -> None:
    assert series(**elements)["cbct_score"] == pytest.approx(expected)


@pytest.mark.parametrize("sop_class", [MR, PT])
def test_only_a_ct_may_be_a_cone_beam(sop_class: str) -> None:
    assert series(sop_class, SeriesDescription="CBCT").get("cbct_score") is None
