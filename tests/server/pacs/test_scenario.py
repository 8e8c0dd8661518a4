"""One adaptive patient from the archive to arrays, and what a corrected structure set changes.

A story in one test, because each step needs the one before. The second structure set lacks two
contours of its target, until it is sent to the archive again under its UID. What is expected comes
from the files that were put into the archive.
"""

import csv
import io
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import Dataset, dcmread

from rtgraph.demo.cohort import write_cohort
from tests.data.peers import Orthanc
from tests.server.conftest import Run, TestGraph
from tests.server.pacs.conftest import Project

pytestmark = pytest.mark.server
PTV, LOST_PLANES = 2, (7, 8)  # ROI number; positions among its contours, from below
# Files of an export that speak of all its cases.
OF_ALL = {"datacard.md", "dvh.csv", "dvh.json", "manifest.csv", "manifest.json", "skipped.csv",
          "splits.json"}
MISSING = "MATCH (i:Instance:Missing) RETURN i.SOPInstanceUID AS uid"
ISSUES = ("MATCH (x:Issue) RETURN x.rule AS rule, x.status AS status, x.subject AS subject, "
          "x.target AS target ORDER BY rule, target")
PLANES = ("MATCH (:Instance {SOPInstanceUID: $uid})-[:HAS_ROI]->(r:ROI {ROINumber: $number}) "
          "RETURN r.n_contour_planes AS planes, r.n_gap_planes AS gaps")


class Course:
    """The objects of the adaptive patient by UID, as they should be in the end."""

    def __init__(self, folder: Path) -> None:
        write_cohort(folder, 2)
        self.paths = sorted((folder / "patient-2").rglob("*.dcm"))
        read = {p: dcmread(p) for p in self.paths}
        self.objects = {str(ds.SOPInstanceUID): ds for ds in read.values()}
        self._path = {str(ds.SOPInstanceUID): p for p, ds in read.items()}
        self.plans = {str(p.RTPlanLabel): p for p in self.of("RTPLAN")}
        self.structures = {label: self.objects[str(
            p.ReferencedStructureSetSequence[0].ReferencedSOPInstanceUID)]
            for label, p in self.plans.items()}
        self.planning = str(self.plans["Plan 2"].StudyInstanceUID)
        self.corrected = self.structures["Plan 2"]
        self.corrected_uid = str(self.corrected.SOPInstanceUID)

    def of(self, modality: str) -> list[Dataset]:
        return [ds for ds in self.objects.values() if ds.Modality == modality]

    def path(self, uid: str) -> Path:
        return self._path[uid]

    def images_of(self, structures: Dataset) -> set[str]:
        series = (structures.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
                  .RTReferencedSeriesSequence[0])
        return {str(i.ReferencedSOPInstanceUID) for i in series.ContourImageSequence}

    def faulty(self, folder: Path) -> Path:
        """Write the second structure set as it was sent first: planes of its target are lost."""
        ds = dcmread(self.path(self.corrected_uid))
        (target,) = [r for r in ds.ROIContourSequence if r.ReferencedROINumber == PTV]
        for at in reversed(LOST_PLANES):
            del target.ContourSequence[at]
        ds.save_as(folder / "faulty.dcm")
        return folder / "faulty.dcm"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path / "course")


@pytest.fixture
def project(graph: TestGraph, archive: Orthanc, folder: Path, run: Run) -> Project:
    return Project(graph, archive, run)


def rows(printed: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(printed)))


def issues(graph: TestGraph, rule: str, status: str) -> list[tuple[str, str | None]]:
    return [(r["subject"], r["target"]) for r in graph.read(ISSUES)
            if (r["rule"], r["status"]) == (rule, status)]


def held(project: Project) -> dict[str, Dataset]:
    return {str(ds.SOPInstanceUID): ds for ds in map(dcmread, objects_in(project.received))}


def objects_in(received: Path) -> Iterator[Path]:
    return (p for p in sorted(received.rglob("*.dcm")) if ".replaced" not in p.parts)


def exported(folder: Path) -> dict[str, tuple[str, int]]:
    """Digest and time of every file of an export but its notes."""
    return {p.relative_to(folder).as_posix(): (sha256(p.read_bytes()).hexdigest(),
                                               p.stat().st_mtime_ns)
            for p in sorted(folder.rglob("*")) if p.is_file() and ".rtgraph" not in p.parts}


def drawn_planes(mask: Path) -> list[bool]:
    """Which planes of a mask hold a voxel, from below."""
    array = sitk.GetArrayFromImage(sitk.ReadImage(str(mask)))
    return [bool(plane.any()) for plane in array]


def test_a_correction_is_followed_from_the_archive_to_the_arrays(
    course: Course, project: Project, archive: Orthanc, tmp_path: Path
) -> None:
    graph, out = project.graph, project.folder / "arrays"
    fault = course.faulty(tmp_path)
    archive.add(*(p for p in course.paths if p != course.path(course.corrected_uid)), fault)
    objects = course.objects | {course.corrected_uid: dcmread(fault)}
    sets = {str(ds.SOPInstanceUID) for ds in course.structures.values()}

    # The study of the plans alone: both plans name a structure set that is not there.
    ran = project.run("--node", "clinic", "--study", course.planning)
    assert ran.code == 0, ran.stderr
    planned = {uid for uid, ds in course.objects.items()
               if ds.StudyInstanceUID == course.planning}
    assert {objects[uid].Modality for uid in planned} == {"RTPLAN", "RTDOSE"}
    assert held(project) == {uid: objects[uid] for uid in planned}
    assert {r["uid"] for r in graph.read(MISSING)} == sets
    ran = project.rtgraph("validate", "--select", "REF-01", "--store")
    assert ran.code == 1, ran.stderr
    named = sorted((str(p.SOPInstanceUID), str(course.structures[label].SOPInstanceUID))
                   for label, p in course.plans.items())
    assert sorted(issues(graph, "REF-01", "OPEN")) == named

    # What is missing, and what that refers to: the structure sets, then their images.
    ran = project.run("--node", "clinic", "--missing")
    assert ran.code == 0, ran.stderr
    images = {uid for ds in course.structures.values() for uid in course.images_of(ds)}
    assert held(project) == {uid: objects[uid] for uid in planned | sets | images}
    assert graph.read(MISSING) == []

    # An ingest of the same folder finds nothing that is new.
    before = graph.content()
    ran = project.rtgraph("ingest", "received")
    assert ran.code == 0, ran.stderr
    assert f"{len(planned | sets | images)} unchanged" in ran.stdout
    assert graph.content() == before

    # The reference is healed; the target with two lost planes is found.
    check = ("validate", "--level", "geometry", "--select", "REF-01", "--select", "GEO-07",
             "--fail-on", "warning", "--store")
    ran = project.rtgraph(*check)
    assert ran.code == 1, ran.stderr
    target = f"{course.corrected_uid}#{PTV}"
    assert sorted(issues(graph, "REF-01", "CLOSED")) == named
    assert issues(graph, "GEO-07", "OPEN") == [(target, None)]
    (contours,) = [r.ContourSequence for r in course.corrected.ROIContourSequence
                   if r.ReferencedROINumber == PTV]
    assert graph.read(PLANES, uid=course.corrected_uid, number=PTV) == [
        {"planes": len(contours) - len(LOST_PLANES), "gaps": len(LOST_PLANES)}]

    # The figure shows the finding; the cohort holds both plans.
    patient = str(course.corrected.PatientID)
    ran = project.rtgraph("graph", patient, "-o", "adaptive.html")
    assert ran.code == 0, ran.stderr
    page = (project.folder / "adaptive.html").read_text(encoding="utf-8")
    assert "GEO-07" in page
    assert patient not in page
    assert project.rtgraph("cohort", "save", "adaptive", "--query", "complete-chains"
                           ).code == 0
    members = graph.read("MATCH (:Cohort {name: 'adaptive'})-[:HAS_MEMBER]->(i:Instance) "
                         "RETURN i.SOPInstanceUID AS uid")
    assert {r["uid"] for r in members} == {str(p.SOPInstanceUID) for p in course.plans.values()}

    # Two samples; the gap is in the mask of the second, and nothing needs to be made again.
    export = ("preprocess", "export", "--preset", "nifti", "--cohort", "adaptive", "-o",
              str(out), "-j", "1")
    ran = project.rtgraph(*export)
    assert ran.code == 0, ran.stderr
    cases = {tuple(c["plans"]): c["case"]
             for c in json.loads((out / "manifest.json").read_text())["cases"]}
    first, second = (cases[(str(course.plans[label].SOPInstanceUID),)]
                     for label in ("Plan 1", "Plan 2"))
    assert len({first, second}) == 2
    mask = next((out / second / "masks").glob("ptv*"))
    planes = drawn_planes(mask)
    assert np.diff(np.flatnonzero(planes)).max() == len(LOST_PLANES) + 1
    old = exported(out)
    assert rows(project.rtgraph("query", "run", "samples-to-remake", "-f", "csv").stdout) == []

    # The corrected structure set is sent to the archive, under the UID that it had.
    n = len(archive.rest("/instances"))
    archive.add(course.path(course.corrected_uid))
    assert len(archive.rest("/instances")) == n
    series = ("--node", "clinic", "--series", str(course.corrected.SeriesInstanceUID))
    assert project.run(*series).code == 0
    assert held(project)[course.corrected_uid] == dcmread(fault)  # what is there is not asked for
    ran = project.run(*series, "--replace")
    assert ran.code == 0, ran.stderr
    assert "1 objects came with other content" in ran.stderr
    assert held(project) == {uid: course.objects[uid] for uid in planned | sets | images}
    (aside,) = (project.received / ".replaced").rglob("*.dcm")
    assert dcmread(aside) == dcmread(fault)

    # The graph follows, and the issue closes.
    assert project.rtgraph(*check).code == 0
    assert issues(graph, "GEO-07", "OPEN") == []
    assert issues(graph, "GEO-07", "CLOSED") == [(target, None)]
    assert graph.read(PLANES, uid=course.corrected_uid, number=PTV) == [
        {"planes": len(contours), "gaps": 0}]

    # What must be made again is the second sample alone, and only that is made again.
    (row,) = rows(project.rtgraph("query", "run", "samples-to-remake", "-f", "csv").stdout)
    assert (row["case_id"], row["object"], row["why"], row["remade"]) == (
        second, course.corrected_uid, "CHANGED", "false")
    ran = project.rtgraph(*export)
    assert ran.code == 0, ran.stderr
    assert "2 written (1 kept)" in ran.stderr
    new = exported(out)
    assert set(new) == set(old)
    written = {name for name in new if new[name][1] != old[name][1]} - OF_ALL
    assert written
    assert {name for name in written if second not in name} == set()
    other = {name for name in new if new[name][0] != old[name][0]} - OF_ALL
    assert other == {mask.relative_to(out).as_posix(), f"ledger/{second}.csv",
                     f"dvh/{second}.csv", f"dvh/{second}.svg"}
    assert [a for a, b in zip(planes, drawn_planes(mask), strict=True) if a != b] == (
        [False] * len(LOST_PLANES))
    (row,) = rows(project.rtgraph("query", "run", "samples-to-remake", "-f", "csv").stdout)
    assert (row["case_id"], row["remade"]) == (second, "true")
