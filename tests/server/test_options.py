"""Options of an ingest, as a user types them: what is read, left out, tried again, and told."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from rtgraph import config
from rtgraph.errors import TooManyRejects, UsageError
from rtgraph.ingest.filters import Modalities
from rtgraph.ingest.pipeline import Options, Progress
from rtgraph.ingest.prune import Pruned
from rtgraph.ingest.records import State
from rtgraph.ingest.rejected import RejectLimit
from rtgraph.ingest.runs import run_ingest
from tests.command import Ended
from tests.data.small import write_course, write_object
from tests.server.conftest import Call, TestGraph

pytestmark = pytest.mark.server
CANARY = "KANARIENVOGEL"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of twelve files; see `write_course`."""
    write_course(tmp_path / "dicom")
    return tmp_path / "dicom/patient-1"


def events(done: Ended) -> list[dict[str, object]]:
    """The lines of JSON on stderr."""
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def rejects(path: Path) -> list[str]:
    return [json.loads(line)["path"] for line in path.read_text().splitlines()]


# --- what is left out ----------------------------------------------------------------------------

def test_modalities_are_left_out_and_taken_later(graph: TestGraph, course: Path) -> None:
    only = graph.ingest(course, modalities=Modalities(frozenset({"RTPLAN", "CT"})))
    assert only.progress.states == {State.INDEXED: 7, State.EXCLUDED: 5}
    without = graph.ingest(course, modalities=Modalities(without=frozenset({"REG"})))
    assert without.progress.states == {
        State.INDEXED: 4, State.UNCHANGED: 7, State.EXCLUDED: 1}
    assert graph.ingest(course).progress.states == {State.INDEXED: 1, State.UNCHANGED: 11}


def test_filters_of_the_command_line(call: Call, graph: TestGraph, course: Path) -> None:
    done = call("ingest", course, "-m", "ct", "--modality", "RTPLAN", "--exclude-modality", "ct")
    assert "1 indexed · 11 excluded" in done.stdout
    assert graph.one("MATCH (i:Instance) WHERE NOT i:Missing RETURN collect(i.Modality)") == [
        "RTPLAN"]


# --- files that are gone -------------------------------------------------------------------------

def test_prune_is_asked_for(call: Call, graph: TestGraph, course: Path) -> None:
    call("ingest", course)
    (course / "CT/CT.0003.dcm").unlink()
    (course / "RTDOSE/RTDOSE.0001.dcm").unlink()
    assert "gone " not in call("ingest", course).stdout
    done = call("ingest", course, "--prune")
    assert "10 unchanged" in done.stdout
    assert "gone     2 retired\n" in done.stdout
    assert "0 changes" not in done.stdout
    assert graph.one("MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i)") == 10
    assert "0 changes" in call("ingest", course, "--prune").stdout


def test_a_folder_that_is_not_mounted_is_not_pruned(
    call: Call, graph: TestGraph, course: Path
) -> None:
    call("ingest", course)
    before = graph.content()
    shutil.rmtree(course / "CT")
    (course / "CT").mkdir()
    refused = call("ingest", course / "CT", "--prune", code=2)
    assert "Is it mounted?" in refused.stderr
    assert graph.content() == before
    assert graph.one("MATCH (r:IngestRun {state: 'FAILED'}) RETURN count(r)") == 1
    shutil.rmtree(course / "CT")
    call("ingest", course / "CT", "--prune", code=2)
    assert graph.content() == before
    assert "retired" in call("ingest", course, "--prune").stdout


def test_a_moved_file_is_not_pruned(graph: TestGraph, course: Path) -> None:
    settings = config.Settings(roots={"r": course})
    graph.ingest(course, settings=settings)
    (course / "z").mkdir()
    (course / "RTPLAN/RTPLAN.0001.dcm").rename(course / "z/plan.dcm")
    summary = graph.ingest(course, settings=settings, prune=True)
    assert summary.progress.pruned == Pruned()
    assert graph.one("MATCH (i:RTPlan) RETURN i.file_path") == "r:z/plan.dcm"


def test_an_archive_that_moved_is_one_changed_line(
    call: Call, graph: TestGraph, course: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "work/rtgraph.toml"
    settings.write_text(f"[roots]\narchive = '{course}'\n")
    call("ingest", course)
    before = graph.content()
    moved = Path(shutil.move(course, tmp_path / "elsewhere"))
    settings.write_text(f"[roots]\narchive = '{moved}'\n")
    assert "12 unchanged" in call("ingest", moved).stdout
    assert graph.content() == before
    assert graph.read("MATCH (r:Root) RETURN r.name AS name, r.path AS path") == [
        {"name": "archive", "path": str(moved)}]


# --- rejected files ------------------------------------------------------------------------------

def test_a_list_is_tried_again(call: Call, graph: TestGraph, course: Path, tmp_path: Path) -> None:
    listed = tmp_path / "work/rejects.jsonl"
    plan, away = course / "RTPLAN/RTPLAN.0001.dcm", tmp_path / "away"
    whole = plan.read_bytes()
    plan.write_bytes(whole[:100])
    for name in ("notes.txt", "letter.txt", "gone.txt"):
        (course / name).write_text("no DICOM")
    with zipfile.ZipFile(course / "more.zip", "w") as archive:
        archive.write(write_object(away / "a.dcm", "a", series="a"), "a.dcm")
        archive.writestr("b.txt", "no DICOM")
    done = call("ingest", course)
    assert "→ rejects.jsonl, lines 1 to 5\n" in done.stdout
    assert len(rejects(listed)) == 5

    plan.write_bytes(whole)
    (course / "gone.txt").unlink()
    write_object(course / "letter.txt", "letter", series="a")
    again = call("ingest", "--from", "rejects.jsonl")
    assert "1 files of the list are gone." in again.stderr
    assert "files    4: 2 indexed · 2 rejected\n" in again.stdout
    assert rejects(listed) == [f"{course}/more.zip!/b.txt", f"{course}/notes.txt"]
    assert graph.one("MATCH (i:RTPlan) WHERE NOT i:Missing RETURN count(i)") == 1

    (course / "notes.txt").unlink()
    with zipfile.ZipFile(course / "more.zip", "w") as archive:
        archive.write(away / "a.dcm", "b.txt")
    call("ingest", "--from", "rejects.jsonl")
    assert not listed.exists()
    assert "No such file" in call("ingest", "--from", "rejects.jsonl", code=2).stderr


def test_another_list_than_that_of_the_run_stays(call: Call, course: Path, tmp_path: Path) -> None:
    (course / "notes.txt").write_text("no DICOM")
    call("ingest", course, "--rejects", "first.jsonl")
    call("ingest", "--from", "first.jsonl", "--rejects", "second.jsonl")
    for name in ("first", "second"):
        assert rejects(tmp_path / f"work/{name}.jsonl") == [str(course / "notes.txt")]


WRONG = [
    # name                words                                      message
    ("no paths",          ["ingest"],                                "No path is given"),
    ("paths and list",    ["ingest", ".", "--from", "x"],            "names the files itself"),
    ("list and prune",    ["ingest", "--from", "x", "--prune"],      "names the files itself"),
    ("no list",           ["ingest", "--from", "notes"],             "Line 1 of the list"),
    ("no limit",          ["ingest", ".", "--max-rejects", "some"],  "--max-rejects is a number"),
    ("no attribute",      ["ingest", ".", "--tags", "notes"],        "Did you mean RescaleType?"),
    ("no batch",          ["ingest", ".", "--batch", "0"],           "--batch"),
    ("no format",         ["ingest", ".", "--log-format", "xml"],    "--log-format"),
]


@pytest.mark.parametrize(("words", "message"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_mistakes(call: Call, tmp_path: Path, words: list[str], message: str) -> None:
    (tmp_path / "work/notes").write_text("RescaleTipe\n")
    assert message in call(*words, code=2).stderr


def test_too_many_rejects_stop_the_run(graph: TestGraph, course: Path) -> None:
    for n in range(5):
        (course / f"{n}.txt").write_text("no DICOM")
    with pytest.raises(TooManyRejects, match="More than 4 of the files"):
        graph.ingest(course, limit=RejectLimit(4))
    assert graph.one("MATCH (r:IngestRun) RETURN r.state") == "STOPPED"
    assert graph.one("MATCH (f:File {status: 'NOT_DICOM'}) RETURN count(f)") == 5  # all was noted
    assert graph.ingest(course, limit=RejectLimit(5)).state == "DONE"
    # what was rejected before and has not changed counts as well
    with pytest.raises(TooManyRejects):
        graph.ingest(course, limit=RejectLimit(4))
    assert graph.ingest(course).progress.states == {State.UNCHANGED: 17}


def test_a_share_is_judged_after_a_hundred_files(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    for n in range(99):
        (folder / f"{n}.txt").write_text("no DICOM")
    assert "99 rejected" in call("ingest", folder, "--max-rejects", "50%").stdout
    (folder / "one more.txt").write_text("no DICOM")
    stopped = call("ingest", folder, "--max-rejects", "50 %", code=1)
    assert "More than 50 % of the files are no DICOM objects: 100 of 100" in stopped.stderr
    assert str(folder) not in stopped.stderr
    call("ingest", folder)


# --- what is said --------------------------------------------------------------------------------

def test_json_lines_hold_counts_and_no_paths(call: Call, course: Path) -> None:
    (course / f"{CANARY}.txt").write_text("no DICOM")
    done = call("ingest", course, "--log-format", "json")
    said = events(done)
    assert {e["event"] for e in said} == {"progress", "rejected", "end"}
    assert {e["schema_version"] for e in said} == {1}
    assert [(e["line"], e["reason"]) for e in said if e["event"] == "rejected"] == [
        (1, "NOT_DICOM")]
    end = said[-1]
    assert (end["files"], end["states"], end["state"]) == (
        13, {"INDEXED": 12, "REJECTED": 1}, "DONE")
    assert end["reasons"] == {"NOT_DICOM": 1}
    assert end["counts"]["instances"] == 12  # type: ignore[index]
    assert CANARY not in done.stderr + done.stdout
    scanned = events(call("scan", course, "--log-format", "json"))
    assert scanned[-1]["states"] == end["states"]


def test_paths_are_shown_on_request_only(call: Call, course: Path) -> None:
    for n, words in enumerate(([], ["--log-identifiers"],
                               ["--log-identifiers", "--log-format", "json"])):
        (course / f"{CANARY} {n}.txt").write_text("no DICOM")
        said = call("ingest", course, *words).stderr
        assert (CANARY in said) is bool(words)
    assert f"rejected line 2: NOT_DICOM {course}/{CANARY} 1.txt" in call(
        "ingest", course, "--full", "--log-identifiers", "--rejects", "new.jsonl").stderr


def test_settings_of_a_run_are_options(call: Call, graph: TestGraph, course: Path) -> None:
    call("ingest", course, "--writers", 3, "--batch", 7, "--patience", 1, "--jobs", 1)
    options = json.loads(graph.one("MATCH (r:IngestRun) RETURN r.options"))
    assert (options["writers"], options["batch"]) == (3, 7)
    assert "dask://" in call("ingest", course, "--executor", "somewhere", code=2).stderr


# --- attributes of the user ----------------------------------------------------------------------

def test_new_attributes_are_told(
    call: Call, graph: TestGraph, course: Path, tmp_path: Path
) -> None:
    call("ingest", course)
    (tmp_path / "work/tags").write_text("RescaleType\n# a comment\n")
    done = call("ingest", course, "--tags", "tags")
    assert "new: RescaleType. Unchanged files were skipped" in done.stdout
    assert graph.one("MATCH (s:Schema) RETURN s.user_tags") == ["RescaleType"]
    assert "RescaleType" not in call("ingest", course, "--tags", "tags").stdout
    graph.write("MATCH (s:Schema) REMOVE s.user_tags")


def test_the_graph_knows_attributes_once(graph: TestGraph, course: Path) -> None:
    from rtgraph.ingest.tags import parse_line

    def ingest(*lines: str) -> tuple[str, ...]:
        progress = Progress()
        tags = [parse_line(line, 1) for line in lines]
        graph.run(run_ingest(graph.store, [course], config.Settings(), options=Options(),
                             progress=progress, jobs=1, tags=tags))
        return progress.fresh_tags

    try:
        assert ingest('(0029,xx10) "A" LO n', "CTDIvol") == ("priv_A_n", "CTDIvol")
        assert ingest("CTDIvol") == ()
        with pytest.raises(UsageError, match="another tag or VR"):
            ingest('(0029,xx11) "A" LO n')
    finally:
        graph.write("MATCH (s:Schema) REMOVE s.user_tags")
