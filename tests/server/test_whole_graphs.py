"""Whole graphs of a course with every kind of part: the same, whichever way they came about.

Each way is compared, node by node and edge by edge, with one run over the same files.
"""

import random
import shutil
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import RTPlanStorage

from rtgraph.ingest.records import State
from tests.data.items import code, item, put
from tests.data.small import uid
from tests.data.whole import SHIFT, kind, to, write_whole_course
from tests.server.conftest import TestGraph
from tests.server.test_ingest import Content, assert_same, edit, in_one_run, read_in

pytestmark = pytest.mark.server

PARTS = {"ROI", "Beam", "FractionGroup", "DoseReference", "ApplicationSetup", "DVH",
         "BeamDelivery", "Transform", "Segment", "Prescription"}
SHARED = {"ConceptualVolume", "TreatmentSession", "DoseReferenceGroup", "IrradiationEvent",
          "Tracking", "TreatmentPositionGroup", "DosimetricObjective", "Fiducial", "Acquisition",
          "SyncFrame", "Code", "StandardName", "Equipment", "FrameOfReference"}
EDGES = {
    "REFERENCES", "REFERENCES_SERIES", "REFERENCES_STUDY", "REFERENCES_FRAME", "IN_FRAME",
    "SHARES_FOR", "REGISTERED_TO", "CONTOURED_ON", "DEFINED_IN", "DERIVED_FROM", "RELATED_ROI",
    "NAMED_AS", "CODED_AS", "REPRESENTS", "INCLUDES_BEAM", "INCLUDES_SETUP", "TARGETS", "USES_ROI",
    "FOR_DOSE_REFERENCE", "DOSE_OF", "OF_ROI", "DELIVERY_OF", "IMAGES", "FROM_FRAME", "TO_FRAME",
    "APPLIES_TO", "IN_SESSION", "HAS_EVENT", "TRACKS", "IN_SYNC_FRAME", "STATES_UID",
    "ACQUIRED_ON"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    write_whole_course(folder)
    return folder


@pytest.fixture(scope="module")
def whole(session_graph: TestGraph, base: Path) -> Content:
    """The content after one run over the course."""
    return in_one_run(session_graph, base)


@pytest.fixture
def course(base: Path, tmp_path: Path) -> Path:
    """A copy of the course that a test may change; times of files are the same."""
    return Path(shutil.copytree(base, tmp_path / "course"))


def of(folder: Path, *patterns: str) -> list[Path]:
    """Return the files of a folder with such names."""
    return sorted(f for f in folder.glob("*.dcm") if any(fnmatch(f.stem, p) for p in patterns))


# --- the course ----------------------------------------------------------------------------------

def test_the_course_has_every_kind_of_part(graph: TestGraph, base: Path) -> None:
    read_in(graph, base)
    labels = set(graph.one("MATCH (n) UNWIND labels(n) AS l RETURN collect(DISTINCT l)"))
    types = set(graph.one("MATCH ()-[r]->() RETURN collect(DISTINCT type(r))"))
    assert (sorted((PARTS | SHARED) - labels), sorted(EDGES - types)) == ([], [])


# --- order ---------------------------------------------------------------------------------------

# Who refers comes before what is referred to.
FIRST = ("report", "key", "state", "map", "radiations", "intent", "record", "ionrecord",
         "brachyrecord", "image", "dose", "ion", "brachy", "plan", "deformable", "reg", "set",
         "fid", "seg", "us", "cbct", "mr", "ct", "localizer", "radiation")


@pytest.mark.parametrize("order", ["referrers first", "targets first", "seed 1", "seed 2"])
def test_order_does_not_matter(
    graph: TestGraph, base: Path, whole: Content, order: str
) -> None:
    files = sorted(base.glob("*.dcm"), key=lambda f: (FIRST.index(kind(f.stem)), f.stem))
    if order.startswith("seed"):
        random.Random(order).shuffle(files)
    elif order == "targets first":
        files.reverse()
    size = 1 if order == "referrers first" else 5
    for at in range(0, len(files), size):
        run = read_in(graph, base, *files[at:at + size])
        assert run.progress.states == {State.INDEXED: len(files[at:at + size])}
    assert_same(graph.content(), whole)


@pytest.mark.parametrize("way", [{"writers": 4, "batch": 3}, {"jobs": 2, "batch": 1}], ids=str)
def test_writers_and_batches_do_not_matter(
    graph: TestGraph, base: Path, whole: Content, way: dict[str, int]
) -> None:
    read_in(graph, base, **way)
    assert_same(graph.content(), whole)


def test_a_second_run_changes_nothing(graph: TestGraph, base: Path, whole: Content) -> None:
    read_in(graph, base)
    for full in (False, True):
        assert read_in(graph, base, full=full).unchanged is not full
        assert_same(graph.content(), whole)


# --- two folders in two runs ---------------------------------------------------------------------

SPLITS: list[tuple[str, Callable[[int, str], bool]]] = [
    # name, which files are in the first folder
    ("images and the rest", lambda n, name: kind(name) in ("ct", "mr", "cbct", "localizer")),
    ("structures and what refers to them",
     lambda n, name: kind(name) in ("ct", "set", "seg", "fid", "reg", "plan", "intent")),
    ("every other file", lambda n, name: n % 2 == 0),
]


@pytest.mark.parametrize("in_first", [s[1] for s in SPLITS], ids=[s[0] for s in SPLITS])
def test_two_folders_in_two_runs(
    graph: TestGraph, course: Path, in_first: Callable[[int, str], bool]
) -> None:
    folders = course / "a", course / "b"
    for folder in folders:
        folder.mkdir()
    for n, file in enumerate(of(course, "*")):
        shutil.move(file, folders[not in_first(n, file.stem)])
    expected = in_one_run(graph, course)
    for order in (folders, folders[::-1]):
        graph.wipe()
        for folder in order:
            read_in(graph, course, folder)
        assert_same(graph.content(), expected)


# --- one object replaced by another version ------------------------------------------------------

def other_rois(ds: Dataset) -> None:
    """ROI 1 goes, 2 becomes 6 and comes from another segment, 5 has another name and frame."""
    first, second, _, _, fifth = ds.StructureSetROISequence
    put(second, ROINumber=6, DefinitionSourceSequence=[to("seg", ReferencedSegmentNumber=2)])
    put(fifth, ROIName="Lung_L", ReferencedFrameOfReferenceUID=uid("elsewhere"))
    ds.StructureSetROISequence.remove(first)
    del ds.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceRelationshipSequence


def no_contours(ds: Dataset) -> None:
    ds.ROIContourSequence, ds.RTROIObservationsSequence = [], []


def other_beams(ds: Dataset) -> None:
    """Beam 2 is now 3, the target is another ROI, the other plan is concurrent."""
    ds.BeamSequence[1].BeamNumber = 3
    ds.FractionGroupSequence[0].FractionGroupNumber = 2
    ds.DoseReferenceSequence[0].ReferencedROINumber = 5
    del ds.DoseReferenceSequence[1:]
    put(ds.ReferencedRTPlanSequence[0], RTPlanRelationship="CONCURRENT")


def other_setups(ds: Dataset) -> None:
    del ds.ApplicationSetupSequence[0]
    ds.ApplicationSetupSequence[0].ChannelSequence[0].ReferencedROINumber = 5


def other_segments(ds: Dataset) -> None:
    del ds.SegmentSequence[0]
    put(ds.SegmentSequence[0], TrackingUID=uid("finding 3"),
        SegmentedPropertyTypeCodeSequence=[code("1", "99OWN")])
    del ds.PerFrameFunctionalGroupsSequence[1:]


def other_beam_of_dose(ds: Dataset) -> None:
    (group,) = ds.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence
    put(group.ReferencedBeamSequence[0], ReferencedBeamNumber=1)


def fixed_item_only(ds: Dataset) -> None:
    del ds.RegistrationSequence[1]
    put(ds, FrameOfReferenceUID=uid("mr"))


def other_content(ds: Dataset) -> None:
    put(ds.ContentSequence[0].ReferencedSOPSequence[0], ReferencedSOPInstanceUID=uid("ct 2"))
    put(ds.ContentSequence[1].ContentSequence[1], UID=uid("event of cbct"))
    del ds.ContentSequence[1].ContentSequence[2:]


def one_prescription(ds: Dataset) -> None:
    del ds.RTPrescriptionSequence[0]
    (anatomic,) = ds.RTPrescriptionSequence[0].RTAnatomicPrescriptionSequence
    put(anatomic.ConceptualVolumeSequence[0], ConceptualVolumeUID=uid("other volume"))


def class_of_photons(ds: Dataset) -> None:
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = RTPlanStorage


def another_object(ds: Dataset) -> None:
    put(ds, SOPInstanceUID=uid("another object"))


def stating(**elements: object) -> Callable[[Dataset], object]:
    return lambda ds: put(ds, **elements)


def without(keyword: str) -> Callable[[Dataset], object]:
    return lambda ds: ds.pop(keyword)


VERSIONS: list[tuple[str, str, Callable[[Dataset], object]]] = [
    # name                        files      change
    ("other ROIs",                "set",     other_rois),
    ("no contours",               "set",     no_contours),
    ("another structure set",     "set",     another_object),
    ("other beams",               "plan",    other_beams),
    ("another plan",              "plan",    another_object),
    ("no plan before the ions",   "ion",     stating(ReferencedRTPlanSequence=[])),
    ("photons, not ions",         "ion",     class_of_photons),
    ("other setups",              "brachy",  other_setups),
    ("other segments",            "seg",     other_segments),
    ("another seed",              "fid",     stating(FiducialSetSequence=[item(
        FiducialSequence=[item(FiducialUID=uid("other seed"))])])),
    ("dose of another beam",      "dose beam", other_beam_of_dose),
    ("dose of no plan",           "dose group", stating(ReferencedRTPlanSequence=[])),
    ("no histograms",             "dose",    stating(DVHSequence=[])),
    ("record of another plan",    "record 1", stating(ReferencedRTPlanSequence=[to("brachy")])),
    ("image of no beam",          "image",   without("ReferencedBeamNumber")),
    ("fixed data only",           "reg",     fixed_item_only),
    ("no frame of its own",       "reg",     without("FrameOfReferenceUID")),
    ("another source frame",      "deformable", stating(DeformableRegistrationSequence=[
        item(SourceFrameOfReferenceUID=uid("mr"), PreDeformationMatrixRegistrationSequence=[
            item(FrameOfReferenceTransformationMatrix=SHIFT)])])),
    ("other content",             "report",  other_content),
    ("another title",             "key",     stating(ConceptNameCodeSequence=[code("128200")])),
    ("one prescription",          "intent",  one_prescription),
    ("no equipment frame",        "radiation", without("EquipmentFrameOfReferenceUID")),
    ("another event and frame",   "ct *",    stating(
        IrradiationEventUID=uid("other event"), FrameOfReferenceUID=uid("other frame"),
        ReferencedImageSequence=[])),
    ("no plan of the cone beam",  "cbct 0",  stating(ReferencedRTPlanSequence=[])),
]


@pytest.mark.parametrize(("files", "change"), [v[1:] for v in VERSIONS],
                         ids=[v[0] for v in VERSIONS])
def test_another_version_leaves_no_trace(
    graph: TestGraph, course: Path, files: str, change: Callable[[Dataset], object]
) -> None:
    read_in(graph, course)
    for file in of(course, files):
        edit(file, change)
    read_in(graph, course)
    assert_same(graph.content(), in_one_run(graph, course))


# --- files that go, and come later ---------------------------------------------------------------

GONE = [
    ("set", "set old"), ("plan", "ion", "brachy"), ("seg", "fid"), ("ct *",), ("mr *", "localizer"),
    ("reg", "deformable"), ("dose*",), ("*record*", "image", "cbct *"),
    ("report", "key", "state", "map"), ("intent", "radiation*"),
    ("ct *", "mr *", "cbct *", "localizer", "seg", "fid", "set*", "plan", "ion", "brachy"),
]


@pytest.mark.parametrize("names", GONE, ids=" ".join)
def test_what_goes_leaves_no_trace_and_heals_when_it_comes(
    graph: TestGraph, course: Path, tmp_path: Path, whole: Content, names: Sequence[str]
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    read_in(graph, course)
    files = of(course, *names)
    for file in files:
        shutil.move(file, away)
    read_in(graph, course, prune=True)
    assert_same(graph.content(), in_one_run(graph, course))
    assert graph.one("MATCH (m:Instance:Missing) RETURN count(m)") >= (
        0 if names[0] in ("report", "dose*") else 1)
    for file in files:
        shutil.move(away / file.name, file)
    read_in(graph, course)
    assert_same(graph.content(), whole)


def test_nothing_is_left_when_all_is_gone(graph: TestGraph, course: Path) -> None:
    read_in(graph, course)
    for file in of(course, "*"):
        file.unlink()
    (course / "note.txt").write_text("a folder without any file may be a disk that is away")
    read_in(graph, course, prune=True)
    nodes, edges = graph.content()
    assert ([n.partition(",")[0] for n in nodes], edges) == (['["File"'], [])
