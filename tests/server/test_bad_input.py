"""Bad input: each file ends in one state with the right reason, and nothing else is lost.

All bad files lie in one folder that is ingested once; each has a patient, study and series of its
own, so that a case cannot hide another one. features.md section 6 says what must happen.
"""

import builtins
import json
import os
import random
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom import uid as uids
from pydicom.dataset import FileMetaDataset

from rtgraph import config
from rtgraph.demo.objects import ObjectRef, fill, item
from rtgraph.ingest import pipeline
from rtgraph.ingest.parse import parse_many
from rtgraph.ingest.records import Found, Instance, Rejected, State
from rtgraph.ingest.runs import Summary
from tests.data.small import encoded, new, uid, with_value, without_meta, write_object
from tests.server.conftest import TestGraph, check_invariants

pytestmark = pytest.mark.server

CANARY = "CANARY"  # in every identifier and text of a patient, never in the list of rejects
DIRECTORY = fill(Dataset(), FileSetID="SET", DirectoryRecordSequence=[])
DIRECTORY.file_meta = fill(FileMetaDataset(), MediaStorageSOPInstanceUID="1.2.3",
                           MediaStorageSOPClassUID=uids.MediaStorageDirectoryStorage)


def whole(name: str, **of: Any) -> Dataset:
    """A sound image with pixels, alone in its series, study and patient."""
    return new(name, **{
        "patient": f"{CANARY} {name}"[:64], "study": f"{name} study", "series": f"{name} series",
        "frame": f"{name} frame", "StudyDescription": CANARY, "Rows": 4, "Columns": 4,
        "SliceThickness": "3", "KVP": "120", "ReferencedImageSequence": [
            ObjectRef(uids.CTImageStorage, uid(f"{name} localizer")).item()],
        "BitsAllocated": 8, "PixelData": bytes(16)} | of)


def raw(name: str, **of: Any) -> bytes:
    return encoded(whole(name, **of))


def without(keyword: str) -> Callable[[str], bytes]:
    """A file that lacks an attribute."""
    def make(name: str) -> bytes:
        ds = whole(name)
        del ds[keyword]
        if not keyword.startswith("SOP"):
            return encoded(ds)
        ds.preamble = bytes(128)  # the file meta header keeps what the data set lacks
        meta = raw(name)[: -len(without_meta(raw(name)))]
        stream = encoded(fill(ds, SOPClassUID="1.2", SOPInstanceUID="1.2"))
        whole_set = without_meta(stream)
        head = b"\x08\0\x16\0" if keyword == "SOPClassUID" else b"\x08\0\x18\0"
        at = whole_set.index(head)
        whole_set = whole_set[:at] + whole_set[at + 8 + whole_set[at + 6] :]
        return meta + whole_set
    return make


def value(keyword: str, text: bytes) -> Callable[[str], bytes]:
    """A file with this value in an attribute."""
    return lambda name: with_value(raw(name), keyword, text)


# --- files that are no objects -------------------------------------------------------------------

LONG = b"1." + b"2" * 298
NO_OBJECT: list[tuple[str, Callable[[str], bytes], str]] = [
    # name               bytes                                              reason
    ("empty",            lambda n: b"",                                     "EMPTY_FILE"),
    ("text",             lambda n: b"CANARY wrote this.\n" * 50,            "NOT_DICOM"),
    ("random",           lambda n: random.Random(n).randbytes(5000),        "NOT_DICOM"),
    ("JSON",             lambda n: b'{"PatientName": "CANARY"}',            "NOT_DICOM"),
    ("preamble",         lambda n: bytes(128) + b"DICM",                    "NO_DATA_SET"),
    ("meta only",        lambda n: raw(n)[: -len(without_meta(raw(n)))],    "NO_DATA_SET"),
    ("directory",        lambda n: encoded(DIRECTORY),                      "NOT_AN_OBJECT"),
    ("bad deflated",     lambda n: encoded(
        whole(n), uids.DeflatedExplicitVRLittleEndian)[:-9] + bytes(9),     "BAD_HEADER"),
    ("cut early",        lambda n: raw(n)[:400],                            "TRUNCATED"),
    ("no class",         without("SOPClassUID"),                            "NO_SOP_CLASS_UID"),
    ("no UID",           without("SOPInstanceUID"),                         "NO_SOP_INSTANCE_UID"),
    ("no study",         without("StudyInstanceUID"),               "NO_STUDY_INSTANCE_UID"),
    ("no series",        without("SeriesInstanceUID"),              "NO_SERIES_INSTANCE_UID"),
    ("empty class",      value("SOPClassUID", b""),                         "NO_SOP_CLASS_UID"),
    ("empty UID",        value("SOPInstanceUID", b"\0\0"),                  "NO_SOP_INSTANCE_UID"),
    ("empty study",      value("StudyInstanceUID", b"  "),          "NO_STUDY_INSTANCE_UID"),
    ("empty series",     value("SeriesInstanceUID", b""),           "NO_SERIES_INSTANCE_UID"),
    ("long class",       value("SOPClassUID", LONG),                        "IDENTIFIER_TOO_LONG"),
    ("long UID",         value("SOPInstanceUID", LONG),                     "IDENTIFIER_TOO_LONG"),
    ("long study",       value("StudyInstanceUID", LONG),                   "IDENTIFIER_TOO_LONG"),
    ("long series",      value("SeriesInstanceUID", LONG),                  "IDENTIFIER_TOO_LONG"),
]


# --- files that are objects all the same ---------------------------------------------------------

Properties = dict[str, object]
REFERENCE = "ReferencedSOPInstanceUID"


def refers_to(target: str, **more: object) -> Callable[[str], bytes]:
    """A file with another reference; the UID is written as it is."""
    def make(name: str) -> bytes:
        ref = ObjectRef(uids.CTImageStorage, "1.2.3.4.5.6.7.8.9").item(**more)
        text = encoded(whole(name, ReferencedImageSequence=[ref], PixelData=None))
        return with_lengths(text, target)
    return make


def with_lengths(text: bytes, target: str) -> bytes:
    """Put a UID of any length into the one reference of a file; lengths around it are undefined."""
    tag = b"\x08\0\x55\x11UI"
    at = text.index(tag)
    length = text[at + 6]
    sequence = text.index(b"\x08\0\x40\x11SQ")
    encoded_uid = target.encode() + b"\0" * (len(target) % 2)
    item_start = sequence + 12
    body = text[item_start + 8 : at] + tag + len(encoded_uid).to_bytes(2, "little") + encoded_uid
    size = int.from_bytes(text[item_start + 4 : item_start + 8], "little")
    rest_of_item = text[at + 8 + length : item_start + 8 + size]
    return (text[:sequence + 8] + b"\xff" * 4 + b"\xfe\xff\0\xe0" + b"\xff" * 4 + body
            + rest_of_item + b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
            + text[item_start + 8 + size :])


@dataclass(frozen=True)
class Kept:
    """What must be in the graph of a file: properties of all four levels, and what was invalid."""

    name: str
    make: Callable[[str], bytes]
    properties: Properties
    invalid: tuple[tuple[str, str], ...] = ()


KEPT = [
    Kept("sound", raw, {"Modality": "CT", "SliceThickness": 3.0, "truncated": None}),
    Kept("no patient", without("PatientID"), {"PatientID": None}, (("PatientID", "EMPTY"),)),
    Kept("empty patient", value("PatientID", b""), {"PatientID": None}, (("PatientID", "EMPTY"),)),
    Kept("long patient", value("PatientID", b"CANARY" + b"x" * 65000),
         {"PatientID": "CANARY" + "x" * 58}, (("PatientID", "TOO_LONG"),)),
    Kept("no modality", without("Modality"), {"Modality": None, "layer": 0}),
    Kept("empty modality", value("Modality", b""), {"Modality": None, "layer": 0}),
    Kept("letters in UID", value("SOPInstanceUID", b"1.2.abc.03"), {"SOPInstanceUID": "1.2.abc.03"}),
    Kept("bad DS", value("SliceThickness", b"3 mm"), {"SliceThickness": None},
         (("SliceThickness", "NOT_A_NUMBER"),)),
    Kept("NaN", value("KVP", b"NaN "), {"KVP": None}, (("KVP", "NOT_A_NUMBER"),)),
    Kept("bad IS", value("SeriesNumber", b"12.5"), {"SeriesNumber": None},
         (("SeriesNumber", "NOT_AN_INTEGER"),)),
    Kept("bad DA", value("StudyDate", b"20240231"), {"StudyDate": None, "study_datetime": None},
         (("StudyDate", "IMPOSSIBLE_DATE"),)),
    Kept("bad TM", value("StudyTime", b"2561"), {"StudyTime": None},
         (("StudyTime", "IMPOSSIBLE_TIME"),)),
    Kept("placeholder", value("PatientBirthDate", b"19000101"), {"PatientBirthDate": None},
         (("PatientBirthDate", "PLACEHOLDER"),)),
    Kept("two names", value("PatientName", b"CANARY^A\\CANARY^B"), {"PatientName": None},
         (("PatientName", "SEVERAL_VALUES"),)),
    Kept("two values", value("StudyID", b"first\\second"), {"StudyID": "first"},
         (("StudyID", "SEVERAL_VALUES"),)),
    Kept("wrong bytes", value("SeriesDescription", b"caf\xe9 \xed\xa0\x80"),
         {"SeriesDescription": "caf\ufffd \ufffd\ufffd\ufffd"},
         (("SeriesDescription", "UNDECODABLE"),)),
    Kept("unknown charset", value("SpecificCharacterSet", b"KLINGON"), {"Modality": "CT"}),
    Kept("script", value("SeriesDescription", b"<script>alert(1)</script>"),
         {"SeriesDescription": "<script>alert(1)</script>"}),
    Kept("escapes", value("SeriesDescription", b"\x1b[31mred\x1b[0m \x07\x9b"),
         {"SeriesDescription": "[31mred[0m \ufffd"}, (("SeriesDescription", "UNDECODABLE"),)),
    Kept("markup", value("SeriesDescription", b"[bold]{{7*7}}${x}"),
         {"SeriesDescription": "[bold]{{7*7}}${x}"}),
    Kept("NUL", value("SeriesDescription", b"a\0b\0c"), {"SeriesDescription": "abc"}),
    Kept("Cypher", value("SeriesDescription", b"'}) DETACH DELETE n //"),
         {"SeriesDescription": "'}) DETACH DELETE n //"}),
    Kept("no preamble", lambda n: raw(n)[132:], {"Modality": "CT"}),
    Kept("no meta", lambda n: without_meta(raw(n)), {"transfer_syntax": None}),
    Kept("big endian", lambda n: encoded(whole(n, PixelData=None), uids.ExplicitVRBigEndian),
         {"SliceThickness": 3.0}),
    Kept("implicit", lambda n: encoded(whole(n), uids.ImplicitVRLittleEndian),
         {"SliceThickness": 3.0}),
    Kept("deflated", lambda n: encoded(whole(n), uids.DeflatedExplicitVRLittleEndian),
         {"SliceThickness": 3.0}),
    Kept("cut in a header", lambda n: raw(n)[: raw(n).index(b"\x18\0\x60\0DS") + 5],
         {"truncated": True, "SliceThickness": 3.0, "KVP": None},
         (("SliceThickness", "TRUNCATED"),)),
    Kept("cut in a value", lambda n: raw(n)[: raw(n).index(b"\x18\0\x60\0DS") + 10],
         {"truncated": True, "SliceThickness": 3.0, "KVP": None}, (("KVP", "TRUNCATED"),)),
    Kept("cut in pixels", lambda n: raw(n)[:-9], {"truncated": None, "KVP": 120.0}),
    Kept("long reference", refers_to("1." + "9" * 20_000), {"Modality": "CT"},
         ((REFERENCE, "TOO_LONG"),)),
    Kept("odd reference", refers_to("no UID at all"), {"Modality": "CT"}),
]
# Names of files are those of the cases but for these, which are bad themselves.
PATHS = {
    "line break": b"a\nb.dcm",
    "no UTF-8": b"caf\xe9.dcm",
    "umlaut": "größe.dcm".encode(),
    "name of a patient": b"DOE^JANE 1950-01-02.dcm",
    "quotes": b"it's \"$(x)\" `y` <b>.dcm",
    "colon": b"C:\\images\\1.dcm",
    "no suffix": b"IM0001",
}
KEPT += [Kept(name, raw, {"Modality": "CT"}) for name in PATHS]


class TestBadFiles:
    """All cases, each in a file of one folder, ingested once."""

    @pytest.fixture(scope="class")
    @staticmethod
    def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("bad")
        for name, make, _ in NO_OBJECT:
            (folder / f"{name}.dcm").write_bytes(make(name))
        for case in KEPT:
            path = os.path.join(os.fsencode(folder), PATHS.get(case.name, case.name.encode()))
            with open(path, "wb") as file:
                file.write(case.make(case.name))
        return folder

    @pytest.fixture(scope="class")
    @staticmethod
    def rejects(tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("out") / "rejects.jsonl"

    @pytest.fixture(scope="class")
    @staticmethod
    def ingested(
        session_graph: TestGraph, folder: Path, rejects: Path
    ) -> Iterator[tuple[TestGraph, Summary]]:
        session_graph.wipe()
        settings = config.Settings(roots={"r": folder})
        summary = session_graph.ingest(folder, settings=settings, rejects_file=rejects)
        yield session_graph, summary
        check_invariants(session_graph)

    @pytest.fixture
    def graph(self, ingested: tuple[TestGraph, Summary]) -> TestGraph:
        return ingested[0]

    def test_counts_add_up(self, ingested: tuple[TestGraph, Summary]) -> None:
        progress = ingested[1].progress
        assert progress.states == {State.INDEXED: len(KEPT), State.REJECTED: len(NO_OBJECT)}
        assert progress.seen == ingested[1].n_files == len(KEPT) + len(NO_OBJECT)
        assert progress.reasons == Counter(reason for _, _, reason in NO_OBJECT)
        assert progress.invalid == Counter(k for c in KEPT for k, _ in c.invalid)

    @pytest.mark.parametrize(("name", "reason"), [(c[0], c[2]) for c in NO_OBJECT],
                             ids=[c[0] for c in NO_OBJECT])
    def test_rejected(self, graph: TestGraph, rejects: Path, name: str, reason: str) -> None:
        (row,) = graph.read("MATCH (f:File {path: $path}) RETURN f.status AS status, "
                            "f.reason AS reason", path=f"r:{name}.dcm")
        assert row == {"status": "NOT_DICOM" if reason == "NOT_DICOM" else "REJECTED",
                       "reason": reason}
        lines = [json.loads(line) for line in rejects.read_text("utf-8").splitlines()]
        assert [r["reason"] for r in lines if r["path"].endswith(f"/{name}.dcm")] == [reason]

    @pytest.mark.parametrize("case", KEPT, ids=lambda c: c.name)
    def test_indexed(self, graph: TestGraph, case: Kept) -> None:
        file = PATHS.get(case.name, case.name.encode()).decode("utf-8", "backslashreplace")
        (row,) = graph.read(
            "MATCH (p:Patient)-[:HAS_STUDY]->(t:Study)-[:HAS_SERIES]->(s:Series)"
            "-[:HAS_INSTANCE]->(i:CTImage {file_path: $path}) WHERE s:CTSeries "
            "RETURN p {.*} AS p, t {.*} AS t, s {.*} AS s, i {.*} AS i", path=f"r:{file}")
        found = row["p"] | row["t"] | row["s"] | row["i"]
        assert {k: found.get(k) for k in case.properties} == case.properties
        assert tuple(zip(found.get("invalid_keywords", ()), found.get("invalid_reasons", ()),
                         strict=True)) == case.invalid
        issues = graph.read("MATCH (x:Issue {rule: 'VAL-01'})-[:ABOUT]->(s:Series) "
                            "WHERE s.SeriesInstanceUID = $uid RETURN x.keyword AS keyword, "
                            "x.reason AS reason, x.count AS n, x.first AS first",
                            uid=row["s"]["SeriesInstanceUID"])
        assert [tuple(x.values()) for x in issues] == [
            (*i, 1, row["i"]["SOPInstanceUID"]) for i in case.invalid]

    def test_references_were_kept(self, graph: TestGraph) -> None:
        """Every file but one names one image, wherever it was cut."""
        rows = graph.read("MATCH (i:Instance)<-[:HAS_INSTANCE]-(s:Series) WHERE NOT i:Missing "
                          "RETURN i.file_path AS path, "
                          "COUNT { (s)-[:REFERENCES]->(:Instance) } AS n")
        assert {r["path"] for r in rows if r["n"] != 1} == {"r:long reference"}

    def test_the_list_of_rejects_is_private(self, graph: TestGraph, rejects: Path) -> None:
        assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
        text = rejects.read_text(encoding="utf-8")
        assert len(text.splitlines()) == len(NO_OBJECT)
        assert CANARY not in text

    def test_names_of_patients_are_not_kept(self, graph: TestGraph) -> None:
        assert graph.read("MATCH (n) WHERE any(k IN keys(n) WHERE toStringOrNull(n[k]) "
                          "CONTAINS 'CANARY^' OR k = 'PatientName') RETURN labels(n)") == []

    def test_a_second_run_reads_nothing(self, graph: TestGraph, folder: Path) -> None:
        before = graph.content()
        summary = graph.ingest(folder, settings=config.Settings(roots={"r": folder}))
        assert summary.progress.states == {State.UNCHANGED: len(KEPT) + len(NO_OBJECT)}
        assert summary.progress.read == 0
        assert summary.unchanged
        assert graph.content() == before


# --- cut at many places --------------------------------------------------------------------------

N_CUTS, N_IMAGES = 40, 8
SYNTAXES = [
    # name              syntax                        sequences of undefined length
    ("explicit",        uids.ExplicitVRLittleEndian,  False),
    ("explicit, open",  uids.ExplicitVRLittleEndian,  True),
    ("implicit, open",  uids.ImplicitVRLittleEndian,  True),
]


def structure_set(name: str, images: list[str]) -> Dataset:
    refs = [ObjectRef(uids.CTImageStorage, image).item() for image in images]
    listed = item(SeriesInstanceUID=uid("images"), ContourImageSequence=refs)
    study = item(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
                 ReferencedSOPInstanceUID=uid("study"), RTReferencedSeriesSequence=[listed])
    return new(
        name, series=f"{name} series", modality="RTSTRUCT", sop_class=uids.RTStructureSetStorage,
        StructureSetLabel="Cut", StructureSetROISequence=[item(ROINumber=1, ROIName="PTV")],
        ReferencedFrameOfReferenceSequence=[
            item(FrameOfReferenceUID=uid("frame"), RTReferencedStudySequence=[study])])


def open_lengths(ds: Dataset) -> Dataset:
    for element in ds:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for child in element.value:
                child.is_undefined_length_sequence_item = True
                open_lengths(child)
    return ds


@pytest.mark.parametrize(("syntax", "is_open"), [c[1:] for c in SYNTAXES],
                         ids=[c[0] for c in SYNTAXES])
def test_what_stands_before_a_cut_is_kept(
    graph: TestGraph, tmp_path: Path, syntax: str, is_open: bool
) -> None:
    images = [f"1.2.3.{n:03}" for n in range(N_IMAGES)]  # even lengths: no padding
    expected: dict[str, int | None] = {}
    for n in range(N_CUTS):
        ds = structure_set(f"cut {n}", images)
        text = encoded(open_lengths(ds) if is_open else ds, syntax)
        left = text[: len(text) * n // N_CUTS]
        (tmp_path / f"{n:02}").write_bytes(left)
        identified = uid(f"cut {n} series").encode() in left
        expected[f"r:{n:02}"] = sum(i.encode() in left for i in images) if identified else None
    summary = graph.ingest(tmp_path, settings=config.Settings(roots={"r": tmp_path}))
    found = {r["path"]: r["n"] for r in graph.read(
        "MATCH (i:RTStruct) RETURN i.file_path AS path, COUNT { "
        "(i)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->() } AS n, i.truncated AS truncated")}
    assert found == {path: n for path, n in expected.items() if n is not None}
    assert set(found.values()) == set(range(N_IMAGES + 1))
    assert summary.progress.states[State.REJECTED] == sum(n is None for n in expected.values())
    assert set(summary.progress.reasons) <= {
        "EMPTY_FILE", "NOT_DICOM", "NO_DATA_SET", "TRUNCATED"}
    assert graph.one("MATCH (b:Missing:Image) RETURN count(b)") == N_IMAGES


def test_one_issue_for_a_series(graph: TestGraph, tmp_path: Path) -> None:
    for n in range(5):
        text = with_value(encoded(whole(f"image {n}", patient="PAT", study="s", series="s")),
                          "SliceThickness", b"thin" if n else b"3.0 ")
        (tmp_path / f"{n}").write_bytes(text)
    graph.ingest(tmp_path)
    (issue,) = graph.read("MATCH (x:Issue)-[:ABOUT]->(s:Series) RETURN x {.*} AS x, "
                          "s.SeriesInstanceUID AS series, s.SliceThickness AS thickness")
    smallest = min(uid(f"image {n}") for n in range(1, 5))
    assert issue["x"] | {"rule": "VAL-01", "severity": "WARNING", "status": "OPEN", "count": 4,
                         "keyword": "SliceThickness", "reason": "NOT_A_NUMBER", "raw": "thin",
                         "first": smallest, "subject": issue["series"]} == issue["x"]


# --- folders and files that cannot be read -------------------------------------------------------

def test_a_folder_without_files(graph: TestGraph, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    summary = graph.ingest(tmp_path)
    assert (summary.n_files, summary.state, summary.unchanged) == (0, "DONE", True)


def test_a_folder_without_objects(graph: TestGraph, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7\n" * 40)
    (tmp_path / "empty").write_bytes(b"")
    summary = graph.ingest(tmp_path)
    assert summary.progress.states == {State.REJECTED: 2}
    assert summary.after["instances"] == 0
    assert graph.one("MATCH (f:File) RETURN count(f)") == 2


def three(folder: Path) -> Path:
    """Three sound files; the one in the middle is to be made unreadable."""
    for n in range(3):
        write_object(folder / f"{n}.dcm", f"image {n}")
    return folder / "1.dcm"


def one_is_unreadable(graph: TestGraph, folder: Path, path: str) -> Summary:
    """Ingest, and assert that the reason is told for this path alone."""
    rejects = folder.parent / "rejects.jsonl"
    summary = graph.ingest(folder, settings=config.Settings(roots={"r": folder}),
                           rejects_file=rejects)
    assert summary.progress.states[State.REJECTED] == 1
    assert sum(summary.progress.states.values()) == summary.n_files
    assert summary.progress.reasons == {"UNREADABLE": 1}
    (line,) = map(json.loads, rejects.read_text(encoding="utf-8").splitlines())
    assert line["path"] == os.path.join(folder, path)
    assert graph.one("MATCH (f:File) WHERE f.reason = 'UNREADABLE' "
                     "RETURN collect(f.path)") in ([f"r:{path}"], [f"r:{path}/"])
    return summary


def test_a_file_that_may_not_be_read(
    graph: TestGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "files"
    closed = three(folder)
    really_open = builtins.open

    def opened(file: Any, *args: Any, **kwargs: Any) -> Any:
        if file == str(closed):
            raise PermissionError(13, "Permission denied", file)
        return really_open(file, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", opened)
        one_is_unreadable(graph, folder, "1.dcm")
        again = graph.ingest(folder, settings=config.Settings(roots={"r": folder}))
        assert again.progress.states == {State.UNCHANGED: 2, State.REJECTED: 1}
    healed = graph.ingest(folder, settings=config.Settings(roots={"r": folder}))
    assert healed.progress.states == {State.UNCHANGED: 2, State.INDEXED: 1}
    assert graph.read("MATCH (f:File) RETURN f") == []


def test_a_file_that_vanishes(
    graph: TestGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "files"
    lost = three(folder)

    def late(files: list[Found], plan: Any) -> list[Instance | Rejected]:
        lost.unlink(missing_ok=True)
        return parse_many(files, plan)

    monkeypatch.setattr(pipeline, "parse_many", late)
    assert one_is_unreadable(graph, folder, "1.dcm").n_files == 3


def test_a_folder_that_cannot_be_listed(
    graph: TestGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "files"
    three(folder)
    (folder / "closed").mkdir()
    write_object(folder / "open/3.dcm", "image 3")
    really_list = os.scandir

    def listed(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return really_list(path)

    monkeypatch.setattr(os, "scandir", listed)
    assert one_is_unreadable(graph, folder, "closed").progress.states[State.INDEXED] == 4


@pytest.mark.parametrize("follow_links", [False, True])
def test_links_that_go_round(graph: TestGraph, tmp_path: Path, follow_links: bool) -> None:
    three(tmp_path / "files")
    (tmp_path / "files/again").symlink_to(tmp_path / "files")
    (tmp_path / "files/self").symlink_to(tmp_path / "files/self")
    (tmp_path / "files/nowhere").symlink_to(tmp_path / "absent")
    (tmp_path / "files/outside").symlink_to(tmp_path / "other")
    write_object(tmp_path / "other/3.dcm", "image 3")
    summary = graph.ingest(tmp_path / "files", follow_links=follow_links)
    assert summary.progress.states == {State.INDEXED: 4 if follow_links else 3}


def test_folders_nested_deeper_than_calls(graph: TestGraph, tmp_path: Path) -> None:
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
        write_object(Path("deep.dcm"), "image")
    finally:
        os.chdir(here)
    assert graph.ingest(tmp_path).progress.states == {State.INDEXED: 1}


def test_a_root_that_is_no_utf_8(graph: TestGraph, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9")))
    for name in "ab":
        write_object(folder / f"{name}.dcm", "image", SeriesDescription=name)
    assert graph.ingest(folder / "b.dcm").progress.states == {State.INDEXED: 1}
    assert graph.ingest(folder).progress.states == {State.INDEXED: 1, State.CONFLICT: 1}
    assert graph.ingest(folder).progress.states == {State.UNCHANGED: 2}
    assert graph.read("MATCH (r:Root) RETURN r.name AS name") == [{"name": "caf\\xe9"}]


# --- what the server refuses ---------------------------------------------------------------------

REFUSED: list[tuple[str, object]] = [
    ("a map", {"a": 1}),
    ("a mixed list", [1, "a"]),
    ("a number beyond 64 bit", 2**64),
    ("no value of the driver", object()),
    ("a lone surrogate", "\ud800"),
]


@pytest.mark.parametrize("value", [c[1] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_a_refused_row_leaves_its_batch(
    graph: TestGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    for n in range(9):
        write_object(tmp_path / f"files/{n}.dcm", f"image {n}")

    def spoilt(files: list[Found], plan: Any) -> list[Instance | Rejected]:
        return [replace(o, values=o.values | {"Series": {"SeriesDescription": value}})
                if isinstance(o, Instance) and o.file.path.endswith("/4.dcm") else o
                for o in parse_many(files, plan)]

    monkeypatch.setattr(pipeline, "parse_many", spoilt)
    rejects = tmp_path / "rejects.jsonl"
    summary = graph.ingest(tmp_path / "files", rejects_file=rejects, batch=9)
    assert summary.progress.states == {State.INDEXED: 8, State.REJECTED: 1}
    assert summary.progress.reasons == {"WRITE_REFUSED": 1}
    assert graph.one("MATCH (i:Instance) RETURN count(i)") == 8
    (line,) = map(json.loads, rejects.read_text(encoding="utf-8").splitlines())
    assert (line["reason"], line["path"]) == ("WRITE_REFUSED", str(tmp_path / "files/4.dcm"))
