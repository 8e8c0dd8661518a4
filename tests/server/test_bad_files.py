"""One folder with every kind of bad file: each ends in its state, and nothing else is lost."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, MediaStorageDirectoryStorage

from rtgraph.ingest.records import State
from rtgraph.ingest.runs import Summary
from tests.data.small import uid, write_object
from tests.server.conftest import TestGraph, check_invariants

pytestmark = pytest.mark.server
HOSTILE = "<script>alert(1)</script>\x1b[31m[/red]\x00=1+1"


class Case(NamedTuple):
    """A file, how it is made of a good one, and how it must end: None is INDEXED."""

    name: str
    make: Callable[[Path], object]
    reason: str | None
    patient: str = "PAT-1"


def edited(**elements: object) -> Callable[[Path], None]:
    """Set elements of the good object; None deletes, "" empties."""

    def make(path: Path) -> None:
        write_object(path, path.stem, series=path.stem)
        ds = dcmread(path)
        for keyword, value in elements.items():
            if value is None:
                delattr(ds, keyword)
            else:
                setattr(ds, keyword, value)
        dcmwrite(path, ds, enforce_file_format=False)

    return make


def raw(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Change the bytes of the good object."""

    def make(path: Path) -> None:
        write_object(path, path.stem, series=path.stem)
        path.write_bytes(change(path.read_bytes()))

    return make


def no_preamble(path: Path) -> None:
    write_object(path, path.stem, series=path.stem)
    ds = dcmread(path)
    stream = DicomBytesIO()
    bare = Dataset(dict(ds.items()))
    dcmwrite(stream, bare, implicit_vr=True, little_endian=True, enforce_file_format=False)
    path.write_bytes(stream.getvalue())


def big_endian(path: Path) -> None:
    write_object(path, path.stem, series=path.stem)
    ds = dcmread(path)
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dcmwrite(path, ds, implicit_vr=False, little_endian=False)


def implicit(path: Path) -> None:
    write_object(path, path.stem, series=path.stem)
    ds = dcmread(path)
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dcmwrite(path, ds, implicit_vr=True, little_endian=True)


def directory(path: Path) -> None:
    write_object(path, path.stem, series=path.stem)
    ds = dcmread(path)
    ds.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    dcmwrite(path, ds)


CASES = [
    Case("good", edited(), None),
    Case("no SOP instance", edited(SOPInstanceUID=None), "NO_SOP_INSTANCE_UID"),
    Case("empty SOP instance", edited(SOPInstanceUID=""), "NO_SOP_INSTANCE_UID"),
    Case("no SOP class", edited(SOPClassUID=None), "NO_SOP_CLASS_UID"),
    Case("no study", edited(StudyInstanceUID=None), "NO_STUDY_INSTANCE_UID"),
    Case("no series", edited(SeriesInstanceUID=None), "NO_SERIES_INSTANCE_UID"),
    Case("no patient", edited(PatientID=None, StudyInstanceUID=uid("of nobody")), None),
    Case("empty patient", edited(PatientID="", StudyInstanceUID=uid("of nobody else")), None),
    Case("no modality", edited(Modality=None), None),
    Case("hostile text", edited(SeriesDescription=HOSTILE), None),
    Case("two names", edited(PatientName=["A^B", "C^D"]), None),
    Case("no preamble", no_preamble, None),
    Case("big endian", big_endian, None),
    Case("implicit", implicit, None),
    Case("empty file", lambda p: p.write_bytes(b""), "EMPTY_FILE"),
    Case("text", lambda p: p.write_text("a letter"), "NOT_DICOM"),
    Case("noise", lambda p: p.write_bytes(bytes(range(7, 256)) * 9), "NOT_DICOM"),
    Case("preamble only", lambda p: p.write_bytes(bytes(128) + b"DICM"), "NO_DATA_SET"),
    Case("cut in the identity", raw(lambda b: b[:b.index(b"SMALL^ONE")]), "TRUNCATED"),
    Case("cut behind the identity", raw(lambda b: b[:-3]), None),
    Case("directory", directory, "NOT_AN_OBJECT"),
]
BY_NAME = {c.name: c for c in CASES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("Müller^Hans #1 [x]")
    for case in CASES:
        case.make(folder / f"{case.name}.dcm")
    bad_name = os.fsencode(folder) + b"/z\xff\xfe.dcm"
    with open(bad_name, "wb") as out:
        out.write((folder / "good.dcm").read_bytes())
    return folder


@pytest.fixture(scope="module")
def run(session_graph: TestGraph, folder: Path) -> Iterator[tuple[TestGraph, Summary]]:
    session_graph.wipe()
    rejects = folder.parent / "bad-rejects.jsonl"
    yield session_graph, session_graph.ingest(folder, rejects_file=rejects)
    check_invariants(session_graph)


def test_counts_add_up(run: tuple[TestGraph, Summary]) -> None:
    _, summary = run
    states = summary.progress.states
    assert summary.n_files == len(CASES) + 1 == states.total()
    assert states[State.INDEXED] == sum(c.reason is None for c in CASES)
    assert states[State.DUPLICATE] == 1  # the file whose name is no UTF-8
    assert states[State.REJECTED] == sum(c.reason is not None for c in CASES)
    assert summary.progress.reasons.total() == states[State.REJECTED]


@pytest.mark.parametrize("name", BY_NAME)
def test_file_ends_in_its_state(run: tuple[TestGraph, Summary], name: str) -> None:
    graph, _ = run
    case = BY_NAME[name]
    rows = graph.read(
        "MATCH (n) WHERE n.file_path ENDS WITH $end OR n.path ENDS WITH $end "
        "RETURN labels(n) AS labels, n.reason AS reason", end=f"/{name}.dcm")
    rows = rows or graph.read(
        "MATCH (n) WHERE n.file_path ENDS WITH $end OR n.path ENDS WITH $end "
        "RETURN labels(n) AS labels, n.reason AS reason", end=f":{name}.dcm")
    (row,) = rows
    assert ("Instance" in row["labels"]) == (case.reason is None)
    assert row["reason"] == case.reason


def test_patients_without_an_id_are_told_apart_by_study(run: tuple[TestGraph, Summary]) -> None:
    graph, _ = run
    keys = graph.one("MATCH (p:Patient) WHERE p.PatientID IS NULL RETURN collect(p.patient_key)")
    assert len(set(keys)) == 2
    issues = graph.read("MATCH (x:Issue {rule: 'VAL-01', keyword: 'PatientID'})-[:ABOUT]->(s) "
                        "RETURN x.reason AS reason, x.count AS n")
    assert issues == [{"reason": "EMPTY", "n": 1}] * 2


def test_labels_follow_the_class_where_modality_is_missing(
    run: tuple[TestGraph, Summary]
) -> None:
    graph, _ = run
    (row,) = graph.read("MATCH (s:Series)-[:HAS_INSTANCE]->(i) WHERE i.file_path ENDS WITH $end "
                        "RETURN labels(s) AS s, labels(i) AS i, s.layer AS layer",
                        end="no modality.dcm")
    assert set(row["s"]) == {"Series", "CTSeries"}
    assert set(row["i"]) == {"Instance", "Image", "CTImage"}
    assert row["layer"] == 0


def test_hostile_text_is_kept_without_control_characters(run: tuple[TestGraph, Summary]) -> None:
    graph, _ = run
    text = graph.one("MATCH (s:Series) WHERE s.SeriesDescription STARTS WITH '<script>' "
                     "RETURN s.SeriesDescription")
    assert text == "<script>alert(1)</script>[31m[/red]=1+1"


def test_a_cut_object_is_marked(run: tuple[TestGraph, Summary]) -> None:
    graph, _ = run
    paths = graph.one("MATCH (i:Instance {truncated: true}) RETURN collect(i.file_path)")
    assert [p.rpartition(":")[2] for p in paths] == ["cut behind the identity.dcm"]


def test_the_reject_list_is_private_and_names_each_file(
    run: tuple[TestGraph, Summary], folder: Path
) -> None:
    _, summary = run
    path = folder.parent / "bad-rejects.jsonl"
    assert summary.rejects_file == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {(Path(r["path"]).stem, r["reason"]) for r in lines} == {
        (c.name, c.reason) for c in CASES if c.reason}
    assert all(set(r) == {"path", "reason", "detail"} for r in lines)
    assert "SMALL" not in path.read_text(encoding="utf-8")


def test_twice_changes_nothing(run: tuple[TestGraph, Summary], folder: Path) -> None:
    graph, first = run
    again = graph.ingest(folder)
    assert again.unchanged
    assert again.progress.states[State.UNCHANGED] == first.n_files


@pytest.mark.parametrize("prepare", [
    pytest.param(lambda folder: None, id="empty folder"),
    pytest.param(lambda folder: (folder / "notes.txt").write_text("no DICOM"), id="no DICOM"),
])
def test_folders_without_dicom_leave_an_empty_graph(
    graph: TestGraph, tmp_path: Path, prepare: Callable[[Path], object]
) -> None:
    prepare(tmp_path)
    summary = graph.ingest(tmp_path)
    assert summary.state == "DONE"
    assert summary.n_files == len(list(tmp_path.iterdir()))
    assert graph.one("MATCH (n:Patient|Study|Series|Instance) RETURN count(n)") == 0


def test_a_file_that_vanishes_or_cannot_be_read_costs_itself_only(
    graph: TestGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "gone", "locked", "z"):
        write_object(tmp_path / f"{name}.dcm", name)
    whole = os.open

    def failing(file: Any, *args: Any, **options: Any) -> int:
        if str(file).endswith("gone.dcm"):
            (tmp_path / "gone.dcm").unlink(missing_ok=True)
        if str(file).endswith("locked.dcm"):
            raise PermissionError(13, "Permission denied")
        return whole(file, *args, **options)

    monkeypatch.setattr(os, "open", failing)
    summary = graph.ingest(tmp_path)
    monkeypatch.undo()
    assert summary.progress.states == {State.INDEXED: 2, State.REJECTED: 2}
    assert summary.progress.reasons == {"UNREADABLE": 2}
    # what could not be read is tried again, and heals
    again = graph.ingest(tmp_path)
    assert again.progress.states[State.INDEXED] == 1
    assert graph.read("MATCH (f:File) WHERE f.path ENDS WITH 'locked.dcm' RETURN f") == []
