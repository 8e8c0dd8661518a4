"""DVHs against formulas: a linear field in a sphere, a cylinder and a ring, and uniform doses."""

import numpy as np
import pytest

from rtgraph.errors import UsageError
from rtgraph.preprocess.contours import read_structures
from rtgraph.preprocess.dose import Dose
from rtgraph.preprocess.dvh import Dvh, dvh_of, dvh_of_mask
from rtgraph.preprocess.geometry import Grid, axes_of
from rtgraph.preprocess.masks import Mask
from rtgraph.preprocess.storeddvh import compared, stored_dvhs
from tests.data import solids
from tests.data.solids import CENTRE, ORIENTATIONS, SHAPES, Layout, RoiSpec

GRADIENT = 0.8  # Gy a mm along u
AT_CENTRE = 30.0


def grid_of(layout: Layout) -> Grid:
    return Grid(origin=np.array(layout.origin), axes=axes_of(layout.orientation),
                spacing=layout.spacing, positions=np.array(layout.positions), size=layout.size)


def dose_of(layout: Layout, value: float | None = None) -> Dose:
    """Return a dose on a grid of 2 x 3 x 2.5 mm, in another place than the image's voxels."""
    origin = layout.patient([(-6.3, -5.9, -7.1)])[0]
    u = np.arange(45) * 2.0 - 6.3
    field = AT_CENTRE + GRADIENT * (u - CENTRE[0])
    array = np.broadcast_to(field, (80, 33, 45)) if value is None else np.full((80, 33, 45), value)
    return Dose(np.ascontiguousarray(array, np.float32),
                Grid(origin=origin, axes=axes_of(layout.orientation), spacing=(2.0, 3.0),
                     positions=np.arange(80, dtype=np.float64) * 2.5, size=(45, 33)), "1.2", "1.3")


def disc(x: np.ndarray, radius: float) -> np.ndarray:
    """Return the part of a disc's area right of x."""
    x = np.clip(x, -radius, radius)
    whole = radius**2 * np.arccos(x / radius) - x * np.sqrt(radius**2 - x**2)
    return np.asarray(whole)


def above(shape: str, x: np.ndarray) -> np.ndarray:
    """Return the volume in cc of a solid right of x (mm from its centre)."""
    if shape == "SPHERE":
        x = np.clip(x, -20, 20)
        return np.asarray(np.pi * (20.0 - x) ** 2 * (40.0 + x) / 3 / 1000)
    area = disc(x, 20.0) if shape == "CYL" else disc(x, 25.0) - disc(x, 15.0)
    return area * 60 / 1000


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("shape", ["SPHERE", "CYL", "RING"])
def test_linear_field(shape: str, orientation: str) -> None:
    layout = Layout(ORIENTATIONS[orientation])
    roi = read_structures(solids.structures(layout, [RoiSpec(1, shape, SHAPES[shape]())])).rois[0]
    found = dvh_of(roi, grid_of(layout), dose_of(layout))
    x = np.linspace(-26, 26, 200_001)
    volumes = above(shape, x)
    volume = float(above(shape, np.array([-26.0]))[0])
    d95 = AT_CENTRE + GRADIENT * float(np.interp(-0.95 * volume, -volumes, x))
    d2 = AT_CENTRE + GRADIENT * float(np.interp(-0.02 * volume, -volumes, x))
    v20 = float(above(shape, np.array([(20 - AT_CENTRE) / GRADIENT]))[0]) / volume * 100
    reach = 25 if shape == "RING" else 20
    assert found.covered == pytest.approx(1.0)
    assert found.volume_cc == pytest.approx(volume, rel=0.005)
    assert found.mean_gy == pytest.approx(AT_CENTRE, rel=0.005)
    assert found.metric("D95") == pytest.approx(d95, rel=0.005)
    assert found.metric("D2%") == pytest.approx(d2, rel=0.005)
    assert found.metric("V20Gy") == pytest.approx(v20, rel=0.005)
    assert found.max_gy == pytest.approx(AT_CENTRE + GRADIENT * reach, rel=0.01)
    assert found.min_gy == pytest.approx(AT_CENTRE - GRADIENT * reach, rel=0.02)
    assert found.metric("V60Gy") == 0.0
    assert found.metric("V80Gy_cc") == 0.0


def test_uniform_dose_has_no_volume_above_it() -> None:
    layout = Layout()
    roi = read_structures(solids.structures(layout, [RoiSpec(1, "S", SHAPES["SMALL"]())])).rois[0]
    found = dvh_of(roi, grid_of(layout), dose_of(layout, 50.0))
    values = {m: found.metric(m, 50.0) for m in ("V80Gy", "V50Gy", "V100%", "D95", "D0.03cc")}
    assert values == pytest.approx({"V80Gy": 0, "V50Gy": 100, "V100%": 100, "D95": 50,
                                    "D0.03cc": 50})
    assert np.isnan(found.metric("D5cc"))
    assert np.isnan(found.metric("V95%"))
    doses, volumes = found.curve(1.0)
    assert volumes[doses <= 50] == pytest.approx(found.volume_cc)
    assert not volumes[doses > 50].any()
    assert doses[-1] > 50


def test_a_structure_partly_outside_has_its_share() -> None:
    layout = Layout()
    roi = read_structures(solids.structures(layout, [RoiSpec(1, "C", SHAPES["CYL"]())])).rois[0]
    whole = dose_of(layout)
    half = Dose(whole.array[:, :, :23], Grid(
        origin=whole.grid.origin, axes=whole.grid.axes, spacing=(2.0, 3.0),
        positions=whole.grid.positions, size=(23, 33)), "1.2", "1.3")
    found = dvh_of(roi, grid_of(layout), half)
    edge = 22 * 2.0 - 6.3 - CENTRE[0]
    assert found.covered == pytest.approx(1 - float(disc(np.array([edge]), 20)[0]) / 400 / np.pi,
                                          abs=0.003)
    assert np.isnan(found.metric("D95"))
    assert not np.isnan(found.metric("D40"))


@pytest.mark.parametrize("orientation", ["HFS", "sagittal", "oblique"])
@pytest.mark.parametrize("shape", ["SPHERE", "CYL", "RING"])
def test_voxels_of_a_mask_have_the_dvh_of_the_solid(shape: str, orientation: str) -> None:
    """Of voxels of 1.2 x 1.5 x 3 mm: the volume of the voxels, the doses of the field."""
    layout = Layout(ORIENTATIONS[orientation])
    voxels = solids.truth(SHAPES[shape](), layout)[5:55]
    found = dvh_of_mask(Mask(1, shape, voxels, (5, 0, 0), grid_of(layout)), dose_of(layout))
    u = np.nonzero(voxels)[2] * 1.2
    x = np.linspace(-26, 26, 200_001)
    volume = float(above(shape, np.array([-26.0]))[0])
    v20 = float(above(shape, np.array([(20 - AT_CENTRE) / GRADIENT]))[0]) / volume * 100
    d95 = AT_CENTRE + GRADIENT * float(np.interp(-0.95 * volume, -above(shape, x), x))
    assert found.volume_cc == pytest.approx(voxels.sum() * 1.2 * 1.5 * 3 / 1000)
    assert found.covered == pytest.approx(1.0)
    assert found.mean_gy == pytest.approx(AT_CENTRE + GRADIENT * (u.mean() - CENTRE[0]), abs=1e-4)
    assert found.metric("V20Gy") == pytest.approx(v20, abs=1.5)
    assert found.metric("D95") == pytest.approx(d95, abs=GRADIENT * 1.2 / 2)  # half a column
    assert found.max_gy == pytest.approx(AT_CENTRE + GRADIENT * (u.max() - CENTRE[0]), abs=1e-4)


def test_shares_of_voxels_count_as_shares() -> None:
    layout = Layout()
    mask = Mask(1, "S", np.array([[[0.25, 0.0, 0.75]]], np.float32), (30, 28, 31), grid_of(layout))
    found = dvh_of_mask(mask, dose_of(layout))
    left, right = (AT_CENTRE + GRADIENT * (k * 1.2 - CENTRE[0]) for k in (31, 33))
    assert found.volume_cc == pytest.approx(1.2 * 1.5 * 3 / 1000)
    assert found.mean_gy == pytest.approx(0.25 * left + 0.75 * right, abs=1e-4)
    assert found.metric(f"V{right - 0.1:.3f}Gy") == pytest.approx(75)


@pytest.mark.parametrize("name", ["D", "V20", "V20cc", "D20Gy", "Dx", "D95_cc", "mean"])
def test_names_without_meaning(name: str) -> None:
    with pytest.raises(UsageError, match="no metric"):
        Dvh(np.zeros(0), np.zeros(0), 0.0).metric(name)


def test_stored_curves_are_read_and_compared() -> None:
    ds = solids.item(DVHSequence=[
        solids.item(DVHType="CUMULATIVE", DoseUnits="GY", DVHDoseScaling="0.5",
                    DVHVolumeUnits="CM3", DVHData=["2", "10", "2", "10", "2", "4"],
                    DVHReferencedROISequence=[solids.item(
                        ReferencedROINumber=3, DVHROIContributionType="INCLUDED")]),
        solids.item(DVHType="DIFFERENTIAL", DoseUnits="GY", DVHDoseScaling="1",
                    DVHVolumeUnits="PERCENT", DVHData=["1", "0", "1", "60", "1", "40"],
                    DVHMeanDose="1.9", DVHMaximumDose="3", DVHReferencedROISequence=[
                        solids.item(ReferencedROINumber=4, DVHROIContributionType="INCLUDED"),
                        solids.item(ReferencedROINumber=5, DVHROIContributionType="EXCLUDED")]),
        solids.item(DVHType="CUMULATIVE", DoseUnits="RELATIVE", DVHData=["1", "2"]),
    ])
    first, second = stored_dvhs(ds)
    assert (first.included, first.volume_cc, first.edges_gy.tolist()) == ((3,), 10.0, [0, 1, 2, 3])
    assert first.mean_gy == pytest.approx(1.5 * 0.6 + 2.5 * 0.4)
    assert (second.included, second.excluded, second.volume_cc) == ((4,), (5,), None)
    assert second.cumulative.tolist() == [100, 100, 40]
    assert second.mean_gy == 1.9
    same = Dvh(np.array([1.89]), np.array([10.0]), 10.0)
    assert compared(same, first, 3) == []
    other = Dvh(np.array([5.0]), np.array([20.0]), 20.0)
    assert [f.code for f in compared(other, first, 3)] == ["DVH_DOSE", "DVH_VOLUME"]


