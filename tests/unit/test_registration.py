"""Registrations against point pairs in both directions; composition; what is refused."""

from collections.abc import Callable
from math import cos, radians, sin

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import DeformableSpatialRegistrationStorage, SpatialRegistrationStorage

from rtgraph.preprocess.geometry import Grid, axes_of
from rtgraph.preprocess.mapping import Linear, Mapping
from rtgraph.preprocess.refusals import Refused
from rtgraph.preprocess.registration import (
    Edge,
    Item,
    described,
    find_path,
    mapping_of,
    read_registration,
)
from rtgraph.preprocess.sampling import resample
from tests.data import solids
from tests.data.solids import ORIENTATIONS, Layout

CT, MR, PET, ATLAS, OTHER = "1.1", "1.2", "1.3", "1.4", "1.5"


def turn(x: np.ndarray, degrees: float, shift: tuple[float, float, float]) -> np.ndarray:
    """Turn points about z, from x to y, then shift them: written out, no matrix."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.stack([c * x[:, 0] - s * x[:, 1] + shift[0],
                     s * x[:, 0] + c * x[:, 1] + shift[1], x[:, 2] + shift[2]], axis=1)


def matrix(degrees: float, shift: tuple[float, float, float]) -> list[str]:
    """Return the same as the 16 decimal strings of a file."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    values = [c, -s, 0, shift[0], s, c, 0, shift[1], 0, 0, 1, shift[2], 0, 0, 0, 1]
    return [solids.decimal(v) for v in values]


IDENTITY = matrix(0, (0, 0, 0))


def rigid(name: str, registered: str, items: dict[str, list[list[str]]],
          kind: str = "RIGID") -> Dataset:
    """Return a Spatial Registration: for each frame its matrices, in item order."""
    ds = solids.new(SpatialRegistrationStorage, solids.uid(name), "REG", solids.uid("reg"),
                    FrameOfReferenceUID=registered)
    ds.RegistrationSequence = [solids.item(
        FrameOfReferenceUID=frame, MatrixRegistrationSequence=[solids.item(MatrixSequence=[
            solids.item(FrameOfReferenceTransformationMatrixType=kind,
                        FrameOfReferenceTransformationMatrix=m) for m in matrices])])
        for frame, matrices in items.items()]
    return ds


def walked(start: str, end: str, *objects: Dataset) -> Mapping:
    """Read the registrations, find the path, compose it."""
    items = {(i.edge.reg_uid, i.edge.item): i for ds in objects for i in read_registration(ds)}
    path = find_path([i.edge for i in items.values()], start, end)
    return mapping_of(path, items)


POINTS = np.array([[0.0, 0, 0], [30, -20, 110], [-51.5, 44.25, -7], [12, 13, 14]])
LINEAR = [
    # name              objects, and what carries a point of the MR to the CT
    ("translation",     [rigid("a", CT, {CT: [IDENTITY], MR: [matrix(0, (5, -7, 11))]})],
     lambda x: turn(x, 0, (5, -7, 11))),
    ("rotation",        [rigid("a", CT, {CT: [IDENTITY], MR: [matrix(25, (5, -7, 11))]})],
     lambda x: turn(x, 25, (5, -7, 11))),
    ("no own item",     [rigid("a", CT, {MR: [matrix(-40, (1, 2, 3))]})],
     lambda x: turn(x, -40, (1, 2, 3))),
    ("several matrices", [rigid("a", CT, {CT: [IDENTITY], MR: [
        matrix(30, (10, 0, 0)), matrix(0, (0, 20, 5)), matrix(-10, (1, 1, 1))]})],
     lambda x: turn(turn(turn(x, 30, (10, 0, 0)), 0, (0, 20, 5)), -10, (1, 1, 1))),
    ("own frame",       [rigid("a", OTHER, {CT: [matrix(15, (3, 0, 0))],
                                            MR: [matrix(40, (0, 9, 0))]})],
     lambda x: turn(turn(x, 40, (0, 9, 0)) - [3, 0, 0], -15, (0, 0, 0))),
    ("matrix of the fixed item", [rigid("a", CT, {CT: [matrix(0, (100, 0, 0))],
                                                  MR: [matrix(20, (0, 9, 0))]})],
     lambda x: turn(x, 20, (0, 9, 0)) - [100, 0, 0]),
    ("chain of two",    [rigid("a", PET, {PET: [IDENTITY], MR: [matrix(33, (4, 5, 6))]}),
                         rigid("b", CT, {CT: [IDENTITY], PET: [matrix(-12, (7, 8, 9))]})],
     lambda x: turn(turn(x, 33, (4, 5, 6)), -12, (7, 8, 9))),
    ("chain against one", [rigid("a", MR, {MR: [IDENTITY], PET: [matrix(10, (1, 0, 0))]}),
                           rigid("b", CT, {CT: [IDENTITY], PET: [matrix(50, (0, 1, 0))]})],
     lambda x: turn(turn(x - [1, 0, 0], -10, (0, 0, 0)), 50, (0, 1, 0))),
]


@pytest.mark.parametrize(("objects", "truth"), [c[1:] for c in LINEAR], ids=[c[0] for c in LINEAR])
def test_point_pairs_in_both_directions(
    objects: list[Dataset], truth: Callable[[np.ndarray], np.ndarray]
) -> None:
    on_ct = truth(POINTS)
    assert np.abs(walked(MR, CT, *objects).carry(POINTS)[0] - on_ct).max() < 0.01
    assert np.abs(walked(CT, MR, *objects).carry(on_ct)[0] - POINTS).max() < 0.01


def test_a_composed_path_is_the_product() -> None:
    first, second = LINEAR[6][1]
    total = walked(MR, CT, first, second).matrix
    one, two = walked(MR, PET, first).matrix, walked(PET, CT, second).matrix
    assert total is not None
    assert one is not None
    assert two is not None
    assert total == pytest.approx(two @ one, abs=1e-9)


def grid_of(layout: Layout) -> Grid:
    return Grid(origin=np.array(layout.origin), axes=axes_of(layout.orientation),
                spacing=layout.spacing, positions=np.array(layout.positions), size=layout.size)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("other", ["HFS", "sagittal"])
def test_an_image_lands_where_the_point_pair_says(orientation: str, other: str) -> None:
    """Values of the MR are its own coordinates; on the CT grid each voxel must hold its partner."""
    registration = rigid("a", CT, {CT: [IDENTITY], MR: [matrix(12, (5, -7, 11))]})
    to_mr = walked(CT, MR, registration)
    ct = grid_of(Layout(ORIENTATIONS[orientation], size=(12, 10),
                        positions=tuple(4.0 * k for k in range(9))))
    middle = turn(ct.corners().mean(axis=0)[None] - [5, -7, 11], -12, (0, 0, 0))[0]
    axes = axes_of(ORIENTATIONS[other])
    mr = Grid(origin=middle - np.array([60, 60, 60]) @ np.abs(axes) * np.sign(axes.sum(axis=0)),
              axes=axes, spacing=(3.0, 4.0), positions=np.arange(41, dtype=np.float64) * 3.0,
              size=(41, 31))
    points = np.vstack([ct.plane_points(k) for k in range(ct.shape[0])])
    partners = turn(points - [5, -7, 11], -12, (0, 0, 0))
    for axis in range(3):
        coordinate = np.vstack([mr.plane_points(k) for k in range(mr.shape[0])])[:, axis]
        values, covered = resample(coordinate.reshape(mr.shape).astype(np.float32), mr, ct,
                                   mapping=to_mr)
        assert covered.all()
        assert np.abs(values.ravel() - partners[:, axis]).max() < 0.01


def deformable(**changes: object) -> Dataset:
    """Return a deformation whose grid is turned, and has another size than any image.

    Offsets are linear in the place, so that interpolation between grid points is exact.
    """
    layout = Layout((0, 1, 0, -1, 0, 0), origin=(60.0, -50.0, -40.0))
    axes = layout.axes
    size, step = (31, 25, 17), (4.0, 5.0, 6.0)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in size), indexing="ij"), axis=-1)
    place = layout.patient((index * step).reshape(-1, 3)).reshape(*size, 3)
    offset = offsets(place.reshape(-1, 3)).reshape(*size, 3)
    data = np.transpose(offset, (2, 1, 0, 3)).astype("<f4")
    ds = solids.new(DeformableSpatialRegistrationStorage, solids.uid("deform"), "REG",
                    solids.uid("reg"), FrameOfReferenceUID=CT)
    grid = solids.item(
        ImagePositionPatient=[60, -50, -40], ImageOrientationPatient=[*axes[0], *axes[1]],
        GridDimensions=list(size), GridResolution=list(step), VectorGridData=data.tobytes())
    for keyword, value in changes.items():
        setattr(grid, keyword, value)
    entry = [solids.item(FrameOfReferenceTransformationMatrixType="RIGID",
                         FrameOfReferenceTransformationMatrix=m)
             for m in (matrix(10, (1, 2, 3)), matrix(-5, (0, 4, 0)))]
    ds.DeformableRegistrationSequence = [
        solids.item(SourceFrameOfReferenceUID=CT),
        solids.item(SourceFrameOfReferenceUID=MR,
                    PreDeformationMatrixRegistrationSequence=[entry[0]],
                    PostDeformationMatrixRegistrationSequence=[entry[1]],
                    DeformableRegistrationGridSequence=[grid])]
    return ds


def offsets(x: np.ndarray) -> np.ndarray:
    return np.stack([0.02 * x[:, 1] + 1, -0.01 * x[:, 2], 0.03 * x[:, 0] - 2], axis=1)


INSIDE = np.array([[0.0, 0, 0], [30, -20, 11], [-31.5, 44.25, -7], [12, 13, 14]])


def test_a_deformation_goes_from_registered_to_source() -> None:
    """Pre matrix, plus the offset that the grid has at the registered point, post matrix."""
    moved, known = walked(CT, MR, deformable()).carry(INSIDE)
    truth = turn(turn(INSIDE, 10, (1, 2, 3)) + offsets(INSIDE), -5, (0, 4, 0))
    assert known.all()
    assert np.abs(moved - truth).max() < 0.01


def test_a_deformation_is_refused_in_the_other_direction() -> None:
    with pytest.raises(Refused, match="DEFORMABLE_INVERSE"):
        walked(MR, CT, deformable())
    with pytest.raises(Refused, match="DEFORMABLE_INVERSE"):
        walked(CT, MR, deformable()).inverse()


def test_a_rigid_step_and_a_deformation_are_composed() -> None:
    step = rigid("a", PET, {PET: [IDENTITY], CT: [matrix(20, (3, 0, 0))]})
    on_pet = turn(INSIDE, 20, (3, 0, 0))
    moved, known = walked(PET, MR, step, deformable()).carry(on_pet)
    truth = turn(turn(INSIDE, 10, (1, 2, 3)) + offsets(INSIDE), -5, (0, 4, 0))
    assert known.all()
    assert np.abs(moved - truth).max() < 0.01


def test_beyond_the_grid_and_at_undefined_offsets_nothing_is_known() -> None:
    ds = deformable()
    grid = ds.DeformableRegistrationSequence[1].DeformableRegistrationGridSequence[0]
    data = np.frombuffer(grid.VectorGridData, "<f4").reshape(17, 25, 31, 3).copy()
    data[8, 12, 15] = np.nan
    grid.VectorGridData = data.tobytes()
    at_hole = np.array([60.0, -50, -40]) + np.array([15 * 4.0, 12 * 5.0, 8 * 6.0]) @ np.array(
        [[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]])
    points = np.vstack([INSIDE[:1], [[500.0, 0, 0]], at_hole[None] + 1])
    assert walked(CT, MR, ds).carry(points)[1].tolist() == [True, False, False]
    ct = Grid(origin=np.array([-20.0, -20, -20]), axes=np.eye(3), spacing=(4.0, 4.0),
              positions=np.arange(9, dtype=np.float64) * 5, size=(10, 10))
    mr = Grid(origin=np.array([-90.0, -90, -90]), axes=np.eye(3), spacing=(4.0, 4.0),
              positions=np.arange(46, dtype=np.float64) * 4, size=(46, 46))
    x = np.vstack([mr.plane_points(k) for k in range(46)])[:, 0].reshape(mr.shape)
    values, covered = resample(x.astype(np.float32), mr, ct, mapping=walked(CT, MR, ds))
    points = np.vstack([ct.plane_points(k) for k in range(9)])
    truth = turn(turn(points, 10, (1, 2, 3)) + offsets(points), -5, (0, 4, 0))[:, 0]
    inside = covered.ravel()
    assert 0 < (~inside).sum() <= 18
    assert np.abs(values.ravel()[inside] - truth[inside]).max() < 0.01


@pytest.mark.parametrize(("keyword", "value"), [
    ("VectorGridData", b"\0" * 12), ("GridDimensions", [1, 2]), ("GridResolution", [0, 1, 1]),
    ("ImagePositionPatient", None)])
def test_a_broken_grid_is_refused(keyword: str, value: object) -> None:
    with pytest.raises(Refused, match="GRID"):
        read_registration(deformable(**{keyword: value}))


BAD = [
    # name             kind           matrix
    ("last row",       "AFFINE",      [*IDENTITY[:12], "0", "0", "1", "1"]),
    ("mirror",         "RIGID",       ["-1", *IDENTITY[1:]]),
    ("stretched",      "RIGID",       ["2", *IDENTITY[1:]]),
    ("sheared",        "RIGID_SCALE", ["1", "0.5", *IDENTITY[2:]]),
    ("flat",           "AFFINE",      ["0", *IDENTITY[1:]]),
    ("too short",      "RIGID",       IDENTITY[:15]),
    ("unknown type",   "PERSPECTIVE", IDENTITY),
]


@pytest.mark.parametrize(("kind", "values"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_matrix_that_contradicts_its_type_stops_the_case(kind: str, values: list[str]) -> None:
    with pytest.raises(Refused, match="CONFLICTING_MATRIX"):
        read_registration(rigid("a", CT, {MR: [values]}, kind))


@pytest.mark.parametrize(("kind", "values"), [
    ("RIGID_SCALE", ["2", *IDENTITY[1:]]), ("AFFINE", ["1", "0.5", *IDENTITY[2:]])])
def test_looser_types_may_do_so(kind: str, values: list[str]) -> None:
    (item,) = read_registration(rigid("a", CT, {MR: [values]}, kind))
    assert item.edge.matrix_type == kind


def test_an_item_may_name_images_instead_of_a_frame() -> None:
    ds = rigid("a", CT, {MR: [matrix(0, (1, 0, 0))]})
    del ds.RegistrationSequence[0].FrameOfReferenceUID
    ds.RegistrationSequence[0].ReferencedImageSequence = [
        solids.item(ReferencedSOPInstanceUID="9.1"), solids.item(ReferencedSOPInstanceUID="9.2")]
    assert read_registration(ds) == []
    (item,) = read_registration(ds, {"9.1": MR, "9.2": MR})
    assert (item.edge.source, sorted(item.image_uids)) == (MR, ["9.1", "9.2"])


def edge(name: str, source: str, registered: str, kind: str = "RIGID") -> Edge:
    return Edge(name, 1, source, registered, kind)


PATHS = [
    # name              edges                                                     result
    ("same frame",      [],                                                       []),
    ("one step",        [edge("a", MR, CT)],                                      ["a"]),
    ("shortest",        [edge("a", MR, CT), edge("b", MR, PET), edge("c", PET, CT)], ["a"]),
    ("two steps",       [edge("b", MR, PET), edge("c", PET, CT)],                 ["c", "b"]),
    ("two of one length", [edge("a", MR, CT), edge("b", MR, CT)],                 "SEVERAL_PATHS"),
    ("none",            [edge("a", PET, CT)],                                     "NO_PATH"),
    ("too long",        [edge("a", MR, PET), edge("b", PET, OTHER), edge("c", OTHER, CT)],
     "NO_PATH"),
    ("through an atlas", [edge("a", MR, ATLAS), edge("b", CT, ATLAS)],            "NO_PATH"),
    ("deformed",        [edge("a", MR, CT, "DEFORMABLE")],                        ["a"]),
    ("deformed, against", [edge("a", CT, MR, "DEFORMABLE")],
     "DEFORMABLE_INVERSE"),
    ("in a circle",     [edge("a", CT, CT), edge("b", MR, CT)],                   ["b"]),
]  # fmt: skip


@pytest.mark.parametrize(("edges", "expected"), [p[1:] for p in PATHS], ids=[p[0] for p in PATHS])
def test_the_path_between_two_frames(edges: list[Edge], expected: list[str] | str) -> None:
    end = CT if not edges and expected == [] else MR
    frames = frozenset({CT, MR, PET, OTHER})
    if isinstance(expected, str):
        with pytest.raises(Refused) as caught:
            find_path(edges, CT, end, patient_frames=frames)
        assert caught.value.code == expected
        return
    path = find_path(edges, CT, end, patient_frames=frames)
    assert [w.edge.reg_uid for w in path] == expected


def test_a_registration_may_be_chosen_and_a_path_is_described() -> None:
    a, b = (rigid(n, CT, {MR: [matrix(0, (x, 0, 0))]}) for n, x in (("a", 1), ("b", 2)))
    items = {(i.edge.reg_uid, i.edge.item): i for ds in (a, b) for i in read_registration(ds)}
    edges = [i.edge for i in items.values()]
    path = find_path(edges, CT, MR, chosen=[str(b.SOPInstanceUID)])
    assert mapping_of(path, items).carry(np.zeros((1, 3)))[0].tolist() == [[-2, 0, 0]]
    (step,) = described(path, items)
    assert (step["registration"], step["from_frame"], step["to_frame"]) == (
        str(b.SOPInstanceUID), CT, MR)
    assert step["stored_direction"] is False
    with pytest.raises(Refused, match="no item 4"):
        mapping_of(find_path([Edge("z", 4, MR, CT, "RIGID")], CT, MR), items)


def test_a_mapping_without_steps_changes_nothing() -> None:
    assert np.array_equal(Mapping().carry(POINTS)[0], POINTS)
    assert Mapping((Linear(np.eye(4)),)).inverse().matrix == pytest.approx(np.eye(4))
    assert isinstance(read_registration(rigid("a", CT, {MR: [IDENTITY]}))[0], Item)
