"""Structure sets written from masks: the same voxels back, short decimals, a sound object."""

import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread

from rtgraph.errors import OutputError
from rtgraph.preprocess.contours import read_structures
from rtgraph.preprocess.images import Series, open_series
from rtgraph.preprocess.masks import make_mask
from rtgraph.preprocess.outlines import outlines
from rtgraph.preprocess.raster import HoleRule, Polygon, inside
from rtgraph.preprocess.refusals import Refused
from rtgraph.preprocess.rtstruct import Region, decimal, on_series, save, structure_set
from tests.data import solids
from tests.data.solids import ORIENTATIONS, SHAPES, Layout

WHEN = datetime(2024, 2, 5, 8, 30)


@pytest.mark.parametrize("seed", range(40))
def test_outlines_give_the_same_pixels_back(seed: int) -> None:
    """Islands in holes, pixels that touch by a corner, single rows: random regions have all."""
    rng = np.random.default_rng(seed)
    region = rng.random(rng.integers(1, 15, 2)) < rng.uniform(0.2, 0.9)
    polygons = [Polygon(path) for path in outlines(region)]
    for rule in HoleRule:
        assert np.array_equal(inside(polygons, (1, *region.shape), rule)[0], region)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def series_of(folder: Path, orientation: str = "HFS") -> Series:
    layout = Layout(ORIENTATIONS[orientation])
    return open_series(solids.save(solids.ct(layout), folder / "ct"))


REGIONS = [Region(solids.truth(SHAPES[name](), Layout()).astype(bool), name, "ORGAN")
           for name in ("RING", "TWO", "SMALL")]
WILD = np.random.default_rng(1).random((60, 56, 64)) < 0.6
WILD[4:] = WILD[:, 12:] = WILD[:, :, 12:] = False
EMPTY = np.zeros((60, 56, 64), bool)
ALL = [*REGIONS, Region(WILD, "Wild", "PTV", (1, 2, 3)), Region(EMPTY, "Empty")]


@pytest.mark.parametrize("orientation", ["HFS", "FFP", "HFDR", "sagittal", "oblique"])
def test_the_same_voxels_come_back(orientation: str, folder: Path) -> None:
    series = series_of(folder, orientation)
    path = folder / "out" / "rs.dcm"
    save(structure_set(series, ALL, label="AUTO", when=WHEN), path)
    ds = dcmread(path)
    read = read_structures(ds)
    assert [(r.number, r.name) for r in read.rois] == list(enumerate(
        ["RING", "TWO", "SMALL", "Wild", "Empty"], start=1))
    assert read.rois[3].colour == (1, 2, 3)
    assert read.frame_uid == solids.FRAME
    assert read.image_uids == {s.sop_uid for s in series.stack.slices}
    for roi, region in zip(read.rois, ALL, strict=True):
        found = make_mask(roi, series.stack.grid)
        back = EMPTY if found.mask is None else found.mask.full()
        assert np.array_equal(back, region.array)
        assert {r.result for r in found.ledger} <= {"PLACED"}
    by_uid = {s.sop_uid: k for k, s in enumerate(series.stack.slices)}
    for item in ds.ROIContourSequence:
        for contour in item.get("ContourSequence", ()):
            image = contour.ContourImageSequence[0].ReferencedSOPInstanceUID
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            planes = series.stack.grid.to_index(points)[:, 2]
            assert planes == pytest.approx(by_uid[image], abs=1e-4)
            assert contour.NumberOfContourPoints == len(points)


def test_decimal_strings_are_short(folder: Path) -> None:
    ds = structure_set(series_of(folder, "oblique"), REGIONS, label="AUTO", when=WHEN)
    texts = [t for roi in ds.ROIContourSequence for c in roi.get("ContourSequence", ())
             for t in c.get_item(0x30060050).value.decode().split("\\")]
    assert len(texts) > 1000
    assert max(len(t.rstrip()) for t in texts) <= 16
    for value in (1 / 3, -1 / 3, 1e-12, -123456.789012345, 0.1 + 0.2, -1e-300, 5e20, 0.0):
        text = decimal(value)
        assert len(text) <= 16
        assert re.fullmatch(r"[0-9+\-E.e]{1,16}", text)
        assert float(text) == pytest.approx(value, rel=1e-8, abs=1e-8)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="no dciodvfy of dicom3tools")
@pytest.mark.parametrize("regions", [ALL, REGIONS[:1]], ids=["all", "one"])
def test_dciodvfy_finds_no_error(regions: list[Region], folder: Path) -> None:
    path = folder / "rs.dcm"
    save(structure_set(series_of(folder), regions, label="AUTO", when=WHEN), path)
    ran = subprocess.run(["dciodvfy", str(path)], capture_output=True,
                         encoding="utf-8", check=False)
    assert [line for line in ran.stderr.splitlines() if line.startswith("Error")] == []
    assert "RTStructureSet" in ran.stderr


def test_the_same_input_gives_the_same_object(folder: Path) -> None:
    series = series_of(folder)
    one, two = (structure_set(series, REGIONS, label="AUTO", when=WHEN) for _ in range(2))
    other = structure_set(series, REGIONS[:2], label="AUTO", when=WHEN)
    assert one == two
    assert one.SOPInstanceUID != other.SOPInstanceUID
    save(one, folder / "a.dcm")
    with pytest.raises(OutputError, match="exists already"):
        save(one, folder / "a.dcm")


def test_masks_of_another_grid_are_refused_and_labels_resampled(folder: Path) -> None:
    series = series_of(folder)
    with pytest.raises(Refused, match="MIXED_GEOMETRY"):
        structure_set(series, [Region(EMPTY[1:], "Short")], label="AUTO", when=WHEN)
    labels = REGIONS[0].array * 3 + REGIONS[2].array * 0
    image = sitk.GetImageFromArray(labels.astype(np.uint8))
    image.SetOrigin([float(x) for x in series.stack.grid.origin])
    image.SetSpacing([1.2, 1.5, 3.0])
    assert np.array_equal(on_series(image, series), labels)
    finer = sitk.Resample(image, [128, 112, 120], sitk.Transform(), sitk.sitkNearestNeighbor,
                          image.GetOrigin(), [0.6, 0.75, 1.5], image.GetDirection())
    assert np.array_equal(on_series(finer, series), labels)
    image.SetOrigin([5000.0, 0.0, 0.0])
    with pytest.raises(Refused, match="beside"):
        on_series(image, series)
