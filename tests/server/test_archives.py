"""Zip archives and DICOMDIR: the graph is that of the files in them, whatever they came in."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rtgraph.ingest import opening
from rtgraph.ingest.records import State
from tests.data import archives
from tests.data.archives import with_field, write_directory, zip_of, zipped
from tests.data.small import uid, write_course, write_object
from tests.server.conftest import TestGraph
from tests.server.test_ingest import Content, assert_same, edit, in_one_run, read_in

pytestmark = pytest.mark.server
N = 12


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of twelve files; see `write_course`."""
    write_course(tmp_path / "written")
    return tmp_path / "written/patient-1"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """An empty folder, for what is given to ingest."""
    (tmp_path / "base").mkdir()
    return tmp_path / "base"


def at(time: int, *paths: Path) -> None:
    """Give files a time, in seconds."""
    for path in paths:
        os.utime(path, (time, time))


def files_of(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def unpacked(content: Content) -> Content:
    """The content as if the members of `patient-1.zip` were in a folder `patient-1`."""
    nodes, edges = ([line.replace("patient-1.zip!/", "patient-1/") for line in lines]
                    for lines in content)
    return sorted(nodes), sorted(edges)


def plan_of(course: Path) -> Path:
    (plan,) = course.glob("RTPLAN/*")
    return plan


# --- archives ------------------------------------------------------------------------------------

def test_an_archive_gives_the_graph_of_its_files(
    graph: TestGraph, course: Path, base: Path
) -> None:
    at(1_700_000_000, *files_of(course))
    shutil.copytree(course, base / "patient-1")
    expected = in_one_run(graph, base)
    shutil.rmtree(base / "patient-1")
    at(1_700_000_000, zipped(course, base / "patient-1.zip"))

    graph.wipe()
    summary = read_in(graph, base, jobs=2)
    assert summary.progress.states == {State.INDEXED: N}
    assert_same(unpacked(graph.content()), expected)
    paths = graph.read("MATCH (i:Instance) WHERE NOT i:Missing RETURN i.file_path AS path")
    assert {r["path"] for r in paths} == {
        f"r:patient-1.zip!/{p.relative_to(course).as_posix()}" for p in files_of(course)}


def test_an_archive_that_was_read_is_unchanged(
    graph: TestGraph, course: Path, base: Path
) -> None:
    zipped(course, base / "patient-1.zip")
    expected = in_one_run(graph, base)
    summary = read_in(graph, base, base / "patient-1.zip")
    assert summary.progress.states == {State.UNCHANGED: N}
    assert summary.unchanged
    assert_same(graph.content(), expected)
    assert read_in(graph, base, full=True).progress.states == {State.INDEXED: N}
    assert_same(graph.content(), expected)


def test_a_replaced_archive_is_followed(graph: TestGraph, course: Path, base: Path) -> None:
    """Also where a member keeps its name and size."""
    archive = zipped(course, base / "patient-1.zip")
    at(1_700_000_000, archive)
    read_in(graph, base)
    plan = plan_of(course)
    size, label = plan.stat().st_size, graph.one("MATCH (p:RTPlan) RETURN p.RTPlanLabel")
    edit(plan, lambda ds: setattr(ds, "RTPlanLabel", "X" * len(label)))
    assert plan.stat().st_size == size
    zipped(course, archive)
    at(1_700_000_001, archive)
    read_in(graph, base)
    assert graph.one("MATCH (p:RTPlan) RETURN p.RTPlanLabel") == "X" * len(label)
    assert_same(graph.content(), in_one_run(graph, base))


def pack(course: Path, base: Path) -> None:
    shutil.rmtree(base / "patient-1")
    zipped(course, base / "patient-1.zip")


def unpack(course: Path, base: Path) -> None:
    (base / "patient-1.zip").unlink()
    shutil.copytree(course, base / "patient-1")


def spread(course: Path, base: Path) -> None:
    (base / "patient-1.zip").unlink()
    for path in files_of(course):
        zip_of(base / f"{path.stem}.zip", (path.name, path.read_bytes()))


MOVES: list[tuple[str, bool, Callable[[Path, Path], None]]] = [
    # name                        archive first?  what happens
    ("folder into an archive",    False,          pack),
    ("archive into a folder",     True,           unpack),
    ("archive into archives",     True,           spread),
]


@pytest.mark.parametrize(("first", "move"), [m[1:] for m in MOVES], ids=[m[0] for m in MOVES])
def test_files_that_move_out_of_archives_or_into_them(
    graph: TestGraph, course: Path, base: Path, first: bool, move: Callable[[Path, Path], None]
) -> None:
    if first:
        zipped(course, base / "patient-1.zip")
    else:
        shutil.copytree(course, base / "patient-1")
    read_in(graph, base)
    move(course, base)
    summary = read_in(graph, base)
    assert summary.progress.states == {State.INDEXED: N}
    assert_same(graph.content(), in_one_run(graph, base))


@pytest.mark.parametrize("order", [("a", "b.zip"), ("b.zip", "a")], ids=["folder", "archive"])
@pytest.mark.parametrize("state", [State.DUPLICATE, State.CONFLICT])
def test_an_object_in_an_archive_and_in_a_folder(
    graph: TestGraph, base: Path, order: tuple[str, ...], state: State
) -> None:
    """The smallest path is the object, and data sets are compared in full, in either order."""
    (base / "a").mkdir()
    write_object(base / "a/x", "x", SeriesDescription="one")
    zipped(base / "a", base / "b.zip")
    if state is State.CONFLICT:
        edit(base / "a/x", lambda ds: setattr(ds, "SeriesDescription", "two"))
    expected = in_one_run(graph, base)
    graph.wipe()
    states = [read_in(graph, base, base / name).progress.states for name in order]
    assert_same(graph.content(), expected)
    assert graph.one("MATCH (i:Instance) RETURN i.file_path") == "r:a/x"
    (copy,) = graph.read("MATCH (:Instance)-[:STORED_AS]->(f:File) RETURN f.path AS path")
    assert copy["path"] == "r:b.zip!/x"
    if order[0] == "a":
        assert states == [{State.INDEXED: 1}, {state: 1}]


def test_a_copy_in_an_archive_is_read_when_the_object_is_gone(
    graph: TestGraph, base: Path
) -> None:
    for name in "ac":
        (base / name).mkdir()
        write_object(base / f"{name}/x", "x", SeriesDescription=name)
    zip_of(base / "b.zip", ("x", (base / "a/x").read_bytes()))
    read_in(graph, base, base / "a", base / "b.zip")
    (base / "a/x").unlink()
    read_in(graph, base, base / "c")
    assert graph.one("MATCH (i:Instance) RETURN i.file_path") == "r:b.zip!/x"
    assert_same(graph.content(), in_one_run(graph, base))


@pytest.mark.parametrize("change", [
    lambda archive: archive.unlink(),
    lambda archive: zip_of(archive, ("other", b"")),
], ids=["archive gone", "member gone"])
def test_a_member_that_is_gone_is_no_copy(
    graph: TestGraph, base: Path, change: Callable[[Path], object]
) -> None:
    write_object(base / "z", "x")
    archive = zip_of(base / "a.zip", ("x", (base / "z").read_bytes()))
    read_in(graph, base, archive)
    change(archive)
    summary = read_in(graph, base, base / "z")
    assert summary.progress.states == {State.INDEXED: 1}
    assert graph.one("MATCH (i:Instance) RETURN i.file_path") == "r:z"
    assert graph.read("MATCH (:Instance)-[:STORED_AS]->(f:File) RETURN f") == []


def test_whatever_is_wrong_with_an_archive_costs_nothing_else(
    graph: TestGraph, tmp_path: Path, base: Path
) -> None:
    raw = write_object(tmp_path / "x", "x").read_bytes()
    other = write_object(tmp_path / "y", "y").read_bytes()
    encrypted = zip_of(base / "encrypted.zip", ("secret", raw), ("y", other))
    encrypted.write_bytes(with_field(encrypted.read_bytes(), archives.FLAGS, 1, 2))
    cut = zip_of(base / "cut.zip", ("x", raw))
    cut.write_bytes(cut.read_bytes()[:-30])
    inner = zip_of(tmp_path / "inner.zip", ("x", raw)).read_bytes()
    zip_of(base / "good.ZIP", ("../../x", raw), ("folder/", b""), ("__MACOSX/._x", b"junk"),
           ("readme.txt", b"text" * 50), ("inner.zip", inner), ("empty", b""))
    (base / "none.zip").write_bytes(b"text" * 50)

    rejects = tmp_path / "rejects.jsonl"
    summary = read_in(graph, base, rejects_file=rejects)
    assert summary.progress.states == {State.INDEXED: 2, State.REJECTED: 6}
    assert summary.n_files == 8
    lines = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert sorted((os.path.relpath(r["path"], base), r["reason"]) for r in lines) == [
        ("cut.zip", "UNREADABLE"), ("encrypted.zip!/secret", "UNREADABLE"),
        ("good.ZIP!/empty", "EMPTY_FILE"), ("good.ZIP!/inner.zip", "NOT_DICOM"),
        ("good.ZIP!/readme.txt", "NOT_DICOM"), ("none.zip", "NOT_DICOM")]
    assert not any("secret" in r["detail"] or "zip" in r["detail"].lower() for r in lines)
    paths = graph.read("MATCH (i:Instance) RETURN i.SOPInstanceUID AS uid, i.file_path AS path")
    assert {(r["uid"], r["path"]) for r in paths} == {
        (uid("x"), "r:good.ZIP!/../../x"), (uid("y"), "r:encrypted.zip!/y")}
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "base", "inner.zip", "rejects.jsonl", "x", "y"]

    before = graph.content()
    again = read_in(graph, base)
    assert again.unchanged
    assert again.n_files == 8
    assert_same(graph.content(), before)


@pytest.mark.parametrize("inside", ["an object", "text"])
def test_what_was_unreadable_and_is_sound_now_is_no_reject(
    graph: TestGraph, tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    raw = write_object(tmp_path / "x", "x").read_bytes() if inside == "an object" else b"text" * 50
    archive = zip_of(base / "a.zip", ("x", raw))
    sound = archive.read_bytes()
    archive.write_bytes(sound[:-30])
    (base / "folder").mkdir()
    (base / "folder/notes").write_bytes(b"text")
    whole = os.scandir

    def refusing(folder: Any) -> Any:
        if str(folder).endswith("folder"):
            raise PermissionError(13, "Permission denied")
        return whole(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    read_in(graph, base)
    monkeypatch.undo()
    files = "MATCH (f:File) RETURN collect(f.path)"
    assert sorted(graph.one(files)) == ["r:a.zip", "r:folder/"]

    archive.write_bytes(sound)
    read_in(graph, base)
    assert not {"r:a.zip", "r:folder/"} & set(graph.one(files))
    found = graph.content()
    assert_same(found, in_one_run(graph, base))


# --- DICOMDIR ------------------------------------------------------------------------------------

@pytest.mark.parametrize("in_archive", [False, True], ids=["folder", "archive"])
def test_the_files_of_a_directory_are_objects_and_it_is_none(
    graph: TestGraph, course: Path, tmp_path: Path, base: Path, in_archive: bool
) -> None:
    media = base / "media"
    for path in files_of(course):
        edit(path, lambda ds: setattr(ds, "StudyID", "1"))  # a directory must state it
    directory = write_directory(files_of(course), media)
    wanted = {p.relative_to(media).as_posix() for p in files_of(media)} - {directory.name}
    assert len(wanted) == N
    prefix = "r:media/"
    if in_archive:
        zipped(media, base / "media.zip")
        shutil.rmtree(media)
        prefix = "r:media.zip!/"

    summary = read_in(graph, base, rejects_file=tmp_path / "rejects.jsonl")
    assert summary.progress.states == {State.INDEXED: N, State.REJECTED: 1}
    (line,) = (tmp_path / "rejects.jsonl").read_text().splitlines()
    assert json.loads(line)["reason"] == "NOT_AN_OBJECT"
    rows = graph.read("MATCH (i:Instance) WHERE NOT i:Missing RETURN i.file_path AS path")
    assert sorted(r["path"] for r in rows) == sorted(prefix + name for name in wanted)
    assert graph.one("MATCH (f:File) RETURN f.path") == f"{prefix}DICOMDIR"

    before = graph.content()
    again = read_in(graph, base)
    assert again.progress.states == {State.UNCHANGED: N + 1}
    assert_same(graph.content(), before)


def teardown_function() -> None:
    opening.close()
