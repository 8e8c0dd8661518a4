"""Volumes from slices: order by geometry, faults by name, phases, multi-frame, rescale, SUV."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import Dataset, dcmread
from pydicom.uid import EnhancedCTImageStorage, PositronEmissionTomographyImageStorage

from rtgraph.preprocess.images import open_series, read_volume
from rtgraph.preprocess.refusals import Refused
from rtgraph.preprocess.slices import slices_of
from rtgraph.preprocess.stacks import StackOptions, phases
from rtgraph.preprocess.suv import suv_factor
from tests.data import solids
from tests.data.solids import ORIENTATIONS, Layout

SMALL: dict[str, Any] = {"size": (9, 7), "positions": tuple(k * 3.0 for k in range(8))}


def values_of(layout: Layout) -> np.ndarray:
    """Return HU that name each voxel: no two are the same, and no symmetry hides a flip."""
    shape = (len(layout.positions), layout.size[1], layout.size[0])
    return (np.arange(np.prod(shape)).reshape(shape) - 900).astype(np.int16)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_voxel_is_where_the_file_says(orientation: str, tmp_path: Path) -> None:
    """Files in any order and with InstanceNumbers against the geometry."""
    layout = Layout(ORIENTATIONS[orientation], **SMALL)
    values, slices = values_of(layout), solids.ct(layout, values_of(layout))
    for k, ds in enumerate(slices):
        ds.InstanceNumber = (k * 5) % 8
    files = solids.save(random.Random(3).sample(slices, 8), tmp_path)
    volume = read_volume(open_series(files))
    assert volume.array.dtype == np.int16
    assert volume.unit == "HU"
    image = volume.image
    for column, row, plane in [(0, 0, 0), (8, 0, 0), (0, 6, 0), (0, 0, 7), (3, 2, 5)]:
        point = layout.patient([(column * 1.2, row * 1.5, plane * 3.0)])[0]
        index = image.TransformPhysicalPointToIndex(point.tolist())
        assert image.GetPixel(index) == values[plane, row, column]
        assert volume.grid.to_index([point])[0] == pytest.approx([column, row, plane], abs=1e-6)


def drop(*numbers: int) -> Callable[[list[Dataset]], list[Dataset]]:
    return lambda slices: [s for k, s in enumerate(slices) if k not in numbers]


def change(number: int, **elements: Any) -> Callable[[list[Dataset]], list[Dataset]]:
    def work(slices: list[Dataset]) -> list[Dataset]:
        for keyword, value in elements.items():
            setattr(slices[number], keyword, value)
        return slices
    return work


def again(slices: list[Dataset]) -> list[Dataset]:
    copy = solids.ct(Layout(**SMALL), name="second")[4]
    copy.SeriesInstanceUID = slices[0].SeriesInstanceUID
    return [*slices, copy]


FAULTS = [
    # name               change                                            code, or finding
    ("missing slices",   drop(3, 4),                                       "MISSING_SLICES"),
    ("one moved",        change(3, ImagePositionPatient=["-31.7", "12.3", "-62.0"]),
     "NON_UNIFORM"),
    ("duplicate",        again,                                            "DUPLICATE_POSITION"),
    ("orientation",      change(2, ImageOrientationPatient=[0, 1, 0, -1, 0, 0]),
     "MIXED_GEOMETRY"),
    ("spacing",          change(2, PixelSpacing=["1.5", "1.3"]),           "MIXED_GEOMETRY"),
    ("shifted in plane", change(2, ImagePositionPatient=["-20", "12.3", "-65.9"]),
     "MIXED_GEOMETRY"),
    ("frame",            change(2, FrameOfReferenceUID="1.2.3"),           "MIXED_GEOMETRY"),
    ("no position",      change(2, ImagePositionPatient=None),             "GRID"),
    ("bad orientation",  change(2, ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), "GRID"),
    ("localizer",        change(7, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "+LOCALIZER"),
    ("rescale varies",   change(2, RescaleIntercept=0),                    "+RESCALE_VARIES"),
    ("no rescale",       change(2, RescaleSlope=None),                     "+NO_RESCALE"),
    ("acquisitions",     change(2, AcquisitionNumber=2),                   "+SEVERAL_ACQUISITIONS"),
    ("lies otherwise",   change(0, PatientPosition="HFP"),                 "+POSITION_CONFLICT"),
    ("lies as it says",  change(0, PatientPosition="HFS"),                 "+"),
]


@pytest.mark.parametrize(("spoil", "expected"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_faults_are_named_before_pixels_are_read(
    spoil: Callable[[list[Dataset]], list[Dataset]], expected: str, tmp_path: Path
) -> None:
    layout = Layout(**SMALL)
    files = solids.save(spoil(solids.ct(layout, values_of(layout))), tmp_path)
    if expected.startswith("+"):
        found = open_series(files).stack.findings
        assert {f.code for f in found} == {expected[1:]} - {""}
    else:
        with pytest.raises(Refused, match=expected) as caught:
            open_series(files)
        assert caught.value.code == expected


def test_rescale_is_that_of_each_slice(tmp_path: Path) -> None:
    layout = Layout(**SMALL)
    slices = solids.ct(layout, values_of(layout))
    slices[2].RescaleSlope, slices[2].RescaleIntercept = 2, -3000
    volume = read_volume(open_series(solids.save(slices, tmp_path)))
    assert np.array_equal(volume.array[2], (values_of(layout)[2] + 1024) * 2 - 3000)
    assert np.array_equal(volume.array[3], values_of(layout)[3])


def test_missing_slices_leave_a_mark(tmp_path: Path) -> None:
    """A ramp of 10 HU for each mm keeps its place; the planes that were not measured say so."""
    layout = Layout(**SMALL)
    ramp = np.zeros((8, 7, 9), np.int16) + (np.array(layout.positions) * 10)[:, None, None]
    files = solids.save(drop(3, 4)(solids.ct(layout, ramp.astype(np.int16))), tmp_path)
    volume = read_volume(open_series(files, StackOptions(allow_nonuniform=True)))
    assert volume.array.shape == (8, 7, 9)
    assert np.array_equal(volume.array, ramp)
    assert volume.valid is not None
    assert np.array_equal(volume.valid.all(axis=(1, 2)), volume.valid.any(axis=(1, 2)))
    assert volume.valid[:, 0, 0].tolist() == [True] * 3 + [False] * 2 + [True] * 3
    assert {"MISSING_SLICES", "RESAMPLED_PLANES"} <= {f.code for f in volume.findings}


def test_uneven_steps_keep_their_place(tmp_path: Path) -> None:
    positions = (0.0, 3.0, 6.0, 12.0, 18.0, 21.0, 24.0, 27.0)
    layout = Layout(size=(9, 7), positions=positions)
    ramp = np.zeros((8, 7, 9)) + (np.array(positions) * 10)[:, None, None]
    files = solids.save(solids.ct(layout, ramp.astype(np.int16)), tmp_path)
    with pytest.raises(Refused, match=r"6 mm after slice 2, 6 mm after slice 3"):
        open_series(files)
    volume = read_volume(open_series(files, StackOptions(allow_nonuniform=True)))
    assert volume.array[:, 0, 0].tolist() == [30 * k for k in range(10)]


def test_slices_that_the_structure_set_names_must_be_there(tmp_path: Path) -> None:
    layout = Layout(**SMALL)
    slices = solids.ct(layout)
    names = [str(s.SOPInstanceUID) for s in slices]
    files = solids.save(slices[:-1], tmp_path)
    open_series(files)
    with pytest.raises(Refused, match="1 of 8 slices"):
        open_series(files, expected=names)


def test_a_tilted_gantry_is_refused_or_straightened(tmp_path: Path) -> None:
    """Slices move 0.4 mm along rows for each mm: the ramp along rows must stay in place."""
    layout = Layout(size=(9, 40), positions=tuple(k * 3.0 for k in range(8)), shear=(0.0, 0.4))
    rows = np.arange(40) * 1.5
    ramp = np.stack([np.repeat(((rows + 0.4 * w) * 20)[:, None], 9, axis=1)
                     for w in layout.positions])
    files = solids.save(
        solids.ct(layout, ramp.round().astype(np.int16), GantryDetectorTilt="21.8"), tmp_path)
    with pytest.raises(Refused, match=r"lean 21.80 degrees"):
        open_series(files)
    volume = read_volume(open_series(files, StackOptions(allow_tilt=True)))
    assert "TILT" in {f.code for f in volume.findings}
    assert volume.grid.uniform
    v = np.arange(volume.array.shape[1]) * 1.5
    for plane in range(8):
        column = volume.array[plane, :, 4]
        known = column > -1000
        assert known.sum() >= 38
        assert column[known] == pytest.approx(v[known] * 20, abs=1.01)


def test_phases_are_kept_apart(tmp_path: Path) -> None:
    layout = Layout(**SMALL)
    slices = []
    for phase in range(3):
        part = solids.ct(layout, values_of(layout) + np.int16(1000 * phase), f"phase{phase}")
        for ds in part:
            ds.TemporalPositionIdentifier, ds.SeriesInstanceUID = phase + 1, solids.uid("4D")
        slices += part
    files = solids.save(slices, tmp_path)
    with pytest.raises(Refused, match="3 stacks: TemporalPositionIdentifier=1") as caught:
        open_series(files)
    assert caught.value.code == "SEVERAL_STACKS"
    found = phases([s for k, f in enumerate(files)
                    for s in slices_of(dcmread(f, stop_before_pixels=True), k)])
    assert {name: len(stack) for name, stack in found.items()} == {
        f"TemporalPositionIdentifier={k}": 8 for k in (1, 2, 3)}
    second = open_series(files, StackOptions(phase="TemporalPositionIdentifier=2"))
    assert np.array_equal(read_volume(second).array, values_of(layout) + 1000)


@pytest.mark.parametrize("orientation", ["HFS", "oblique"])
def test_an_enhanced_object_reads_as_its_slices(orientation: str, tmp_path: Path) -> None:
    layout = Layout(ORIENTATIONS[orientation], **SMALL)
    values, slices = values_of(layout), solids.ct(layout, values_of(layout))
    order = [5, 2, 7, 0, 1, 6, 3, 4]
    ds = solids.new(EnhancedCTImageStorage, solids.uid("enhanced"), "CT", solids.uid("ct"),
                    FrameOfReferenceUID=layout.frame_uid, NumberOfFrames=8,
                    ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
    solids.put_pixels(ds, (values[order] + 1024).astype(np.int16))
    ds.SharedFunctionalGroupsSequence = [solids.item(
        PixelMeasuresSequence=[solids.item(PixelSpacing=["1.5", "1.2"], SliceThickness="3")],
        PlaneOrientationSequence=[solids.item(
            ImageOrientationPatient=slices[0].ImageOrientationPatient)],
        PixelValueTransformationSequence=[solids.item(
            RescaleSlope="1", RescaleIntercept="-1024", RescaleType="HU")])]
    ds.PerFrameFunctionalGroupsSequence = [solids.item(PlanePositionSequence=[solids.item(
        ImagePositionPatient=slices[k].ImagePositionPatient)]) for k in order]
    volume = read_volume(open_series(solids.save([ds], tmp_path)))
    plain = read_volume(open_series(solids.save(slices, tmp_path / "plain")))
    assert np.array_equal(volume.array, values)
    assert volume.grid.same_as(plain.grid)


@pytest.mark.parametrize("kind", ["JPEG", "JPEGLS", "JPEG2000", "RLE"])
def test_lossless_compression_is_read(kind: str, tmp_path: Path) -> None:
    layout = Layout(**SMALL)
    files = solids.save(solids.ct(layout, values_of(layout)), tmp_path)
    for k, file in enumerate(files):
        if kind == "RLE":
            ds = dcmread(file)
            ds.compress("1.2.840.10008.1.2.5")
            ds.save_as(file)
            continue
        source = sitk.ReadImage(file, sitk.sitkInt16, imageIO="GDCMImageIO")
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor(kind)
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(file)
        writer.Execute(source)
        header = dcmread(file, stop_before_pixels=True)
        assert header.file_meta.TransferSyntaxUID.is_compressed
        assert k >= 0
    volume = read_volume(open_series(files))
    assert np.array_equal(volume.array, values_of(layout))


def test_no_pixels_and_no_object_are_told_by_name(tmp_path: Path) -> None:
    layout = Layout(**SMALL)
    slices = solids.ct(layout)
    del slices[3].PixelData
    files = solids.save(slices, tmp_path)
    with pytest.raises(Refused, match="HEADER_ONLY"):
        read_volume(open_series(files))
    (tmp_path / "text.dcm").write_text("no object")
    with pytest.raises(Refused, match="UNREADABLE"):
        open_series([str(tmp_path / "text.dcm")])
    with pytest.raises(Refused, match="FILE_MISSING"):
        open_series([str(tmp_path / "absent.dcm")])
    with pytest.raises(Refused, match="NO_IMAGE"):
        open_series([])


PET = [
    # name            changes                                              factor
    ("start",         {},                                                  70_000 / (3e8 * 0.5)),
    ("administered",  {"DecayCorrection": "ADMIN"},                        70_000 / 3e8),
    ("by time only",  {"given": None, "time": "070000"},
     70_000 / (3e8 * 0.5 ** (3600 / 6586.2))),
    ("day before",    {"given": None, "time": "235000"},
     70_000 / (3e8 * 0.5 ** (29400 / 6586.2))),
    ("stated",        {"Units": "GML"},                                    1.0),
    ("counts",        {"Units": "CNTS"},                                   "CNTS"),
    ("lean body",     {"Units": "GML", "SUVType": "LBM"},                  "LBM"),
    ("no weight",     {"PatientWeight": None},                             "PatientWeight"),
    ("no decay",      {"DecayCorrection": "NONE"},                         "NONE"),
    ("uncorrected",   {"CorrectedImage": ["ATTN"]},                        "corrected"),
    ("post-processed", {"SeriesTime": "120000"},                           "starts after"),
    ("given later",   {"given": "20240205120000"},                         "given after"),
]


@pytest.mark.parametrize(("changes", "expected"), [p[1:] for p in PET], ids=[p[0] for p in PET])
def test_suv(changes: dict[str, Any], expected: float | str) -> None:
    given = changes.pop("given", "20240205061014.2") if "given" in changes else "20240205061013.8"
    time = changes.pop("time", None) if "time" in changes else None
    agent = solids.item(RadionuclideTotalDose=3e8, RadionuclideHalfLife=6586.2)
    if given:
        agent.RadiopharmaceuticalStartDateTime = given
    if time:
        agent.RadiopharmaceuticalStartTime = time
    ds = solids.new(PositronEmissionTomographyImageStorage, solids.uid("pet"), "PT",
                    solids.uid("pet series"), Units="BQML", DecayCorrection="START",
                    CorrectedImage=["ATTN", "DECY", "SCAT"], PatientWeight=70,
                    SeriesDate="20240205", SeriesTime="080000", AcquisitionDate="20240205",
                    AcquisitionTime="080100", RadiopharmaceuticalInformationSequence=[agent])
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    if isinstance(expected, str):
        with pytest.raises(Refused, match=expected):
            suv_factor(ds)
    else:
        assert suv_factor(ds)[0] == pytest.approx(expected, rel=1e-6)
