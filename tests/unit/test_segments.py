"""Segmentation objects as masks: binary, fractional, label map; on the image's voxels and off."""

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pack_bits
from pydicom.uid import SegmentationStorage

from rtgraph.preprocess.geometry import Grid, axes_of
from rtgraph.preprocess.refusals import Refused
from rtgraph.preprocess.segments import read_segments, segment_mask, thresholded
from tests.conftest import DATA
from tests.data import solids
from tests.data.solids import ORIENTATIONS, SHAPES, Layout


def grid_of(layout: Layout) -> Grid:
    return Grid(origin=np.array(layout.origin), axes=axes_of(layout.orientation),
                spacing=layout.spacing, positions=np.array(layout.positions), size=layout.size)


def segmentation(layout: Layout, frames: list[tuple[int, int, np.ndarray]], kind: str,
                 labels: list[str]) -> Dataset:
    """Return a SEG of frames (segment number, plane, pixels)."""
    ds = solids.new(SegmentationStorage, solids.uid("seg"), "SEG", solids.uid("seg series"),
                    FrameOfReferenceUID=layout.frame_uid, SegmentationType=kind,
                    NumberOfFrames=len(frames), ImageType=["DERIVED", "PRIMARY"])
    pixels = np.stack([f[2] for f in frames])
    solids.put_pixels(ds, pixels.astype(np.uint8))
    if kind == "BINARY":
        ds.BitsAllocated = ds.BitsStored = 1
        ds.HighBit = 0
        ds.PixelData = pack_bits(pixels.astype(np.uint8).ravel())
    if kind == "FRACTIONAL":
        ds.MaximumFractionalValue = 200
    first = 0 if kind == "LABELMAP" else 1
    ds.SegmentSequence = [solids.item(SegmentNumber=k, SegmentLabel=name)
                          for k, name in enumerate(labels, start=first)]
    ds.SharedFunctionalGroupsSequence = [solids.item(
        PixelMeasuresSequence=[solids.item(
            PixelSpacing=[layout.spacing[1], layout.spacing[0]], SliceThickness=3)],
        PlaneOrientationSequence=[solids.item(ImageOrientationPatient=[
            solids.decimal(x) for x in layout.orientation])])]
    groups = []
    for number, plane, _ in frames:
        group = solids.item(PlanePositionSequence=[solids.item(ImagePositionPatient=[
            solids.decimal(x) for x in layout.patient([(0, 0, layout.positions[plane])])[0]])])
        if kind != "LABELMAP":
            group.SegmentIdentificationSequence = [solids.item(ReferencedSegmentNumber=number)]
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = groups
    return ds


RING, TWO = (solids.truth(SHAPES[name](), Layout()) for name in ("RING", "TWO"))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_frames_on_the_voxels_of_the_image_are_copied(orientation: str) -> None:
    """Two segments that overlap, frames in reverse, empty ones left out."""
    layout = Layout(ORIENTATIONS[orientation])
    frames = [(n, p, a[p]) for n, a in ((2, TWO), (1, RING)) for p in range(39, 19, -1)]
    first, second = read_segments(segmentation(layout, frames, "BINARY", ["ring", "two"]))
    assert (first.number, first.label, second.number) == (1, "ring", 2)
    for segment, truth in ((first, RING), (second, TWO)):
        mask = segment_mask(segment, grid_of(layout))
        assert mask is not None
        assert np.array_equal(mask.full(), truth)


def test_fractions_and_label_maps() -> None:
    layout = Layout()
    shares = (RING * 150).astype(np.uint8)
    (segment,) = read_segments(segmentation(
        layout, [(1, p, shares[p]) for p in range(60)], "FRACTIONAL", ["ring"]))
    mask = segment_mask(segment, grid_of(layout))
    assert mask is not None
    assert mask.array.max() == pytest.approx(0.75)
    assert np.array_equal(thresholded(mask).full(), RING)
    labels = np.where(TWO > 0, 2, RING)
    one, two = read_segments(segmentation(
        layout, [(0, p, labels[p]) for p in range(60)], "LABELMAP", ["background", "a", "b"]))
    found = [segment_mask(s, grid_of(layout)) for s in (one, two)]
    assert [m is not None and np.array_equal(m.full(), labels == k)
            for k, m in enumerate(found, start=1)] == [True, True]


def test_frames_beside_the_voxels_are_resampled() -> None:
    """The image has half the spacing and other axes: the volume stays."""
    layout = Layout()
    (segment,) = read_segments(segmentation(
        layout, [(1, p, RING[p]) for p in range(20, 40)], "BINARY", ["ring"]))
    grid = grid_of(layout).resampled((0.7, 0.7, 1.1), "RAS")
    mask = segment_mask(segment, grid)
    assert mask is not None
    assert mask.volume_cc == pytest.approx(RING.sum() * 1.2 * 1.5 * 3 / 1000, rel=0.02)
    filled = np.flatnonzero(mask.full().any(axis=(1, 2)))
    z = grid.origin[2] + filled * 1.1
    assert z.min() == pytest.approx(-71.9 + 60 - 1.5, abs=1.1)
    assert z.max() == pytest.approx(-71.9 + 117 + 1.5, abs=1.1)


def test_an_empty_segment_and_no_pixels() -> None:
    layout = Layout()
    ds = segmentation(layout, [(1, 3, np.zeros_like(RING[0]))], "BINARY", ["empty", "absent"])
    assert [segment_mask(s, grid_of(layout)) for s in read_segments(ds)] == [None, None]
    del ds.PixelData
    with pytest.raises(Refused, match="HEADER_ONLY"):
        read_segments(ds)


@pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files beside the repository")
@pytest.mark.parametrize("name", ["24x38x3", "23x38x3"])
def test_a_real_segmentation_on_its_image(name: str) -> None:
    """Its voxels land on those of the CT, one by one."""
    from rtgraph.preprocess.images import open_series

    folder = DATA / "seg-sr" / "dcmqi" / "segmentations" / name
    series = open_series([str(p) for p in sorted((folder / "image").iterdir())])
    ds = dcmread(folder / "seg" / "label.seg")
    (segment,) = read_segments(ds)
    mask = segment_mask(segment, series.stack.grid)
    assert mask is not None
    order = np.argsort([float(g.PlanePositionSequence[0].ImagePositionPatient[2])
                        for g in ds.PerFrameFunctionalGroupsSequence])
    assert np.array_equal(mask.full(), ds.pixel_array[order])
