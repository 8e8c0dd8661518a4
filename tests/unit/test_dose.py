"""Doses of a linear field: exact against the stored integers in every form of the grid."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from rtgraph.preprocess.dose import Dose, dose_at, dose_on, read_dose, summed
from rtgraph.preprocess.geometry import Grid, axes_of
from rtgraph.preprocess.mapping import Linear, Mapping
from rtgraph.preprocess.refusals import Refused
from tests.data import solids
from tests.data.solids import ORIENTATIONS, Layout

SCALING = 0.0005
COLUMNS, ROWS, FRAMES = 14, 11, 9
EVEN = tuple(2.5 * k for k in range(FRAMES))
UNEVEN = (0.0, 2.5, 5.0, 10.0, 12.5, 13.5, 17.0, 20.0, 30.0)
FORMS = [
    # name           positions   offsets from position and z of the first plane
    ("relative",     EVEN,       lambda w, z, s: w),
    ("absolute",     EVEN,       lambda w, z, s: z + s * w),
    ("descending",   EVEN,       lambda w, z, s: -w),
    ("uneven",       UNEVEN,     lambda w, z, s: w),
    ("uneven down",  UNEVEN,     lambda w, z, s: -w),
    ("uneven absolute", UNEVEN,  lambda w, z, s: z + s * w),
]
BITS: dict[str, type[np.unsignedinteger[Any]]] = {"16 bit": np.uint16, "32 bit": np.uint32}


def field(points: np.ndarray) -> np.ndarray:
    """Return a dose in Gy that is linear in the patient's coordinates."""
    return 20.0 + 0.11 * points[:, 0] - 0.07 * points[:, 1] + 0.05 * points[:, 2]


def layout_of(orientation: str) -> Layout:
    return Layout(ORIENTATIONS[orientation], origin=(3.3, -8.1, 27.5), spacing=(2.0, 3.0),
                  size=(COLUMNS, ROWS))


def written(
    layout: Layout, offsets: np.ndarray, along: np.ndarray, dtype: type[np.unsignedinteger[Any]],
    folder: Path, scaling: float = SCALING,
) -> tuple[Dose, np.ndarray]:
    """Write the field at frames `along` the normal, read it; return it and the stored values."""
    uvw = [(c * 2.0, r * 3.0, w) for w in along for r in range(ROWS) for c in range(COLUMNS)]
    values = field(layout.patient(uvw)).reshape(len(along), ROWS, COLUMNS)
    stored = np.rint(values / scaling).astype(dtype)
    ds = solids.dose(layout, stored, scaling, offsets.tolist())
    (path,) = solids.save([ds], folder)
    return read_dose(dcmread(path)), stored


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(("positions", "form"), [f[1:] for f in FORMS], ids=[f[0] for f in FORMS])
def test_the_field_is_exact_in_every_form(
    positions: tuple[float, ...], form: object, orientation: str, bits: str, tmp_path: Path
) -> None:
    layout, w = layout_of(orientation), np.array(positions)
    offsets = np.array(form(w, 27.5, np.sign(layout.axes[2, 2])))  # type: ignore[operator]
    transverse = abs(layout.axes[2, 2]) > 0.99
    if offsets[0] != 0 and not transverse:
        with pytest.raises(Refused, match="begins neither"):
            written(layout, offsets, w, BITS[bits], tmp_path)
        return
    along = -w if offsets[-1] < 0 and offsets[0] == 0 else w
    dose, stored = written(layout, offsets, along, BITS[bits], tmp_path)
    frame, row, column = 4, 7, 9
    point = layout.patient([(column * 2.0, row * 3.0, along[frame])])
    assert dose_at(dose, point)[0] == pytest.approx(stored[frame, row, column] * SCALING, abs=1e-5)
    rng = np.random.default_rng(5)
    low, high = sorted((along[0], along[-1]))
    uvw = rng.uniform([0, 0, low], [(COLUMNS - 1) * 2, (ROWS - 1) * 3, high], (500, 3))
    expected = trilinear(stored * SCALING, along, uvw)
    assert np.abs(dose_at(dose, layout.patient(uvw)) - expected).max() < 1e-4
    assert np.abs(expected - field(layout.patient(uvw))).max() < SCALING
    beyond = layout.patient([(-0.1, 5, low), (5, (ROWS - 1) * 3 + 0.1, low), (5, 5, high + 0.1)])
    assert np.isnan(dose_at(dose, beyond)).all()
    grid = target(layout, low)
    values, covered = dose_on(dose, grid)
    points = np.vstack([grid.plane_points(k) for k in range(grid.shape[0])])
    inside = covered.ravel()
    assert 500 < inside.sum() < inside.size
    assert np.abs(values.ravel()[inside] - field(points[inside])).max() < SCALING
    assert np.all(values.ravel()[~inside] == 0)
    local = (points - np.array(layout.origin)) @ layout.axes.T
    truth = np.all((local >= [0, 0, low]) & (local <= [(COLUMNS - 1) * 2, (ROWS - 1) * 3, high]),
                   axis=1)
    assert np.array_equal(truth, inside)


def trilinear(values: np.ndarray, along: np.ndarray, uvw: np.ndarray) -> np.ndarray:
    """Interpolate one axis after the other, in the coordinates of the stack."""
    order = np.argsort(along)
    found = []
    for u, v, w in uvw:
        plane = [[np.interp(w, along[order], values[order, r, c]) for c in range(COLUMNS)]
                 for r in (int(v // 3), min(int(v // 3) + 1, ROWS - 1))]
        lines = [np.interp(u, np.arange(COLUMNS) * 2.0, line) for line in plane]
        part = v / 3 - int(v // 3)
        found.append(lines[0] * (1 - part) + lines[1] * part)
    return np.array(found)


def target(layout: Layout, low: float) -> Grid:
    """Return an image grid that sticks out of the dose on all sides, off its voxels."""
    return Grid(origin=layout.patient([(-3.17, -4.23, low - 3.31)])[0],
                axes=axes_of(layout.orientation), spacing=(1.9, 2.3),
                positions=np.arange(15, dtype=np.float64) * 3.0, size=(20, 18))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("descending", [False, True])
def test_a_dose_added_to_itself_is_twice_and_not_mirrored(
    orientation: str, descending: bool, tmp_path: Path
) -> None:
    layout = layout_of(orientation)
    along = -np.array(UNEVEN) if descending else np.array(UNEVEN)
    dose, _ = written(layout, along, along, np.uint16, tmp_path)
    twice = summed([dose, dose], [1.0, 1.0])
    assert np.array_equal(twice.array, 2 * dose.array)
    assert twice.grid.same_as(dose.grid)
    points = layout.patient([(4.4, 13.0, float(along[2])), (20.0, 2.0, float(along[6]))])
    assert dose_at(twice, points) == pytest.approx(2 * field(points), abs=2 * SCALING)


def test_doses_on_other_grids_are_interpolated_and_cut(tmp_path: Path) -> None:
    layout, other = layout_of("HFS"), Layout(origin=(9.0, -2.0, 30.0), spacing=(2.0, 3.0),
                                             size=(COLUMNS, ROWS))
    a, _ = written(layout, np.array(EVEN), np.array(EVEN), np.uint16, tmp_path)
    b, _ = written(other, np.array(EVEN), np.array(EVEN), np.uint16, tmp_path)
    total = summed([a, b], [1.0, 0.5])
    points = np.vstack([total.grid.plane_points(k) for k in range(total.grid.shape[0])])
    assert total.array.ravel() == pytest.approx(1.5 * field(points), abs=2 * SCALING)
    assert total.grid.origin == pytest.approx([9.3, -2.1 + 3.0, 30.0])
    far = Layout(origin=(500.0, 0.0, 0.0), spacing=(2.0, 3.0), size=(COLUMNS, ROWS))
    c, _ = written(far, np.array(EVEN), np.array(EVEN), np.uint32, tmp_path)
    with pytest.raises(Refused, match="do not overlap"):
        summed([a, c], [1, 1])


def test_a_transform_carries_points_of_the_image_to_the_dose(tmp_path: Path) -> None:
    layout = layout_of("HFS")
    dose, _ = written(layout, np.array(EVEN), np.array(EVEN), np.uint16, tmp_path)
    shift = np.eye(4)
    shift[:3, 3] = 100.0, -50.0, 7.0
    grid = Grid(origin=dose.grid.origin - [100, -50, 7] + 1, axes=np.eye(3), spacing=(2.0, 2.0),
                positions=np.arange(5, dtype=np.float64) * 2.0, size=(8, 8))
    values, covered = dose_on(dose, grid, Mapping((Linear(shift),)))
    points = np.vstack([grid.plane_points(k) for k in range(5)])
    assert covered.all()
    assert values.ravel() == pytest.approx(field(points + np.array([100, -50, 7])), abs=SCALING)


BROKEN = [
    # name               change                                              expected
    ("no pixels",        lambda ds: delattr(ds, "PixelData"),                "HEADER_ONLY"),
    ("relative units",   lambda ds: setattr(ds, "DoseUnits", "RELATIVE"),    "UNITS"),
    ("no scaling",       lambda ds: delattr(ds, "DoseGridScaling"),          "SCALING"),
    ("zero scaling",     lambda ds: setattr(ds, "DoseGridScaling", "0"),     "SCALING"),
    ("no offsets",       lambda ds: delattr(ds, "GridFrameOffsetVector"),    "GRID"),
    ("too few offsets",  lambda ds: setattr(ds, "GridFrameOffsetVector", [0, 1]), "GRID"),
    ("to and fro",       lambda ds: setattr(ds, "GridFrameOffsetVector",
                                            [0, 1, 2, 1.5, 3, 4, 5, 6, 7]),  "GRID"),
    ("neither form",     lambda ds: setattr(ds, "GridFrameOffsetVector",
                                            [float(k + 3) for k in range(9)]), "GRID"),
    ("no orientation",   lambda ds: delattr(ds, "ImageOrientationPatient"),  "GRID"),
    ("short pixels",     lambda ds: setattr(ds, "PixelData", b"\0" * 100),   "UNREADABLE"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("spoil", "expected"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_doses_that_cannot_be_used_are_refused(spoil: object, expected: str) -> None:
    ds = solids.dose(layout_of("HFS"), np.ones((FRAMES, ROWS, COLUMNS), np.uint16), SCALING, EVEN)
    spoil(ds)  # type: ignore[operator]
    with pytest.raises(Refused) as caught:
        read_dose(ds)
    assert caught.value.code == expected
