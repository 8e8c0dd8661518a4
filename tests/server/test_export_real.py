"""Masks and doses of real sets with a CT, against winding numbers and SimpleITK's own reader."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import Dataset, dcmread
from pydicom.uid import ImplicitVRLittleEndian

from rtgraph.preprocess.manifest import Entry
from tests.conftest import DATA
from tests.data import solids
from tests.server.conftest import TestGraph
from tests.server.exports import PLAIN, exported

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files beside the repository"),
]


def objects(name: str, modality: str) -> list[Dataset]:
    found = [dcmread(f, force=True) for f in sorted((DATA / name).rglob("*.dcm"))]
    for ds in found:
        if "TransferSyntaxUID" not in ds.file_meta:
            ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return [ds for ds in found if ds.Modality == modality]


def check_masks(name: str, structures: Dataset, out: Path, entry: Entry) -> int:
    """Compare every mask with winding numbers of its voxel centres; return how many there are."""
    image = sitk.ReadImage(str(out / entry.case_id / "image.nii.gz"))
    ct = sorted(objects(name, "CT"), key=lambda d: float(d.ImagePositionPatient[2]))
    spacing = (float(ct[0].PixelSpacing[1]), float(ct[0].PixelSpacing[0]))
    origin = np.array([float(x) for x in ct[0].ImagePositionPatient])
    planes = tuple(float(d.ImagePositionPatient[2]) - origin[2] for d in ct)
    assert image.GetSize() == (ct[0].Columns, ct[0].Rows, len(ct))
    hu = np.stack([d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in ct])
    assert np.abs(sitk.GetArrayFromImage(image) - hu).max() < 0.5 + 1e-4  # whole HU
    layout = solids.Layout(origin=tuple(origin), positions=planes, spacing=spacing,
                           size=(int(ct[0].Columns), int(ct[0].Rows)))
    drawn = {int(i.ReferencedROINumber): i for i in structures.ROIContourSequence}
    files = {int(p.name.split(".")[0].rpartition("-")[2]): p
             for p in (out / entry.case_id / "masks").iterdir()}
    for number, path in files.items():
        contours = []
        for contour in drawn[number].ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3) - origin
            plane = int(np.argmin(np.abs(np.array(planes) - points[0, 2])))
            contours.append((planes[plane], points[:, :2]))
        mask = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        # centres that lie on an edge may fall on either side: contours there are of whole pixels
        apart = int((mask != solids.truth(contours, layout)).sum())
        assert apart <= 0.002 * mask.sum(), (path.name, apart, int(mask.sum()))
    return len(files)


def check_dose(doses: list[Dataset], out: Path, entry: Entry) -> float:
    """Compare the dose with SimpleITK's interpolation of the sum; return the maximum in Gy."""
    got = sitk.ReadImage(str(out / entry.case_id / "dose.nii.gz"))
    covered = sitk.GetArrayFromImage(sitk.ReadImage(
        str(out / entry.case_id / "dose_coverage.nii.gz"))) > 0
    first = doses[0]
    total = sum(d.pixel_array.astype(float) * float(d.DoseGridScaling) for d in doses)
    native = sitk.GetImageFromArray(np.asarray(total))
    native.SetOrigin([float(x) for x in first.ImagePositionPatient])
    offsets = [float(x) for x in first.GridFrameOffsetVector]
    native.SetSpacing([float(first.PixelSpacing[1]), float(first.PixelSpacing[0]),
                       offsets[1] - offsets[0]])
    wanted = sitk.GetArrayFromImage(sitk.Resample(native, got, sitk.Transform(), sitk.sitkLinear))
    assert covered.any()
    assert np.abs(sitk.GetArrayFromImage(got) - wanted)[covered].max() < 1e-3
    return float(np.asarray(total).max())


def test_monaco(graph: TestGraph, tmp_path: Path) -> None:
    graph.ingest(DATA / "monaco-hn")
    (entry,) = exported(graph, tmp_path / "out").entries
    assert (entry.state, entry.record["dose_decision"]) == ("WRITTEN", "PLAN_DOSE"), entry.reason
    assert check_masks("monaco-hn", objects("monaco-hn", "RTSTRUCT")[0], tmp_path / "out",
                       entry) == 3
    assert check_dose(objects("monaco-hn", "RTDOSE"), tmp_path / "out", entry) == pytest.approx(
        85.35, abs=0.01)


def test_oncentra(graph: TestGraph, tmp_path: Path) -> None:
    """Three doses of a beam each, and an empty one that names all three: a person must decide."""
    graph.ingest(DATA / "oncentra-phantom")
    (entry,) = exported(graph, tmp_path / "out").entries
    assert entry.state == "SKIPPED"
    assert "AMBIGUOUS" in entry.reason
    assert "BEAM_TWICE" in entry.reason
    doses = objects("oncentra-phantom", "RTDOSE")
    (empty,) = (str(d.SOPInstanceUID) for d in doses if not d.pixel_array.any())
    text = PLAIN + f"[dose_policy]\nexcluded = ['{empty}']\n"
    (entry,) = exported(graph, tmp_path / "out", text).entries
    assert (entry.state, entry.record["dose_decision"]) == ("WRITTEN", "SUM_OF_BEAMS"), entry.reason
    assert check_masks("oncentra-phantom", objects("oncentra-phantom", "RTSTRUCT")[0],
                       tmp_path / "out", entry) == 7
    check_dose([d for d in doses if d.pixel_array.any()], tmp_path / "out", entry)


def test_mim(graph: TestGraph, tmp_path: Path) -> None:
    """One set is on the CT, another states a frame of reference that the CT does not have."""
    graph.ingest(DATA / "mim-phantom")
    text = "format = 'nifti'\nparts = ['image', 'masks']\n"
    report = exported(graph, tmp_path / "out", text)
    states = sorted((e.state, e.reason.partition(":")[0]) for e in report.entries)
    assert states == [("SKIPPED", "FRAME"), ("WRITTEN", "")]
    (entry,) = (e for e in report.entries if e.state == "WRITTEN")
    (structures,) = {str(d.SOPInstanceUID): d for d in objects("mim-phantom", "RTSTRUCT")
                     if str(d.SOPInstanceUID) == entry.record["structure_set"]}.values()
    assert check_masks("mim-phantom", structures, tmp_path / "out", entry) == 4
