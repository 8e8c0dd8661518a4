"""Ingest against a real Neo4j: the truth of the cohort, and the same graph whichever way it came.

Most tests compare the graph with that of one undisturbed run over the same folder.
"""

import asyncio
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import RTIonPlanStorage, RTPlanStorage, RTStructureSetStorage

from rtgraph import config
from rtgraph.cypher.library import checks, select
from rtgraph.cypher.validate import run_checks
from rtgraph.demo.cohort import Manifest
from rtgraph.demo.objects import ObjectRef, save
from rtgraph.ingest.pipeline import Options, Progress
from rtgraph.ingest.records import State
from rtgraph.ingest.runs import Summary, run_ingest
from tests.data.faults import SCENARIOS
from tests.data.small import uid, write_course, write_object
from tests.server.conftest import TestGraph, check_invariants

pytestmark = pytest.mark.server

Content = tuple[list[str], list[str]]


# --- helpers -------------------------------------------------------------------------------------

def read_in(graph: TestGraph, folder: Path, *paths: Path, **options: Any) -> Summary:
    """Ingest paths (default: all) of a folder whose root in the graph is always `r`."""
    settings = config.Settings(roots={"r": folder})
    return graph.ingest(*(paths or (folder,)), settings=settings, **options)


def in_one_run(graph: TestGraph, folder: Path) -> Content:
    """The content of an empty graph after one run over a folder."""
    graph.wipe()
    read_in(graph, folder)
    return graph.content()


def assert_same(found: Content, expected: Content) -> None:
    """Compare node by node and edge by edge; only what differs is shown."""
    for ours, theirs in zip(found, expected, strict=True):
        a, b = Counter(ours), Counter(theirs)
        assert (sorted(a - b), sorted(b - a)) == ([], [])


def findings(graph: TestGraph, *severities: str) -> set[tuple[str, str | None, str | None]]:
    """What the checks find at these severities, those that run by request left out."""
    report = graph.run(run_checks(graph.store, select(checks())))
    return {(r.check.id, f.subject, f.target) for r in report.results for f in r.findings
            if f.severity in severities}


def edit(path: Path, change: Callable[[Dataset], object]) -> None:
    """Change a file in place."""
    ds = dcmread(path)
    change(ds)
    save(ds, path)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of twelve files; see `write_course`."""
    write_course(tmp_path)
    return tmp_path / "patient-1"


# --- the cohort ----------------------------------------------------------------------------------

class TestCohort:
    """The synthetic cohort, ingested once, against its manifest."""

    @pytest.fixture(scope="class")
    @staticmethod
    def cohort(session_graph: TestGraph, synthetic: tuple[Path, Manifest]) -> Iterator[TestGraph]:
        session_graph.wipe()
        summary = read_in(session_graph, synthetic[0])
        assert summary.progress.states == {State.INDEXED: synthetic[1].counts.instances}
        yield session_graph
        check_invariants(session_graph)

    @pytest.fixture
    def manifest(self, synthetic: tuple[Path, Manifest]) -> Manifest:
        return synthetic[1]

    def test_objects(self, cohort: TestGraph, manifest: Manifest) -> None:
        found = {tuple(r.values()) for r in cohort.read(
            "MATCH (p:Patient)-[:HAS_STUDY]->(t:Study)-[:HAS_SERIES]->(s:Series)"
            "-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing RETURN i.SOPInstanceUID AS uid, "
            "s.SeriesInstanceUID AS series, t.StudyInstanceUID AS study, p.PatientID AS patient, "
            "i.Modality AS modality, i.file_path AS path")}
        assert found == {
            (i.uid, i.series_uid, i.study_uid, i.patient_id, i.modality, f"r:{i.path}")
            for i in manifest.instances}

    def test_references(self, cohort: TestGraph, manifest: Manifest) -> None:
        found = [tuple(r.values()) for r in cohort.read(
            "MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance) RETURN "
            "coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS a, b.SOPInstanceUID AS b, "
            "r.role AS role")]
        assert Counter(found) == Counter(
            (r.source, r.target, r.role) for r in manifest.references)

    def test_missing_targets(self, cohort: TestGraph, manifest: Manifest) -> None:
        found = cohort.read("MATCH (b:Missing) RETURN b.SOPInstanceUID AS uid")
        assert sorted(r["uid"] for r in found) == list(manifest.missing)

    def test_frames(self, cohort: TestGraph, manifest: Manifest) -> None:
        found = {r["frame"]: tuple(r["series"]) for r in cohort.read(
            "MATCH (f:FrameOfReference)<-[:IN_FRAME {source: 'MODULE'}]-(s:Series) "
            "WITH f, s.SeriesInstanceUID AS series ORDER BY series "
            "RETURN f.FrameOfReferenceUID AS frame, collect(series) AS series")}
        assert found == manifest.frames

    def test_planted_faults(self, cohort: TestGraph, manifest: Manifest) -> None:
        stated = (*manifest.faults, *manifest.side_findings)
        assert findings(cohort, "error", "warning", "info") == {
            (f.check, f.subject, f.target) for f in stated}

    @pytest.mark.parametrize("full", [False, True], ids=["again", "full"])
    def test_a_second_run_changes_nothing(
        self, cohort: TestGraph, synthetic: tuple[Path, Manifest], full: bool
    ) -> None:
        before = cohort.content()
        summary = read_in(cohort, synthetic[0], full=full)
        n = synthetic[1].counts.instances
        assert summary.progress.states == {State.INDEXED if full else State.UNCHANGED: n}
        assert summary.unchanged is not full
        assert summary.before == summary.after
        assert_same(cohort.content(), before)


@pytest.mark.parametrize("name", SCENARIOS)
def test_fault_is_found(graph: TestGraph, tmp_path: Path, name: str) -> None:
    scenario = SCENARIOS[name](tmp_path)
    summary = read_in(graph, tmp_path)
    assert summary.n_files == len(scenario.files)
    assert findings(graph, "error", "warning") == {
        (f.check, f.subject, f.target) for f in scenario.findings}


# --- order ---------------------------------------------------------------------------------------

ORDERS = ["references first", "seed 1", "seed 2"]
FIRST = ("RTRECORD", "RTDOSE", "RTIMAGE", "RTPLAN", "REG", "RTSTRUCT", "CT")


def in_order(files: list[Path], order: str) -> list[Path]:
    if order == "references first":
        return sorted(files, key=lambda f: (FIRST.index(f.parent.name), -int(f.name[-8:-4])))
    random.Random(order).shuffle(files)
    return files


@pytest.mark.parametrize("order", ORDERS)
def test_order_does_not_matter(graph: TestGraph, course: Path, order: str) -> None:
    expected = in_one_run(graph, course)
    graph.wipe()
    for file in in_order(sorted(course.rglob("*.dcm")), order):
        assert read_in(graph, course, file).progress.states == {State.INDEXED: 1}
    assert_same(graph.content(), expected)


@pytest.mark.parametrize("way", [
    {"writers": 1, "batch": 1}, {"writers": 2, "batch": 7}, {"writers": 4, "batch": 5000},
    {"writers": 4, "batch": 2}, {"jobs": 2},
], ids=str)
def test_writers_batches_and_jobs_do_not_matter(
    graph: TestGraph, course: Path, way: dict[str, int]
) -> None:
    for n in range(4):  # more patients, so that more writers have work
        write_object(course / f"other/{n}.dcm", f"image {n}", patient=f"PAT-{n}",
                     study=f"study {n}", series=f"series {n}", frame=f"frame {n % 2}")
    expected = in_one_run(graph, course)
    graph.wipe()
    read_in(graph, course, **way)
    assert_same(graph.content(), expected)


def test_a_missing_target_heals_when_its_file_comes(graph: TestGraph, course: Path) -> None:
    (plan,), (structures,) = ((course / m).glob("*.dcm") for m in ("RTPLAN", "RTSTRUCT"))
    stub = ("MATCH (i:Instance {SOPInstanceUID: $uid}) "
            "RETURN labels(i) AS labels, keys(i) AS keys, i.stated_sop_class AS stated")
    target = str(dcmread(structures).SOPInstanceUID)

    before = read_in(graph, course, plan).after["unresolved"]
    (row,) = graph.read(stub, uid=target)
    assert set(row["labels"]) == {"Instance", "Missing", "RTStruct"}
    assert set(row["keys"]) == {
        "SOPInstanceUID", "stated_sop_class", "first_seen_run", "referred_by_patients"}
    assert row["stated"] == RTStructureSetStorage
    assert graph.read("MATCH (:Series)-[r:REFERENCES]->(:Series) RETURN r") == []

    after = read_in(graph, course, structures).after["unresolved"]
    (row,) = graph.read(stub, uid=target)
    assert set(row["labels"]) == {"Instance", "RTStruct"}
    assert not {"stated_sop_class", "first_seen_run", "referred_by_patients"} & set(row["keys"])
    assert before == 2  # structure set and DRR
    assert after == before - 1 + 3  # the images of the structure set
    (edge,) = graph.read("MATCH (:RTPlanSeries)-[r:REFERENCES]->(:RTStructSeries) "
                         "RETURN r.role AS role, r.n_missing AS n, r.complete AS complete")
    assert edge == {"role": "PLAN_STRUCTURE_SET", "n": 0, "complete": True}


def test_a_missing_target_of_another_class_gets_the_real_labels(
    graph: TestGraph, tmp_path: Path
) -> None:
    plan = ObjectRef(RTIonPlanStorage, uid("plan"))
    dose = write_object(tmp_path / "dose.dcm", "dose", modality="RTDOSE", series="doses",
                        sop_class="1.2.840.10008.5.1.4.1.1.481.2",
                        ReferencedRTPlanSequence=[plan.item()])
    write_object(tmp_path / "plan.dcm", "plan", modality="RTPLAN", sop_class=RTPlanStorage)
    expected = in_one_run(graph, tmp_path)
    graph.wipe()
    read_in(graph, tmp_path, dose)
    read_in(graph, tmp_path)
    assert set(graph.one("MATCH (i:RTPlan) RETURN labels(i)")) == {"Instance", "RTPlan"}
    assert_same(graph.content(), expected)


def test_frames_are_inherited_whichever_comes_first(graph: TestGraph, tmp_path: Path) -> None:
    structures = ObjectRef(RTStructureSetStorage, uid("structures"))
    plan = ObjectRef(RTPlanStorage, uid("plan"))
    rt = "1.2.840.10008.5.1.4.1.1.481."
    write_object(tmp_path / "1.dcm", "record", modality="RTRECORD", series="records",
                 sop_class=f"{rt}4", ReferencedRTPlanSequence=[plan.item()])
    write_object(tmp_path / "2.dcm", "image", modality="RTIMAGE", series="images",
                 sop_class=f"{rt}1", ReferencedRTPlanSequence=[plan.item()])
    write_object(tmp_path / "3.dcm", "plan", modality="RTPLAN", series="plans",
                 sop_class=f"{rt}5", ReferencedStructureSetSequence=[structures.item()])
    write_object(tmp_path / "4.dcm", "structures", modality="RTSTRUCT", series="structures",
                 sop_class=f"{rt}3", frame="frame")
    files = sorted(tmp_path.glob("*.dcm"))
    frames = ("MATCH (i:Instance) RETURN i.Modality AS m, i.frame_uid = $uid AS inherited, "
              "i.frame_source AS source ORDER BY i.file_path")
    expected = in_one_run(graph, tmp_path)
    for order in (files, files[::-1]):
        graph.wipe()
        for file in order:
            read_in(graph, tmp_path, file)
        assert [tuple(r.values()) for r in graph.read(frames, uid=uid("frame"))] == [
            ("RTRECORD", True, "INHERITED"), ("RTIMAGE", True, "INHERITED"),
            ("RTPLAN", True, "INHERITED"), ("RTSTRUCT", True, "MODULE")]
        assert graph.one("MATCH ()-[r:IN_FRAME]->() RETURN count(r)") == 1
        assert_same(graph.content(), expected)
    # What is inherited goes when the file that stated it changes.
    edit(tmp_path / "4.dcm", lambda ds: delattr(ds, "FrameOfReferenceUID"))
    read_in(graph, tmp_path)
    assert {r["source"] for r in graph.read(frames, uid="")} == {None}


# --- changed files -------------------------------------------------------------------------------

def of(folder: Path, modality: str, number: int = 1) -> Path:
    return folder / modality / f"{modality}.{number:04}.dcm"


def localizer(folder: Path, name: str) -> None:
    """Let one slice name another localizer."""
    def change(ds: Dataset) -> None:
        ds.ReferencedImageSequence[0].ReferencedSOPInstanceUID = uid(name)
    edit(of(folder, "CT", 3), change)


def every(folder: Path, pattern: str, **elements: object) -> None:
    def change(ds: Dataset) -> None:
        for keyword, value in elements.items():
            setattr(ds, keyword, value)

    for file in sorted(folder.glob(pattern)):
        edit(file, change)


def other_structures(ds: Dataset) -> None:
    ds.ReferencedStructureSetSequence[0].ReferencedSOPInstanceUID = uid("elsewhere")


def fewer_images(ds: Dataset) -> None:
    (frame,) = ds.ReferencedFrameOfReferenceSequence
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    del series.ContourImageSequence[1:]
    ds.ROIContourSequence = []


def other_frame(ds: Dataset) -> None:
    ds.FrameOfReferenceUID = uid("frame")
    ds.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = uid("frame")
    for roi in ds.StructureSetROISequence:
        roi.ReferencedFrameOfReferenceUID = uid("frame")


def one_registered_series(ds: Dataset) -> None:
    del ds.RegistrationSequence[1]
    if "StudiesContainingOtherReferencedInstancesSequence" in ds:
        del ds.StudiesContainingOtherReferencedInstancesSequence


def ion_plan(ds: Dataset) -> None:
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = RTIonPlanStorage


CHANGES: list[tuple[str, Callable[[Path], object], Callable[[Path], object]]] = [
    # name, before the first run, between the runs
    ("label and dates", lambda f: None,
     lambda f: every(f, "RTPLAN/*", RTPlanLabel="Plan 2", RTPlanDate="20240101")),
    ("plan names another structure set", lambda f: None,
     lambda f: edit(of(f, "RTPLAN"), other_structures)),
    ("plan names the right structure set again", lambda f: edit(of(f, "RTPLAN"), other_structures),
     lambda f: every(f, "RTPLAN/*", ReferencedStructureSetSequence=[
         ObjectRef(RTStructureSetStorage, dcmread(of(f, "RTSTRUCT")).SOPInstanceUID).item()])),
    ("structure set lists fewer images", lambda f: None,
     lambda f: edit(of(f, "RTSTRUCT"), fewer_images)),
    ("structure set is in another frame", lambda f: None,
     lambda f: edit(of(f, "RTSTRUCT"), other_frame)),
    ("slice names another image", lambda f: None, lambda f: localizer(f, "other")),
    ("slice names another image no more", lambda f: localizer(f, "other"),
     lambda f: localizer(f, "third")),
    ("slice moves to another series", lambda f: None,
     lambda f: every(f, "CT/CT.0003.dcm", SeriesInstanceUID=uid("series"))),
    ("slice moves to another study", lambda f: None,
     lambda f: every(f, "CT/CT.0003.dcm", StudyInstanceUID=uid("study"))),
    ("first values of a series", lambda f: None,
     lambda f: every(f, "CT/*", SeriesDescription="Other", PatientBirthDate="19600101")),
    ("registration loses a series", lambda f: None,
     lambda f: edit(of(f, "REG"), one_registered_series)),
    ("patient of all files", lambda f: None, lambda f: every(f, "*/*", PatientID="OTHER")),
    ("patient of one file", lambda f: None, lambda f: every(f, "RTSTRUCT/*", PatientID="OTHER")),
    ("study of one series", lambda f: None,
     lambda f: every(f, "CT/CT.000[56].dcm", StudyInstanceUID=uid("study"))),
    ("class of the plan", lambda f: None, lambda f: edit(of(f, "RTPLAN"), ion_plan)),
    ("modality of a series", lambda f: None, lambda f: every(f, "CT/*", Modality="MR")),
    ("a value becomes good", lambda f: every(f, "CT/*", PatientID=""),
     lambda f: every(f, "CT/*", PatientID="DEMO-1")),
]


@pytest.mark.parametrize(("before", "change"), [c[1:] for c in CHANGES],
                         ids=[c[0] for c in CHANGES])
def test_changed_files_leave_no_trace(
    graph: TestGraph, course: Path, before: Callable[[Path], object],
    change: Callable[[Path], object],
) -> None:
    before(course)
    read_in(graph, course)
    change(course)
    read_in(graph, course)
    found = graph.content()
    assert_same(found, in_one_run(graph, course))


def test_a_moved_file_is_followed(graph: TestGraph, course: Path) -> None:
    read_in(graph, course)
    expected = in_one_run(graph, course)
    (course / "new").mkdir()
    shutil.move(of(course, "RTPLAN"), course / "new/plan.dcm")
    summary = read_in(graph, course)
    assert summary.progress.states == {State.INDEXED: 1, State.UNCHANGED: 11}
    moved = [[line.replace("r:RTPLAN/RTPLAN.0001.dcm", "r:new/plan.dcm") for line in part]
             for part in expected]
    assert_same(graph.content(), (sorted(moved[0]), sorted(moved[1])))
    assert graph.read("MATCH (f:File) RETURN f") == []


# --- one UID in several files --------------------------------------------------------------------

def write_copies(folder: Path) -> None:
    """Three files with one UID: a and b differ in series and patient, c holds the bytes of b.

    Each of the two series has an object of its own with a larger UID.
    """
    first, *others = sorted(f"image {n}" for n in range(3))
    first, *others = sorted((first, *others), key=uid)
    write_object(folder / "a.dcm", first, patient="PAT-1", series="series a", frame="frame")
    write_object(folder / "b.dcm", first, patient="PAT-2", series="series b", frame="other frame",
                 SeriesDescription="another")
    shutil.copy(folder / "b.dcm", folder / "c.dcm")
    for series, name in zip("ab", others, strict=True):
        write_object(folder / f"of {series}.dcm", name, patient="PAT-1", series=f"series {series}",
                     frame="frame")


COPIES = ("MATCH (i:Instance)-[:STORED_AS]->(f:File) RETURN i.file_path AS object, "
          "f.path AS path, f.status AS status, f.differs AS differs, f.series_uid AS series "
          "ORDER BY path")


@pytest.mark.parametrize("order", list(permutations("abc")), ids="".join)
def test_the_smallest_path_wins_in_any_order(
    graph: TestGraph, tmp_path: Path, order: Sequence[str]
) -> None:
    write_copies(tmp_path)
    expected = in_one_run(graph, tmp_path)
    assert [tuple(r.values()) for r in graph.read(COPIES)] == [
        ("r:a.dcm", "r:b.dcm", "COPY", True, uid("series b")),
        ("r:a.dcm", "r:c.dcm", "COPY", True, uid("series b"))]
    assert {f[0] for f in findings(graph, "error")} >= {"HIE-03", "HIE-04"}
    graph.wipe()
    for name in (*order, "of a", "of b"):
        read_in(graph, tmp_path, tmp_path / f"{name}.dcm")
    assert_same(graph.content(), expected)


def test_states_of_copies(graph: TestGraph, tmp_path: Path) -> None:
    write_copies(tmp_path)
    (tmp_path / "a.dcm").rename(tmp_path / "d.dcm")
    assert read_in(graph, tmp_path).progress.states == {
        State.INDEXED: 3, State.DUPLICATE: 1, State.CONFLICT: 1}
    assert [(r["path"], r["differs"]) for r in graph.read(COPIES)] == [
        ("r:c.dcm", False), ("r:d.dcm", True)]
    assert read_in(graph, tmp_path).progress.states == {State.UNCHANGED: 5}
    assert read_in(graph, tmp_path, full=True).progress.states == {
        State.INDEXED: 3, State.DUPLICATE: 1, State.CONFLICT: 1}


def test_the_next_copy_takes_over_when_the_object_is_gone(
    graph: TestGraph, tmp_path: Path
) -> None:
    write_copies(tmp_path)
    read_in(graph, tmp_path)
    (tmp_path / "a.dcm").rename(tmp_path / "z.dcm")
    read_in(graph, tmp_path)
    assert_same(graph.content(), in_one_run(graph, tmp_path))


def test_conflicts_between_writers_are_settled_alike(graph: TestGraph, tmp_path: Path) -> None:
    for n in range(12):
        for patient in range(3):
            write_object(tmp_path / f"{patient * 7 % 3}/{n}.dcm", f"image {n}",
                         patient=f"PAT-{patient}", study=f"study {patient}",
                         series=f"series {patient}", frame=f"frame {patient}")
    expected = in_one_run(graph, tmp_path)
    for batch in (1, 2, 3):
        graph.wipe()
        summary = read_in(graph, tmp_path, writers=4, batch=batch)
        assert sum(summary.progress.states.values()) == 36
        assert_same(graph.content(), expected)


# --- frames shared by series ---------------------------------------------------------------------

WELL_KNOWN = "1.2.840.10008.1.4.1.1"
SHARED = [
    # name                n   patients  frame        mode      edges
    ("alone",             1,  1,        "frame",     "NONE",   0),
    ("two",               2,  1,        "frame",     "CLIQUE", 1),
    ("largest clique",    32, 1,        "frame",     "CLIQUE", 32 * 31 // 2),
    ("star",              33, 1,        "frame",     "STAR",   32),
    ("well known",        3,  1,        WELL_KNOWN,  "NONE",   0),
    ("of two patients",   4,  2,        "frame",     "NONE",   0),
]
SHARES = "MATCH ()-[r:SHARES_FOR]->() RETURN collect(DISTINCT r.mode)"


def write_series(folder: Path, numbers: Sequence[int], patients: int = 1, frame: str = "frame"
                 ) -> None:
    for n in numbers:
        patient = n % patients
        write_object(folder / f"{n}.dcm", f"image {n}", patient=f"PAT-{patient}", modality="MR",
                     study=f"study {patient}", series=f"series {n}",
                     FrameOfReferenceUID=uid(frame) if frame == "frame" else frame)


@pytest.mark.parametrize(("n", "patients", "frame", "mode", "edges"), [c[1:] for c in SHARED],
                         ids=[c[0] for c in SHARED])
def test_series_that_share_a_frame(
    graph: TestGraph, tmp_path: Path, n: int, patients: int, frame: str, mode: str, edges: int
) -> None:
    write_series(tmp_path, range(n), patients, frame)
    assert read_in(graph, tmp_path).after["shares_for"] == edges
    assert graph.one(SHARES) == ([mode] if edges else [])
    assert graph.read("MATCH (f:FrameOfReference) RETURN f.share_mode AS mode, f.n_series AS n, "
                      "f.n_patients AS patients") == [{"mode": mode, "n": n, "patients": patients}]


def test_a_clique_becomes_a_star_and_the_anchor_moves(graph: TestGraph, tmp_path: Path) -> None:
    anchor = "MATCH (s:Series)<-[:SHARES_FOR {mode: 'STAR'}]-() RETURN DISTINCT s.Modality"
    write_series(tmp_path, range(32))
    read_in(graph, tmp_path)
    write_series(tmp_path, [32])
    assert read_in(graph, tmp_path).after["shares_for"] == 32
    assert graph.one(SHARES) == ["STAR"]
    assert graph.one(anchor) == "MR"
    write_object(tmp_path / "ct.dcm", "ct", study="study 0", patient="PAT-0", frame="frame")
    assert read_in(graph, tmp_path).after["shares_for"] == 33
    assert graph.one(anchor) == "CT"


# --- runs ----------------------------------------------------------------------------------------

def test_a_run_is_noted(graph: TestGraph, course: Path) -> None:
    (course / "notes.txt").write_text("no DICOM")
    summary = read_in(graph, course, writers=3, batch=4)
    (run,) = graph.read("MATCH (r:IngestRun) RETURN r {.*} AS run")
    assert run["run"] | {"id": summary.run_id, "state": "DONE", "n_files": 13, "n_instances": 12,
                         "n_rejected": 1} == run["run"]
    assert json.loads(run["run"]["options"]) == {"batch": 4, "full": False, "writers": 3}
    assert json.loads(run["run"]["counts"]) == {
        "INDEXED": 12, "UNCHANGED": 0, "DUPLICATE": 0, "CONFLICT": 0, "REJECTED": 1,
        "EXCLUDED": 0}
    assert run["run"]["started"] <= run["run"]["finished"]
    assert graph.one("MATCH (i:Instance) RETURN collect(DISTINCT i.run_id)") == [summary.run_id]


def test_a_run_that_was_stopped_is_finished_by_the_next(
    graph: TestGraph, tmp_path: Path
) -> None:
    write_course(tmp_path)
    for n in range(120):
        write_object(tmp_path / f"other/{n}.dcm", f"image {n}", series=f"series {n % 9}",
                     frame=f"frame {n % 4}")
    expected = in_one_run(graph, tmp_path)
    graph.wipe()
    progress = Progress()

    async def stopped() -> None:
        task = asyncio.create_task(run_ingest(
            graph.store, [tmp_path], config.Settings(roots={"r": tmp_path}),
            options=Options(batch=5), progress=progress, jobs=1))
        while not progress.states[State.INDEXED]:
            await asyncio.sleep(0.001)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        graph.run(stopped())
    assert graph.one("MATCH (r:IngestRun) RETURN r.state") == "INTERRUPTED"
    assert 0 < graph.one("MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i)") < 132
    summary = read_in(graph, tmp_path)
    assert summary.progress.states[State.UNCHANGED] > 0
    assert_same(graph.content(), expected)
