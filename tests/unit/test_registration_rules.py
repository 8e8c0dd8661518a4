"""What the items of a registration map (PS3.3 C.20.2, C.20.3): by hand, and against numpy."""

from collections.abc import Sequence
from math import cos, radians, sin
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import Dataset

from tests.data.items import code, item, ref
from tests.data.rt import DEFORMABLE, IDENTITY, REG, STRUCT, links, made, parts, read, the_part
from tests.data.small import uid

SEEDED = settings(max_examples=60, deadline=None, derandomize=True, database=None)
FIXED, MOVING = uid("fixed"), uid("moving")
Matrix = Sequence[float]

SHIFT = (1, 0, 0, 5, 0, 1, 0, -3, 0, 0, 1, 2.5, 0, 0, 0, 1)
TURN_Z = (0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)  # x goes to y
TURN_X = (1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1)  # y goes to z
LARGER = (2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1)
MIRROR = (-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
SHEAR = (1, 0.5, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)


def of_matrix(values: object, kind: str | None = "RIGID") -> Dataset:
    stated = [f"{v:.12g}" for v in values] if isinstance(values, tuple) else values
    return item(FrameOfReferenceTransformationMatrix=stated,
                FrameOfReferenceTransformationMatrixType=kind)


def source(*matrices: Dataset, frame: object = MOVING, code_value: str = "") -> Dataset:
    """Return an item with its matrices."""
    types = [code(code_value)] if code_value else None
    return item(FrameOfReferenceUID=frame, MatrixRegistrationSequence=[
        item(MatrixSequence=list(matrices), RegistrationTypeCodeSequence=types)])


def registration(*items: Dataset, frame: str | None = "fixed") -> Dataset:
    return made(REG, "reg", of={"frame": frame}, RegistrationSequence=list(items))


def transform(*matrices: Dataset) -> dict[str, Any]:
    return the_part(read(registration(source(*matrices))), "Transform").values


# --- matrices ------------------------------------------------------------------------------------

MATRICES: list[tuple[str, tuple[Any, ...], Sequence[Dataset]]] = [
    # name                       identity, determinant, error of rotation       matrices
    ("identity",                 (True, 1, 0),       [of_matrix(IDENTITY)]),
    ("shift",                    (False, 1, 0),      [of_matrix(SHIFT)]),
    ("shift of a tenth of a um", (False, 1, 0),      [of_matrix((*IDENTITY[:3], 1e-4,
                                                                 *IDENTITY[4:]))]),
    ("almost identity",          (True, 1, 0),       [of_matrix((*IDENTITY[:3], 5e-7,
                                                                 *IDENTITY[4:]))]),
    ("quarter turn",             (False, 1, 0),      [of_matrix(TURN_Z)]),
    ("twice as large",           (False, 8, 3),      [of_matrix(LARGER, "RIGID_SCALE")]),
    ("mirrored",                 (False, -1, 0),     [of_matrix(MIRROR)]),
    ("sheared",                  (False, 1, 0.5),    [of_matrix(SHEAR, "AFFINE")]),
    ("flat",                     (False, 0, 1),      [of_matrix((0,) * 16)]),
    ("there and back",           (True, 1, 0),       [of_matrix(TURN_Z)] * 4),
]


@pytest.mark.parametrize(
    ("expected", "matrices"), [m[1:] for m in MATRICES], ids=[m[0] for m in MATRICES])
def test_matrix(expected: tuple[Any, ...], matrices: Sequence[Dataset]) -> None:
    found = transform(*matrices)
    assert found["is_identity"] is expected[0]
    assert found["determinant"] == pytest.approx(expected[1], abs=2e-6)
    assert found["rotation_error"] == pytest.approx(expected[2], abs=2e-6)


COMPOSED: list[tuple[str, Sequence[Matrix], tuple[float, ...], tuple[float, ...]]] = [
    # name                   matrices, first applied first         a point goes to   by hand
    ("one",                  [SHIFT],                              (1, 2, 3),  (6, -1, 5.5)),
    ("shift, then turn",     [SHIFT, TURN_Z],                      (1, 2, 3),  (1, 6, 5.5)),
    ("turn, then shift",     [TURN_Z, SHIFT],                      (1, 2, 3),  (3, -2, 5.5)),
    ("three",                [SHIFT, TURN_Z, TURN_X],              (1, 2, 3),  (1, -5.5, 6)),
    ("three, other order",   [TURN_X, TURN_Z, SHIFT],              (1, 2, 3),  (8, -2, 4.5)),
    ("larger, then shift",   [LARGER, SHIFT],                      (1, 2, 3),  (7, 1, 8.5)),
]


@pytest.mark.parametrize(
    ("matrices", "point", "expected"), [c[1:] for c in COMPOSED], ids=[c[0] for c in COMPOSED])
def test_composition(
    matrices: Sequence[tuple[float, ...]], point: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    found = transform(*map(of_matrix, matrices))
    x, y, z = point
    rows = [found["matrix"][n : n + 4] for n in (0, 4, 8)]
    assert [a * x + b * y + c * z + d for a, b, c, d in rows] == pytest.approx(expected)
    assert found["matrix"][12:] == [0, 0, 0, 1]
    assert found["n_matrices"] == len(matrices)


UNREADABLE = [
    # name                       matrices
    ("15 numbers",               [of_matrix(IDENTITY[:15])]),
    ("17 numbers",               [of_matrix((*IDENTITY, 0))]),
    ("no number",                [of_matrix(b"1\\0\\0\\x" + b"\\0" * 12)]),
    ("not finite",               [of_matrix(b"1e999" + b"\\0" * 15)]),
    ("NaN",                      [of_matrix(b"NaN" + b"\\0" * 15)]),
    ("empty",                    [of_matrix(b"")]),
    ("not stated",               [of_matrix(None)]),
    ("one of three",             [of_matrix(SHIFT), of_matrix(IDENTITY[:15]), of_matrix(SHIFT)]),
    ("product is not finite",    [of_matrix((1e300,) * 16)] * 2),
]


@pytest.mark.parametrize("matrices", [u[1] for u in UNREADABLE], ids=[u[0] for u in UNREADABLE])
def test_a_matrix_that_cannot_be_used_is_left_out(matrices: Sequence[Dataset]) -> None:
    found = transform(*matrices)
    assert not {"matrix", "is_identity", "determinant", "rotation_error"} & found.keys()
    assert (found["matrix_type"], found["n_matrices"]) == ("RIGID", len(matrices))


def test_numbers_too_large_for_their_squares() -> None:
    found = transform(of_matrix((1e200, *IDENTITY[1:])))
    assert found["is_identity"] is False
    assert found["determinant"] == pytest.approx(1e200)
    assert "rotation_error" not in found


TYPES: list[tuple[str, str | None, Sequence[str | None]]] = [
    # name                        of the item       of its matrices
    ("rigid",                     "RIGID",          ["RIGID"]),
    ("scaled",                    "RIGID_SCALE",    ["RIGID", "RIGID_SCALE", "RIGID"]),
    ("affine holds all",          "AFFINE",         ["RIGID_SCALE", "AFFINE", "RIGID"]),
    ("not stated",                "AFFINE",         ["RIGID", None]),
    ("of one maker",              "AFFINE",         ["PROJECTIVE"]),
    ("no matrix",                 None,             []),
]


@pytest.mark.parametrize(("expected", "kinds"), [t[1:] for t in TYPES], ids=[t[0] for t in TYPES])
def test_the_type_of_an_item_is_the_most_general(
    expected: str | None, kinds: Sequence[str | None]
) -> None:
    found = transform(*(of_matrix(IDENTITY, kind) for kind in kinds))
    assert found.get("matrix_type") == expected
    assert found["n_matrices"] == len(kinds)


def turn(angles: Sequence[float], shift: Sequence[float]) -> NDArray[np.float64]:
    """Return a rigid matrix: turns about z, then x, then a shift."""
    a, b = map(radians, angles)
    about_z = np.array([[cos(a), -sin(a), 0], [sin(a), cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cos(b), -sin(b)], [0, sin(b), cos(b)]])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = about_x @ about_z, shift
    return matrix


_RIGID = st.tuples(
    st.tuples(*[st.integers(-180, 180)] * 2), st.tuples(*[st.integers(-500, 500)] * 3))


@SEEDED
@given(st.lists(_RIGID, min_size=1, max_size=4))
def test_rigid_matrices_stay_rigid(moves: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> None:
    matrices = [turn(angles, shift) for angles, shift in moves]
    found = transform(*(of_matrix(tuple(m.ravel())) for m in matrices))
    point = np.array([10.0, -20.0, 30.0, 1.0])
    moved = point
    for matrix in matrices:
        moved = matrix @ moved
    assert np.reshape(found["matrix"], (4, 4)) @ point == pytest.approx(moved, abs=1e-6)
    assert found["determinant"] == pytest.approx(1)
    assert found["rotation_error"] < 1e-9


# --- items ---------------------------------------------------------------------------------------

def test_sides_and_frames_of_the_items() -> None:
    found = read(registration(
        source(of_matrix(IDENTITY), frame=FIXED),
        source(of_matrix(SHIFT), code_value="125025"),
        source(of_matrix(TURN_Z), frame=None)))
    assert {s: (v["item"], v["side"], v.get("item_frame_uid"), v.get("registration_type"))
            for s, v in parts(found, "Transform").items()} == {
        "#R1": (1, "REGISTERED", FIXED, None), "#R2": (2, "SOURCE", MOVING, "DCM^125025"),
        "#R3": (3, "SOURCE", None, None)}
    assert links(found, "FROM_FRAME") == {("#R1", FIXED), ("#R2", MOVING)}
    assert links(found, "TO_FRAME") == {("#R1", FIXED), ("#R2", FIXED), ("#R3", FIXED)}


def test_a_registration_without_a_frame_has_no_registered_side() -> None:
    found = read(registration(source(of_matrix(IDENTITY)), source(frame=None), frame=None))
    assert {v["side"] for v in parts(found, "Transform").values()} == {"SOURCE"}
    assert links(found, "FROM_FRAME") == {("#R1", MOVING)}
    assert links(found, "TO_FRAME") == set()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_as_many_transforms_as_items(count: int) -> None:
    found = read(registration(*[source(of_matrix(SHIFT))] * count))
    assert parts(found, "Transform").keys() == {f"#R{n}" for n in range(1, count + 1)}


def test_deformable_items_map_the_other_way() -> None:
    found = read(made(DEFORMABLE, "reg", of={"frame": "fixed"}, DeformableRegistrationSequence=[
        item(SourceFrameOfReferenceUID=MOVING, ReferencedImageSequence=[ref("1.2.5")],
             RegistrationTypeCodeSequence=[code("125024")],
             PreDeformationMatrixRegistrationSequence=[of_matrix(SHIFT)],
             DeformableRegistrationGridSequence=[item(
                 GridDimensions=[64, 64, 32], GridResolution=[4.0, 4.0, 3.0],
                 VectorGridData=bytes(48))]),
        item(SourceFrameOfReferenceUID=FIXED)]))
    first, second = parts(found, "Transform").values()
    assert first == {
        "item": 1, "side": "SOURCE", "item_frame_uid": MOVING, "matrix_type": "DEFORMABLE",
        "registration_type": "DCM^125024", "grid_dimensions": [64, 64, 32],
        "grid_resolution": [4, 4, 3]}
    assert (second["side"], second["matrix_type"]) == ("REGISTERED", "DEFORMABLE")
    assert links(found, "FROM_FRAME") == {("#R1", MOVING), ("#R2", FIXED)}
    assert links(found, "TO_FRAME") == {("#R1", FIXED), ("#R2", FIXED)}


def test_retired_transforms_of_a_structure_set() -> None:
    def relation(frame: str, values: object) -> Dataset:
        return item(RelatedFrameOfReferenceUID=frame,
                    FrameOfReferenceTransformationType="HOMOGENEOUS",
                    FrameOfReferenceTransformationMatrix=values)

    shift = [f"{v:g}" for v in SHIFT]
    found = read(made(STRUCT, "structures", ReferencedFrameOfReferenceSequence=[
        item(FrameOfReferenceUID=FIXED, FrameOfReferenceRelationshipSequence=[
            relation(MOVING, shift), relation(uid("other"), shift[:15])]),
        item(FrameOfReferenceUID=uid("second"))]))
    first, second = parts(found, "Transform").values()
    assert {n: first[n] for n in (
        "side", "legacy", "item", "item_frame_uid", "matrix_type", "matrix")} == {
        "side": "SOURCE", "legacy": True, "item": 1, "item_frame_uid": MOVING,
        "matrix_type": "AFFINE", "matrix": list(SHIFT)}
    assert second["item"] == 2
    assert "matrix" not in second
    assert links(found, "FROM_FRAME") == {("#R1", MOVING), ("#R2", uid("other"))}
    assert links(found, "TO_FRAME") == {("#R1", FIXED), ("#R2", FIXED)}
