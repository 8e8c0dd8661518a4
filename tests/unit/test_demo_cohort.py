"""The synthetic cohort against its manifest, read with pydicom alone.

The detectors below are written from the texts of the checks, over all files: what they find
must be what the manifest states, so a fault is neither absent nor there twice.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from rtgraph.demo.cohort import Manifest, write_cohort
from rtgraph.demo.manifest import Counts
from rtgraph.errors import RtgraphError, UsageError
from tests.data.faults import SCENARIOS

Finding = tuple[str, str | None]
IMAGE_MODALITIES = ("CT", "MR")


@dataclass
class Files:
    """All data sets of a folder, with the references found by a plain walk."""

    by_path: dict[str, Dataset]
    by_uid: dict[str, Dataset] = field(default_factory=dict)
    by_series: dict[str, list[Dataset]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for ds in self.by_path.values():
            self.by_uid[ds.SOPInstanceUID] = ds
            self.by_series[ds.SeriesInstanceUID].append(ds)

    def of(self, modality: str) -> list[Dataset]:
        return [ds for ds in self.by_uid.values() if ds.Modality == modality]


def read(folder: Path) -> Files:
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    return Files({p.relative_to(folder).as_posix(): dcmread(p) for p in paths})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cohort")


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    return write_cohort(folder)


@pytest.fixture(scope="module")
def files(folder: Path, manifest: Manifest) -> Files:
    return read(folder)


def digests(folder: Path) -> dict[str, str]:
    paths = (p for p in folder.rglob("*") if p.is_file())
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths
    }


# ---- the same bytes --------------------------------------------------------------------------


def test_same_seed_gives_same_bytes_and_manifest(
    folder: Path, manifest: Manifest, tmp_path: Path
) -> None:
    again = write_cohort(tmp_path)
    assert digests(tmp_path) == digests(folder)
    assert again == manifest


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("other")


@pytest.fixture(scope="module")
def other(other_folder: Path) -> Manifest:
    """A cohort of four patients from another seed."""
    return write_cohort(other_folder, patients=4, seed=2)


def test_other_seed_gives_other_uids_and_the_same_shape(
    manifest: Manifest, other: Manifest
) -> None:
    def uids(of: Manifest) -> set[str]:
        return {u for i in of.instances for u in (i.uid, i.series_uid, i.study_uid)} | {*of.frames}

    assert not uids(other) & uids(manifest)
    assert [i.path for i in manifest.instances] == [
        i.path for i in other.instances if i.patient_id != "DEMO-4"
    ]


def test_kinds_of_patients_alternate(other: Manifest, other_folder: Path) -> None:
    plans = [dcmread(p, stop_before_pixels=True) for p in other_folder.rglob("RTPLAN.0001.dcm")]
    assert {str(ds.PatientID): str(ds.PatientName) for ds in plans} == {
        "DEMO-1": "DEMO^CLEAN",
        "DEMO-2": "DEMO^ADAPTIVE",
        "DEMO-3": "DEMO^FAULTS",
        "DEMO-4": "DEMO^CLEAN",
    }
    assert other.counts.patients == 4


REFUSED: list[tuple[str, dict[str, int], str | None]] = [
    # name             arguments          file in the folder
    ("no patient",     {"patients": 0},   None),
    ("negative seed",  {"seed": -1},      None),
    ("other file",     {},                "notes.txt"),
    ("more patients",  {"patients": 1},   "patient-2/CT/CT.0001.dcm"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "present"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_what_is_refused(arguments: dict[str, int], present: str | None, tmp_path: Path) -> None:
    if present:
        (tmp_path / present).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / present).touch()
    with pytest.raises(UsageError):
        write_cohort(tmp_path, **arguments)


def test_a_folder_that_cannot_be_made_is_an_error_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "patient-1").touch()
    with pytest.raises(RtgraphError):
        write_cohort(tmp_path, patients=1)


# ---- the manifest is true --------------------------------------------------------------------


def test_counts(manifest: Manifest) -> None:
    assert manifest.counts == Counts(patients=3, studies=10, series=36, instances=342)


def test_instances(files: Files, manifest: Manifest) -> None:
    stated = {
        i.path: (i.uid, i.series_uid, i.study_uid, i.patient_id, i.modality)
        for i in manifest.instances
    }
    assert stated == {
        path: (ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.PatientID,
               ds.Modality)
        for path, ds in files.by_path.items()
    }  # fmt: skip
    assert len(files.by_uid) == len(files.by_path)


def test_paths_hold_no_names(manifest: Manifest) -> None:
    pattern = re.compile(r"patient-\d+/([A-Z]+)/\1\.\d{4}\.dcm")
    assert all(pattern.fullmatch(i.path) for i in manifest.instances)


def test_frames(files: Files, manifest: Manifest) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for ds in files.by_uid.values():
        if "FrameOfReferenceUID" in ds:
            found[ds.FrameOfReferenceUID].add(ds.SeriesInstanceUID)
    assert {uid: set(series) for uid, series in manifest.frames.items()} == found


# The sequences on the way to ReferencedSOPInstanceUID. None: the target is no object, or the
# path is an index of references that stand elsewhere in the object.
STRUCTURE_SET_IMAGES = (
    "ReferencedFrameOfReferenceSequence",
    "RTReferencedStudySequence",
    "RTReferencedSeriesSequence",
    "ContourImageSequence",
)
ROLES: dict[tuple[str, tuple[str, ...]], str | None] = {
    ("CT", ("ReferencedImageSequence",)): "REFERENCED_IMAGE",
    ("REG", ("RegistrationSequence", "ReferencedImageSequence")): "REGISTRATION_IMAGE",
    ("REG", ("ReferencedSeriesSequence", "ReferencedInstanceSequence")): None,
    ("REG", ("StudiesContainingOtherReferencedInstancesSequence", "ReferencedSeriesSequence",
             "ReferencedInstanceSequence")): None,
    ("RTSTRUCT", STRUCTURE_SET_IMAGES): "STRUCTURE_SET_IMAGE",
    ("RTSTRUCT", STRUCTURE_SET_IMAGES[:2]): None,
    ("RTSTRUCT", ("ROIContourSequence", "ContourSequence",
                  "ContourImageSequence")): "CONTOUR_IMAGE",
    ("RTSTRUCT", ("PredecessorStructureSetSequence",)): "PREDECESSOR_STRUCTURE_SET",
    ("RTPLAN", ("ReferencedStructureSetSequence",)): "PLAN_STRUCTURE_SET",
    ("RTPLAN", ("ReferencedRTPlanSequence",)): "PREDECESSOR_PLAN",
    ("RTPLAN", ("BeamSequence", "ReferencedReferenceImageSequence")): "BEAM_REFERENCE_IMAGE",
    ("RTDOSE", ("ReferencedRTPlanSequence",)): "DOSE_PLAN",
    ("RTDOSE", ("ReferencedStructureSetSequence",)): "DVH_STRUCTURE_SET",
    ("RTIMAGE", ("ReferencedRTPlanSequence",)): "RTIMAGE_PLAN",
    ("RTRECORD", ("ReferencedRTPlanSequence",)): "RECORD_PLAN",
    ("RTRECORD", ("TreatmentSessionBeamSequence",
                  "ReferencedVerificationImageSequence")): "VERIFICATION_IMAGE",
}  # fmt: skip


def references_of(
    ds: Dataset, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Dataset]]:
    """Yield every item with a ReferencedSOPInstanceUID, and the sequences that lead to it."""
    if "ReferencedSOPInstanceUID" in ds:
        yield path, ds
    for element in ds:
        if element.VR == "SQ":
            for item in element.value:
                yield from references_of(item, (*path, element.keyword))


def edges(files: Files) -> Iterator[tuple[str, str, str, Dataset]]:
    """Yield source, target and role of every reference to an object, and the item."""
    for ds in files.by_uid.values():
        source = ds.SeriesInstanceUID if ds.Modality in IMAGE_MODALITIES else ds.SOPInstanceUID
        for path, item in references_of(ds):
            role = ROLES[ds.Modality, path]
            if role is not None:
                yield source, item.ReferencedSOPInstanceUID, role, item


def test_references(files: Files, manifest: Manifest) -> None:
    found = {edge[:3] for edge in edges(files)}
    repeated = {edge for edge in found if edge[2] == "CONTOUR_IMAGE"}
    assert {(s, t) for s, t, _ in repeated} <= {
        (s, t) for s, t, role in found if role == "STRUCTURE_SET_IMAGE"
    }
    assert {(r.source, r.target, r.role) for r in manifest.references} == found - repeated
    assert len(manifest.references) == len(found - repeated)


def test_predecessor_plans_are_called_so(files: Files) -> None:
    items = [item for _, _, role, item in edges(files) if role == "PREDECESSOR_PLAN"]
    assert [item.RTPlanRelationship for item in items] == ["PREDECESSOR"]


def test_index_of_a_registration_lists_what_it_registers(files: Files) -> None:
    for ds in files.of("REG"):
        uids: dict[bool, set[str]] = {True: set(), False: set()}
        for path, item in references_of(ds):
            uids["RegistrationSequence" in path].add(item.ReferencedSOPInstanceUID)
        assert uids[True] == uids[False]


def test_missing_targets(files: Files, manifest: Manifest) -> None:
    targets = {target for _, target, _, _ in edges(files)}
    assert targets - files.by_uid.keys() == set(manifest.missing)
    assert len(manifest.missing) == 5


# ---- what is planted is there, once, and nothing else ----------------------------------------


def unresolved(files: Files) -> Iterator[Finding]:
    """REF-01: targets are missing and no other object of their series is there."""
    for source, target, role, _ in edges(files):
        if target not in files.by_uid and role not in ("STRUCTURE_SET_IMAGE", "CONTOUR_IMAGE"):
            yield source, target


def incomplete_image_sets(files: Files) -> Iterator[Finding]:
    """REF-08: some images of the listed series are missing, others are there."""
    for ds in files.of("RTSTRUCT"):
        frame = ds.ReferencedFrameOfReferenceSequence[0]
        for series in frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence:
            images = [
                i.ReferencedSOPInstanceUID in files.by_uid for i in series.ContourImageSequence
            ]
            if any(images) and not all(images):
                yield ds.SOPInstanceUID, series.SeriesInstanceUID


def wrong_classes(files: Files) -> Iterator[Finding]:
    """REF-02."""
    for source, target, _, item in edges(files):
        found = files.by_uid.get(target)
        if found is not None and item.ReferencedSOPClassUID != found.SOPClassUID:
            yield source, target


def structure_sets_in_other_frames(files: Files) -> Iterator[Finding]:
    """FOR-01."""
    for source, target, role, _ in edges(files):
        image = files.by_uid.get(target)
        if role == "STRUCTURE_SET_IMAGE" and image is not None:
            ds = files.by_uid[source]
            stated = {f.FrameOfReferenceUID for f in ds.ReferencedFrameOfReferenceSequence}
            if image.FrameOfReferenceUID not in stated | {ds.FrameOfReferenceUID}:
                yield source, image.SeriesInstanceUID


def plan_of(dose: Dataset, files: Files) -> Dataset | None:
    return files.by_uid.get(dose.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID)


def structures_of(plan: Dataset, files: Files) -> Dataset:
    return files.by_uid[plan.ReferencedStructureSetSequence[0].ReferencedSOPInstanceUID]


def doses_in_other_frames(files: Files) -> Iterator[Finding]:
    """FOR-03."""
    for dose in files.of("RTDOSE"):
        if plan := plan_of(dose, files):
            structures = structures_of(plan, files)
            if dose.FrameOfReferenceUID != structures.FrameOfReferenceUID:
                yield dose.SOPInstanceUID, structures.SOPInstanceUID


def approved_plans_without_dose(files: Files) -> Iterator[Finding]:
    """PLN-07."""
    with_dose = {plan.SOPInstanceUID for d in files.of("RTDOSE") if (plan := plan_of(d, files))}
    for plan in files.of("RTPLAN"):
        if plan.ApprovalStatus == "APPROVED" and plan.SOPInstanceUID not in with_dose:
            yield plan.SOPInstanceUID, None


def doses_with_wrong_number_of_plans(files: Files) -> Iterator[Finding]:
    """DOS-01."""
    for dose in files.of("RTDOSE"):
        n_plans = len(dose.ReferencedRTPlanSequence)
        if n_plans < 2 if dose.DoseSummationType == "MULTI_PLAN" else n_plans != 1:
            yield dose.SOPInstanceUID, None


def broken_chains(files: Files) -> Iterator[Finding]:
    """CHN-01, for the links that can break in this cohort."""
    yield from approved_plans_without_dose(files)
    for dose in files.of("RTDOSE"):
        if plan_of(dose, files) is None:
            yield dose.SOPInstanceUID, None


def plans_in_other_studies(files: Files) -> Iterator[Finding]:
    """CHN-02."""
    for plan in files.of("RTPLAN"):
        structures = structures_of(plan, files)
        frame = structures.ReferencedFrameOfReferenceSequence[0]
        series_uid = (
            frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0].SeriesInstanceUID
        )
        image = files.by_series[series_uid][0]
        if len({plan.StudyInstanceUID, structures.StudyInstanceUID, image.StudyInstanceUID}) > 1:
            yield plan.SOPInstanceUID, series_uid


DETECTORS: dict[str, Callable[[Files], Iterator[Finding]]] = {
    "REF-01": unresolved,
    "REF-02": wrong_classes,
    "REF-08": incomplete_image_sets,
    "FOR-01": structure_sets_in_other_frames,
    "FOR-03": doses_in_other_frames,
    "PLN-07": approved_plans_without_dose,
    "DOS-01": doses_with_wrong_number_of_plans,
    "CHN-01": broken_chains,
    "CHN-02": plans_in_other_studies,
}
PLANTED = ["DOS-01", "FOR-01", "FOR-03", "PLN-07", "REF-01", "REF-02", "REF-08"]


@pytest.mark.parametrize("check", sorted(DETECTORS))
def test_findings_are_those_of_the_manifest(check: str, files: Files, manifest: Manifest) -> None:
    stated = [f for f in (*manifest.faults, *manifest.side_findings) if f.check == check]
    assert {(f.subject, f.target) for f in stated} == set(DETECTORS[check](files))


def test_each_fault_is_planted_once(manifest: Manifest) -> None:
    assert sorted(f.check for f in manifest.faults) == PLANTED
    assert {f.check for f in manifest.side_findings} == set(DETECTORS) - set(PLANTED)


def test_planted_plan_is_approved_and_has_treatment_beams(files: Files, manifest: Manifest) -> None:
    (fault,) = (f for f in manifest.faults if f.check == "PLN-07")
    types = [beam.TreatmentDeliveryType for beam in files.by_uid[fault.subject].BeamSequence]
    assert types == ["TREATMENT"] * 3 + ["SETUP"]


# ---- the objects are sound -------------------------------------------------------------------


def test_decimal_strings_have_at_most_16_characters(files: Files) -> None:
    for ds in files.by_uid.values():
        for element in ds.iterall():
            if element.VR == "DS" and not element.is_empty:
                values = element.value if element.VM > 1 else [element.value]
                assert max(len(str(value)) for value in values) <= 16, element.keyword


def test_contours_lie_on_their_slices_and_inside_them(files: Files) -> None:
    n_contours = 0
    for ds in files.of("RTSTRUCT"):
        for contour in (c for roi in ds.ROIContourSequence for c in roi.ContourSequence):
            image = files.by_uid.get(contour.ContourImageSequence[0].ReferencedSOPInstanceUID)
            if image is None:
                continue
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            assert len(points) == contour.NumberOfContourPoints
            origin = np.array(image.ImagePositionPatient, float)
            assert np.allclose(points[:, 2], origin[2])
            size = np.array([image.Columns, image.Rows]) * np.array(image.PixelSpacing, float)
            assert (points[:, :2] > origin[:2]).all()
            assert (points[:, :2] < origin[:2] + size).all()
            n_contours += 1
    assert n_contours > 500


def roi_points(
    structures: Dataset, roi_type: str
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    numbers = {
        o.ReferencedROINumber
        for o in structures.RTROIObservationsSequence
        if o.RTROIInterpretedType == roi_type
    }
    (roi,) = (r for r in structures.ROIContourSequence if r.ReferencedROINumber in numbers)
    return np.concatenate([np.array(c.ContourData, float) for c in roi.ContourSequence]).reshape(
        -1, 3
    )


def test_doses_cover_the_body_and_reach_the_prescription_in_the_target(files: Files) -> None:
    n_doses = 0
    for dose in files.of("RTDOSE"):
        plan = plan_of(dose, files)
        if plan is None or dose.FrameOfReferenceUID != plan.FrameOfReferenceUID:
            continue
        structures = structures_of(plan, files)
        origin = np.array(dose.ImagePositionPatient, float)
        rows, columns = (float(s) for s in dose.PixelSpacing)
        offsets = np.array(dose.GridFrameOffsetVector, float)
        size = np.array([columns * (dose.Columns - 1), rows * (dose.Rows - 1), offsets[-1]])
        body = roi_points(structures, "EXTERNAL")
        assert (body >= origin).all()
        assert (body <= origin + size).all()

        values_gy = dose.pixel_array * float(dose.DoseGridScaling)
        assert values_gy.shape == (len(offsets), dose.Rows, dose.Columns)
        target = roi_points(structures, "PTV")
        step = np.array([columns, rows, offsets[1] - offsets[0]])
        x, y, z = np.rint((target - origin) / step).astype(int).T
        prescribed = float(plan.DoseReferenceSequence[0].TargetPrescriptionDose)
        assert (values_gy[z, y, x] > 0.9 * prescribed).all()
        assert prescribed < values_gy.max() < 1.1 * prescribed
        n_doses += 1
    assert n_doses == 4


def test_dose_pixels_have_16_and_32_bits(files: Files) -> None:
    assert {dose.BitsAllocated for dose in files.of("RTDOSE")} == {16, 32}


def test_registrations_bring_the_bodies_together(files: Files) -> None:
    """The middle of the body of the moving images lands on that of the fixed images."""
    for ds in files.of("REG"):
        middles = []
        for item in ds.RegistrationSequence:
            images = [
                files.by_uid[r.ReferencedSOPInstanceUID] for r in item.ReferencedImageSequence
            ]
            assert {i.FrameOfReferenceUID for i in images} == {item.FrameOfReferenceUID}
            middle = np.append(body_middle(images[len(images) // 2]), [0, 1])
            transform = item.MatrixRegistrationSequence[0].MatrixSequence[0]
            matrix = np.array(transform.FrameOfReferenceTransformationMatrix, float).reshape(4, 4)
            assert np.allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-6)
            middles.append((matrix @ middle)[:2])
        assert ds.RegistrationSequence[0].FrameOfReferenceUID == ds.FrameOfReferenceUID
        assert np.allclose(middles[0], middles[1], atol=1.0)  # mm; voxels are 4 mm


def body_middle(image: Dataset) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return x and y of the centre of what is brighter than air, in mm."""
    values = image.pixel_array
    rows, columns = np.nonzero(values > (values.max() / 3 if image.Modality == "CT" else 60))
    at = np.array([(columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2])
    return np.array(image.ImagePositionPatient[:2], float) + at * float(image.PixelSpacing[0])


# ---- the small scenarios of tests/data -------------------------------------------------------


def double(key: str, value: str) -> Callable[[Files], Iterator[Finding]]:
    """Return a detector of keys that occur with several values."""

    def detect(files: Files) -> Iterator[Finding]:
        found: dict[str, set[str]] = defaultdict(set)
        for ds in files.by_path.values():
            if key in ds:
                found[str(ds[key].value)].add(str(ds.get(value)))
        yield from ((uid, None) for uid, values in found.items() if len(values) > 1)

    return detect


def different_contents(files: Files) -> Iterator[Finding]:
    """HIE-03."""
    seen: dict[str, Dataset] = {}
    for ds in files.by_path.values():
        if seen.setdefault(ds.SOPInstanceUID, ds) != ds:
            yield ds.SOPInstanceUID, None


def other_patients(files: Files) -> Iterator[Finding]:
    """REF-03."""
    for source, target, _, _ in edges(files):
        a, b = files.by_uid.get(source), files.by_uid.get(target)
        if a is not None and b is not None and a.PatientID != b.PatientID:
            yield a.SeriesInstanceUID, b.SeriesInstanceUID


SCENARIO_DETECTORS: dict[str, Callable[[Files], Iterator[Finding]]] = {
    "HIE-01": double("SeriesInstanceUID", "StudyInstanceUID"),
    "HIE-02": double("StudyInstanceUID", "PatientID"),
    "HIE-03": different_contents,
    "HIE-04": double("SOPInstanceUID", "SeriesInstanceUID"),
    "FOR-05": double("FrameOfReferenceUID", "PatientID"),
    "REF-03": other_patients,
}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_scenario_has_its_fault_and_no_other(name: str, tmp_path: Path) -> None:
    scenario = SCENARIOS[name](tmp_path)
    files = read(tmp_path)
    assert {p.relative_to(tmp_path).as_posix() for p in scenario.files} == files.by_path.keys()
    assert name in {f.check for f in scenario.findings}
    found = {
        (check, *finding)
        for check, detect in SCENARIO_DETECTORS.items()
        for finding in detect(files)
    }
    assert {(f.check, f.subject, f.target) for f in scenario.findings} == found


@pytest.mark.parametrize("check", sorted(SCENARIO_DETECTORS))
def test_cohort_has_none_of_these(check: str, files: Files) -> None:
    assert not set(SCENARIO_DETECTORS[check](files))
