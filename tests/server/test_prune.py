"""Objects that are retired: the graph is then that of a fresh ingest of the files that are left."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydicom import dcmread

from rtgraph import config
from rtgraph.demo.objects import ObjectRef, save
from rtgraph.errors import UsageError
from rtgraph.graphmodel.schema import schema
from rtgraph.ingest import prune as pruning
from rtgraph.ingest.derive import derive
from rtgraph.ingest.discover import Roots, with_roots
from rtgraph.ingest.parse import Plan
from rtgraph.ingest.prune import Pruned, below, mark_forsaken, may_prune, prune, retire_forsaken
from rtgraph.ingest.records import State
from rtgraph.ingest.revise import Run
from tests.data.small import uid, write_course, write_object
from tests.server.conftest import TestGraph
from tests.server.test_ingest import assert_same, in_one_run, read_in

pytestmark = pytest.mark.server

CT = "1.2.840.10008.5.1.4.1.1.2"
PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
DOSE = "1.2.840.10008.5.1.4.1.1.481.2"


# --- helpers -------------------------------------------------------------------------------------

def run_over(graph: TestGraph, roots: dict[str, str], run_id: str = "prune") -> Run:
    key = graph.run(graph.store.prepare(schema()))
    return Run(run_id, Roots(roots), Plan(key))


def prune_alone(graph: TestGraph, folder: Path, *below: Path) -> Pruned:
    """Prune without reading anything; then what is derived."""
    done = Pruned()
    starts, roots = with_roots(below or [folder], {"r": os.path.realpath(folder)})
    run = run_over(graph, dict(roots.by_name))
    graph.run(prune(graph.store, starts, run, done))
    graph.run(retire_forsaken(graph.store, run, done))
    graph.run(derive(graph.store))
    return done


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of twelve files; see `write_course`."""
    write_course(tmp_path)
    return tmp_path / "patient-1"


@pytest.fixture(autouse=True)
def no_mark_is_left(graph: TestGraph) -> object:
    yield
    assert graph.read("MATCH (i:Forsaken) RETURN i") == []


# --- files that are gone -------------------------------------------------------------------------

def remove(*patterns: str) -> Callable[[Path], int]:
    """Return what removes files, and how many objects that are."""
    def gone(folder: Path) -> int:
        files = {file for pattern in patterns for file in folder.glob(pattern)}
        for file in files:
            file.unlink()
        return len(files)

    return gone


def smallest(folder: Path) -> int:
    """Remove the file of the smallest UID, which gives patient, study and series their values."""
    def first(file: Path) -> str:
        return str(dcmread(file, specific_tags=["SOPInstanceUID"]).SOPInstanceUID)

    min(folder.rglob("*.dcm"), key=first).unlink()
    return 1


def plain(folder: Path) -> None:
    """Leave the course as it is."""


def with_references_of_images(folder: Path) -> None:
    """A series of images that refers to images of two others, and a dose that names both plans."""
    for n in range(3):
        images = [ObjectRef(CT, uid(f"{name} {n}")) for name in ("left", "right")]
        write_object(folder / f"more/from {n}.dcm", f"from {n}", series="from", frame="frame",
                     ReferencedImageSequence=[i.item() for i in images])
        write_object(folder / f"more/left {n}.dcm", f"left {n}", series="left", frame="frame")


def with_two_patients(folder: Path) -> None:
    """A study of two patients and a series in two studies."""
    for n in range(4):
        write_object(folder / f"more/{n}.dcm", f"image {n}", patient=f"PAT-{n % 2}",
                     study="study" if n < 3 else "other study", series=f"series {n // 2}",
                     frame="frame", SeriesDescription=f"description {n}")


def with_descriptions(folder: Path) -> None:
    """Every object of a series states other values."""
    for n in range(6):
        write_object(folder / f"more/{n}.dcm", f"image {n}", series=f"series {n % 2}",
                     SeriesDescription=f"series {n}", StudyDescription=f"study {n}",
                     PatientBirthDate=f"195{n}0101")


def with_placed_plans(folder: Path) -> None:
    """Two doses refer to plans; one of them says in which series the plan is."""
    for n in range(2):
        plan = ObjectRef(PLAN, uid(f"plan {n}"))
        write_object(folder / f"more/plan {n}.dcm", f"plan {n}", modality="RTPLAN",
                     sop_class=PLAN, series="plans")
        write_object(folder / f"more/dose {n}.dcm", f"dose {n}", modality="RTDOSE",
                     sop_class=DOSE, series="doses", ReferencedRTPlanSequence=[plan.item()])


CASES: list[tuple[str, Callable[[Path], object], Callable[[Path], int]]] = [
    # name, what there is besides the course, what is removed
    ("nothing", plain, remove()),
    ("a slice", plain, remove("CT/CT.0003.dcm")),
    ("the first slice", plain, remove("CT/CT.0001.dcm")),
    ("a series that others refer to", plain, remove("CT/*.dcm")),
    ("a plan that a dose refers to", plain, remove("RTPLAN/*.dcm")),
    ("a dose", plain, remove("RTDOSE/*.dcm")),
    ("a structure set with its stubs", remove("CT/*.dcm"), remove("RTSTRUCT/*.dcm")),
    ("a structure set that gives a frame", plain, remove("RTSTRUCT/*.dcm")),
    ("a registration", plain, remove("REG/*.dcm")),
    ("plan, dose and record", plain, remove("RT[PDR][LOE]*/*.dcm")),
    ("what supplied the values", plain, smallest),
    ("what supplied the values of several", with_descriptions, smallest),
    ("a whole series of two", with_descriptions, remove("more/[024].dcm")),
    ("all but the last", plain, remove("[A-QS-Z]*/*.dcm", "RT[A-QS-Z]*/*.dcm", "REG/*.dcm")),
    ("images that refer", with_references_of_images, remove("more/from 1.dcm")),
    ("all images that refer", with_references_of_images, remove("more/from*.dcm")),
    ("images that are referred to", with_references_of_images, remove("more/left [12].dcm")),
    ("images on both sides", with_references_of_images,
     remove("more/left 0.dcm", "more/from 0.dcm")),
    ("one patient of two", with_two_patients, remove("more/1.dcm")),
    ("the only one that says two patients", with_two_patients, remove("more/[13].dcm")),
    ("one study of two", with_two_patients, remove("more/3.dcm")),
    ("all of a patient", with_two_patients, remove("[A-Z]*/*.dcm")),
    ("plans", with_placed_plans, remove("more/plan*.dcm")),
    ("a plan and its dose", with_placed_plans, remove("more/plan 0.dcm", "more/dose 0.dcm")),
]


@pytest.mark.parametrize(("more", "gone", "batch"), [
    *(pytest.param(*c[1:], 2, id=f"{c[0]}, in batches of two") for c in CASES),
    *(pytest.param(*c[1:], 500, id=f"{c[0]}, in one batch") for c in CASES[1::4]),
])
def test_files_that_are_gone_leave_no_trace(
    graph: TestGraph, course: Path, more: Callable[[Path], object],
    gone: Callable[[Path], int], batch: int, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pruning, "BATCH", batch)
    monkeypatch.setattr(pruning, "PAGE", batch)
    more(course)
    read_in(graph, course)
    n = gone(course)
    assert prune_alone(graph, course) == Pruned(retired=n)
    found = graph.content()
    assert_same(found, in_one_run(graph, course))


def test_all_files_but_one_of_another_folder(graph: TestGraph, tmp_path: Path) -> None:
    write_course(tmp_path)
    write_object(tmp_path / "other.dcm", "other", patient="PAT-9", study="s", series="t")
    read_in(graph, tmp_path)
    shutil.rmtree(tmp_path / "patient-1")
    assert prune_alone(graph, tmp_path).retired == 12
    found = graph.content()
    assert_same(found, in_one_run(graph, tmp_path))
    assert graph.one("MATCH (p:Patient) RETURN count(p)") == 1


# --- copies --------------------------------------------------------------------------------------

def test_a_copy_takes_the_place_of_an_object(graph: TestGraph, course: Path) -> None:
    (course / "z").mkdir()
    shutil.copy(course / "RTPLAN/RTPLAN.0001.dcm", course / "z/plan.dcm")
    shutil.copy(course / "CT/CT.0002.dcm", course / "z/slice.dcm")
    other = dcmread(course / "z/slice.dcm")
    other.SeriesDescription = "of the copy"
    save(other, course / "z/slice.dcm")
    read_in(graph, course)
    remove("RTPLAN/*.dcm", "CT/CT.0002.dcm")(course)
    assert prune_alone(graph, course) == Pruned(taken_over=2)
    found = graph.content()
    assert_same(found, in_one_run(graph, course))


def test_copies_and_rejected_files_that_are_gone_are_forgotten(
    graph: TestGraph, course: Path
) -> None:
    shutil.copy(course / "RTPLAN/RTPLAN.0001.dcm", course / "z.dcm")
    (course / "notes.txt").write_text("no DICOM")
    (course / "kept.txt").write_text("no DICOM either")
    read_in(graph, course)
    remove("z.dcm", "notes.txt")(course)
    assert prune_alone(graph, course) == Pruned(files=2)
    assert graph.one("MATCH (f:File) RETURN f.path") == "r:kept.txt"
    found = graph.content()
    assert_same(found, in_one_run(graph, course))


# --- what is not at hand is not gone -------------------------------------------------------------

def test_only_what_is_below_the_given_folders_is_pruned(graph: TestGraph, course: Path) -> None:
    read_in(graph, course)
    remove("CT/CT.0003.dcm", "RTDOSE/*.dcm")(course)
    before = graph.one("MATCH (i:RTDose) RETURN count(i)")
    assert prune_alone(graph, course, course / "CT") == Pruned(retired=1)
    assert graph.one("MATCH (i:RTDose) RETURN count(i)") == before == 1
    assert prune_alone(graph, course) == Pruned(retired=1)


def test_a_folder_without_files_is_refused(graph: TestGraph, course: Path) -> None:
    read_in(graph, course)
    before = graph.content()
    remove("CT/*.dcm")(course)
    starts, roots = with_roots([course / "CT"], {"r": str(course)})
    with pytest.raises(UsageError, match="holds no file") as raised:
        graph.run(may_prune(graph.store, starts, roots))
    assert "mounted" in raised.value.hint
    assert_same(graph.content(), before)
    graph.run(may_prune(graph.store, [str(course)], roots))  # the folder above holds files
    (course / "empty").mkdir()
    graph.run(may_prune(graph.store, [str(course / "empty")], roots))  # nothing is known of it


@pytest.mark.parametrize("state", ["missing", "empty"])
def test_a_root_folder_that_is_not_mounted_keeps_its_objects(
    graph: TestGraph, tmp_path: Path, state: str
) -> None:
    write_object(tmp_path / "a/1.dcm", "one", series="a")
    write_object(tmp_path / "share/2.dcm", "two", series="b")
    shutil.copy(tmp_path / "a/1.dcm", tmp_path / "share/copy.dcm")
    settings = config.Settings(roots={"r": tmp_path, "share": tmp_path / "share"})
    graph.ingest(tmp_path, settings=settings)
    before = graph.content()
    write_object(tmp_path / "a/3.dcm", "three", series="a")
    (tmp_path / "a/1.dcm").unlink()
    shutil.rmtree(tmp_path / "share")
    if state == "empty":
        (tmp_path / "share").mkdir()
    done = Pruned()
    run = run_over(graph, {"r": str(tmp_path), "share": str(tmp_path / "share")})
    graph.run(prune(graph.store, [str(tmp_path)], run, done))
    graph.run(retire_forsaken(graph.store, run, done))
    assert done == Pruned(kept=2)  # the object there, and the one with a copy there
    graph.write("MATCH (i:Forsaken) REMOVE i:Forsaken")
    assert_same(graph.content(), before)


def test_a_file_that_cannot_be_looked_at_is_kept(graph: TestGraph, course: Path) -> None:
    if os.geteuid() == 0:
        (course / "CT").rename(course / "real")
        (course / "CT").symlink_to("CT")  # a loop: looking at what is below is an error
    else:
        (course / "CT").chmod(0)
    graph.wipe()
    try:
        write_object(course / "a.dcm", "a")
        read_in(graph, course, course / "a.dcm")
        graph.write("MATCH (i:Instance) SET i.file_path = 'r:CT/a.dcm'")
        assert prune_alone(graph, course) == Pruned(kept=1)
    finally:
        (course / "CT").chmod(0o755) if os.geteuid() else (course / "CT").unlink()
    graph.wipe()


FOLDERS = [
    # name              start        roots                                prefixes
    ("a root",          "/a",        {"r": "/a"},                         ["r:"]),
    ("below a root",    "/a/b",      {"r": "/a"},                         ["r:b/"]),
    ("above a root",    "/",         {"r": "/a"},                         ["r:"]),
    ("beside a root",   "/ab",       {"r": "/a"},                         []),
    ("a root inside",   "/a",        {"r": "/a", "s": "/a/b"},            ["r:", "s:"]),
    ("in both",         "/a/b/c",    {"r": "/a", "s": "/a/b"},            ["r:b/c/", "s:c/"]),
]


@pytest.mark.parametrize(("start", "roots", "expected"), [c[1:] for c in FOLDERS],
                         ids=[c[0] for c in FOLDERS])
def test_paths_below_a_folder(start: str, roots: dict[str, str], expected: Sequence[str]) -> None:
    assert below(start, Roots(roots)) == expected


# --- paths that hold another object --------------------------------------------------------------

def retire_pairs(graph: TestGraph, folder: Path, *pairs: tuple[str, str]) -> Pruned:
    done = Pruned()
    run = run_over(graph, {"r": str(folder)})
    graph.run(mark_forsaken(graph.store, pairs))
    graph.run(retire_forsaken(graph.store, run, done))
    graph.run(derive(graph.store))
    return done


def test_an_object_whose_path_holds_another_one_is_retired(
    graph: TestGraph, course: Path
) -> None:
    read_in(graph, course)
    path = course / "CT/CT.0002.dcm"
    old = str(dcmread(path).SOPInstanceUID)
    write_object(path, "other", series="other", frame="frame")
    read_in(graph, course)
    done = retire_pairs(graph, course, (old, "r:CT/CT.0002.dcm"), (old, "r:elsewhere.dcm"))
    assert done in (Pruned(retired=1), Pruned())  # the run itself may have done it
    found = graph.content()
    assert_same(found, in_one_run(graph, course))


def test_an_object_that_was_found_again_elsewhere_stays(graph: TestGraph, course: Path) -> None:
    """Files change places: each path holds another object, and none is lost."""
    one, two = course / "CT/CT.0002.dcm", course / "CT/CT.0003.dcm"
    uids = [str(dcmread(p).SOPInstanceUID) for p in (one, two)]
    read_in(graph, course)
    data = one.read_bytes(), two.read_bytes()
    one.write_bytes(data[1])
    two.write_bytes(data[0])
    graph.run(mark_forsaken(graph.store, [(uids[0], "r:CT/CT.0002.dcm"),
                                          (uids[1], "r:CT/CT.0003.dcm")]))
    read_in(graph, course)
    retire_pairs(graph, course)
    found = graph.content()
    assert_same(found, in_one_run(graph, course))


def test_a_copy_takes_over_where_the_path_holds_another_object(
    graph: TestGraph, course: Path
) -> None:
    path = course / "RTPLAN/RTPLAN.0001.dcm"
    plan = str(dcmread(path).SOPInstanceUID)
    shutil.copy(path, course / "z.dcm")
    read_in(graph, course)
    write_object(path, "other", series="other", frame="frame")
    read_in(graph, course)
    retire_pairs(graph, course, (plan, "r:RTPLAN/RTPLAN.0001.dcm"))
    found = graph.content()
    assert_same(found, in_one_run(graph, course))


def test_marks_of_a_run_that_was_killed_are_looked_at_again(
    graph: TestGraph, course: Path
) -> None:
    """Marked and gone is retired by the next run; marked and there is kept."""
    read_in(graph, course)
    remove("CT/CT.0003.dcm")(course)
    graph.write("MATCH (i:CTImage|RTPlan) SET i:Forsaken")
    assert retire_pairs(graph, course) == Pruned(retired=1)
    found = graph.content()
    assert_same(found, in_one_run(graph, course))


def test_what_is_pruned_comes_back_with_its_file(graph: TestGraph, course: Path) -> None:
    expected = in_one_run(graph, course)
    shutil.move(course / "RTPLAN", course.parent / "away")
    prune_alone(graph, course)
    shutil.move(course.parent / "away", course / "RTPLAN")
    assert read_in(graph, course).progress.states[State.INDEXED] == 1
    assert_same(graph.content(), expected)
