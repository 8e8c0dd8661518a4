"""Received objects on the disk: whole or not at all, one name one object, names of UIDs alone."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from rtgraph.errors import ReceiverError
from rtgraph.graphmodel.archive import Kept
from rtgraph.ingest.discover import walk, with_roots
from rtgraph.ingest.records import Found
from rtgraph.pacs import storing
from rtgraph.pacs.part10 import Arrived, Identity, file_head, identity, without_bulk
from rtgraph.pacs.storing import Folder, Mismatch, Outcome, Stored, Unreadable
from tests.data.small import encoded, new, uid

SYNTAXES = {"explicit": ExplicitVRLittleEndian, "implicit": ImplicitVRLittleEndian,
            "deflated": DeflatedExplicitVRLittleEndian, "big endian": ExplicitVRBigEndian}


def data_set(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The bytes behind the file meta header, found by its own group length."""
    raw = encoded(ds, syntax)
    return raw[144 + int.from_bytes(raw[140:144], "little"):]


def sent(name: str = "one", syntax: str = ExplicitVRLittleEndian, **elements: object) -> Arrived:
    """An object as a peer sends it."""
    ds = new(name, **elements)  # type: ignore[arg-type]
    return Arrived(str(ds.SOPClassUID), str(ds.SOPInstanceUID), syntax, "SENDER",
                   data_set(ds, syntax))


def folder(tmp_path: Path, **settings: object) -> Folder:
    made = Folder(tmp_path / "received", **settings)  # type: ignore[arg-type]
    made.prepare()
    return made


def files(base: Folder) -> list[str]:
    return sorted(p.relative_to(base.base).as_posix() for p in base.base.rglob("*")
                  if p.is_file())


# --- files ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=list(SYNTAXES))
def test_a_file_is_the_data_set_as_it_came_with_a_header(tmp_path: Path, syntax: str) -> None:
    o = sent(syntax=syntax, PatientComments="x" * 10_000)
    stored = folder(tmp_path).session().store(o)
    raw = Path(stored.path).read_bytes()
    assert raw.endswith(bytes(o.data))
    read = dcmread(stored.path)
    assert read == new("one", PatientComments="x" * 10_000)
    meta = read.file_meta
    assert (meta.MediaStorageSOPInstanceUID, meta.MediaStorageSOPClassUID) == (o.sop_uid,
                                                                               o.sop_class)
    assert (meta.TransferSyntaxUID, meta.SourceApplicationEntityTitle) == (syntax, "SENDER")
    assert meta.FileMetaInformationGroupLength == len(raw) - len(o.data) - 144


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=list(SYNTAXES))
def test_identity_is_read_in_every_syntax(syntax: str) -> None:
    many = Sequence([new(f"item {n}") for n in range(200)])  # the UIDs come after 16 KiB
    o = sent(syntax=syntax, ReferencedImageSequence=many)
    assert identity(o.data, syntax) == Identity(o.sop_class, uid("one"), uid("series"),
                                                uid("study"))


BULK = [
    # name                 elements
    ("pixel data",         {"PixelData": b"\1\0" * 50, "BitsAllocated": 16}),
    ("float pixel data",   {"FloatPixelData": b"\0" * 64}),
    ("document",           {"EncapsulatedDocument": b"%PDF" * 20}),
    ("spectroscopy",       {"SpectroscopyData": b"\0" * 64}),
    ("overlay",            {0x60023000: b"\0" * 64}),
    ("curve",              {0x50003000: b"\0" * 64}),
]


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=list(SYNTAXES))
@pytest.mark.parametrize("elements", [c[1] for c in BULK], ids=[c[0] for c in BULK])
def test_bulk_is_left_out_and_nothing_else(
    elements: dict[str | int, object], syntax: str
) -> None:
    ds = new("one", PatientComments="kept")
    plain = new("one", PatientComments="kept")
    for name, value in elements.items():
        if isinstance(name, int):
            ds.add_new(name, "OW", value)
        elif name == "BitsAllocated":
            ds.BitsAllocated = plain.BitsAllocated = value
        else:
            setattr(ds, name, value)
    o = Arrived(ds.SOPClassUID, ds.SOPInstanceUID, syntax, "S", data_set(ds, syntax))
    assert without_bulk(o) == data_set(plain, syntax)


def test_waveforms_are_left_out_of_their_sequence() -> None:
    item = Dataset()
    item.NumberOfWaveformChannels, item.WaveformBitsAllocated = 1, 16
    bare = Dataset()
    bare.NumberOfWaveformChannels, bare.WaveformBitsAllocated = 1, 16
    item.add_new(0x54001010, "OW", b"\0" * 32)
    o = Arrived("1.2", uid("one"), ExplicitVRLittleEndian, "S",
                data_set(new("one", WaveformSequence=Sequence([item]))))
    assert without_bulk(o) == data_set(new("one", WaveformSequence=Sequence([bare])))


def test_a_data_set_that_cannot_be_read_has_no_part_without_bulk() -> None:
    o = sent()
    assert without_bulk(replace(o, syntax=DeflatedExplicitVRLittleEndian)) is None


# --- one name, one object ------------------------------------------------------------------------

def first_and_second(base: Folder, first: Arrived, second: Arrived) -> tuple[Stored, Stored]:
    session = base.session()
    return session.store(first), session.store(second)


SECOND = [
    # name                   second object                                         outcome
    ("the same",             sent(),                                               "DUPLICATE"),
    ("same, other sender",   replace(sent(), sender="OTHER"),                      "DUPLICATE"),
    ("same, other syntax",   sent(syntax=ImplicitVRLittleEndian),                  "DUPLICATE"),
    ("other content",        sent(PatientComments="changed"),                      "CONFLICT"),
    ("other object",         sent("two"),                                          "STORED"),
    ("other series",         sent(series="elsewhere"),                             "STORED"),
]


@pytest.mark.parametrize(("second", "outcome"), [c[1:] for c in SECOND],
                         ids=[c[0] for c in SECOND])
def test_what_comes_second(tmp_path: Path, second: Arrived, outcome: str) -> None:
    base = folder(tmp_path)
    one, two = first_and_second(base, sent(), second)
    assert (one.outcome, two.outcome) == (Outcome.STORED, Outcome(outcome))
    assert bytes(sent().data) in Path(one.path).read_bytes()
    assert len(files(base)) == (1 if outcome == "DUPLICATE" else 2)
    if outcome != "DUPLICATE":
        assert bytes(second.data) in Path(two.path).read_bytes()


def test_other_content_is_kept_once(tmp_path: Path) -> None:
    base = folder(tmp_path)
    outcomes = [base.session().store(sent(PatientComments=text)).outcome
                for text in ("a", "b", "b", "c", "a")]
    assert outcomes == [Outcome.STORED, Outcome.CONFLICT, Outcome.DUPLICATE, Outcome.CONFLICT,
                        Outcome.DUPLICATE]
    assert len(files(base)) == 3


def comment(path: str | Path) -> str:
    return str(dcmread(path).PatientComments)


def test_a_corrected_object_takes_the_place_of_the_file(tmp_path: Path) -> None:
    base, asking = folder(tmp_path), folder(tmp_path, replace=True)
    name = f"{uid('study')}/{uid('series')}/{uid('one')}"
    base.session().store(sent(PatientComments="first"))
    base.session().store(sent(PatientComments="second"))  # was kept beside it
    found = []
    for text in ("first", "second", "second", "third"):
        stored = asking.session().store(sent(PatientComments=text))
        assert stored.path == str(base.base / f"{name}.dcm")
        found.append((stored.outcome.value, comment(stored.path)))
    assert found == [("DUPLICATE", "first"), ("REPLACED", "second"), ("DUPLICATE", "second"),
                     ("REPLACED", "third")]
    aside = [p for p in files(base) if p != f"{name}.dcm"]
    assert sorted(comment(base.base / p) for p in aside) == ["first", "second"]
    assert all(p.startswith(f".replaced/{name}.") for p in aside)
    _, roots = with_roots([base.base], {})
    found_again = list(walk([str(base.base)], roots))
    assert [f.path for f in found_again if isinstance(f, Found)] == [f"received:{name}.dcm"]


REPLACED = [
    # name                        there          keep           kept after
    ("header by header",          Kept.HEADER,   Kept.HEADER,   "RTGRAPH_HEADER"),
    ("header by full",            Kept.HEADER,   Kept.FULL,     "RTGRAPH_0"),
    ("full stays full",           Kept.FULL,     Kept.HEADER,   "RTGRAPH_0"),
    ("full by one for the graph", Kept.FULL,     Kept.NONE,     "RTGRAPH_0"),
    ("header, for the graph",     Kept.HEADER,   Kept.NONE,     "RTGRAPH_HEADER"),
]


@pytest.mark.parametrize(("there", "keep", "after"), [c[1:] for c in REPLACED],
                         ids=[c[0] for c in REPLACED])
def test_what_replaces_a_file_keeps_no_less(
    tmp_path: Path, there: Kept, keep: Kept, after: str
) -> None:
    pixels: dict[str, Any] = {"PixelData": b"\1\0" * 500, "BitsAllocated": 16}
    folder(tmp_path, keep=there).session().store(sent(PatientComments="first", **pixels))
    stored = folder(tmp_path, keep=keep, replace=True).session().store(
        sent(PatientComments="second", **pixels))
    read = dcmread(stored.path)
    assert read.PatientComments == "second"
    assert str(read.file_meta.ImplementationVersionName).startswith(after)
    assert ("PixelData" in read) == (after == "RTGRAPH_0")


PIXELS = sent(PixelData=b"\1\0" * 500, BitsAllocated=16)
KEEP = [
    # name                   first          second         outcome      kept
    ("header",               Kept.HEADER,   None,          "STORED",    "RTGRAPH_HEADER"),
    ("full after header",    Kept.HEADER,   Kept.FULL,     "STORED",    "RTGRAPH_0"),
    ("header after full",    Kept.FULL,     Kept.HEADER,   "DUPLICATE", "RTGRAPH_0"),
    ("header twice",         Kept.HEADER,   Kept.HEADER,   "DUPLICATE", "RTGRAPH_HEADER"),
    ("no file after full",   Kept.FULL,     Kept.NONE,     "DUPLICATE", "RTGRAPH_0"),
]


@pytest.mark.parametrize(("first", "second", "outcome", "kept"), [c[1:] for c in KEEP],
                         ids=[c[0] for c in KEEP])
def test_what_is_kept(
    tmp_path: Path, first: Kept, second: Kept | None, outcome: str, kept: str
) -> None:
    base = folder(tmp_path, keep=first)
    stored = base.session().store(PIXELS)
    if second is not None:
        stored = folder(tmp_path, keep=second).session().store(PIXELS)
    assert stored.outcome == outcome
    (only,) = files(base)
    read = dcmread(base.base / only)
    assert str(read.file_meta.ImplementationVersionName).startswith(kept)
    assert ("PixelData" in read) == (kept == "RTGRAPH_0")


def test_a_file_for_the_graph_alone_has_a_place_of_its_own(tmp_path: Path) -> None:
    base = folder(tmp_path, keep=Kept.NONE)
    base.session().store(PIXELS)
    (only,) = files(base)
    assert only == f".graph-only/{uid('study')}/{uid('series')}/{uid('one')}.dcm"
    assert dcmread(base.base / only).file_meta.ImplementationVersionName == "RTGRAPH_NO_FILE"


# --- names ---------------------------------------------------------------------------------------

HOSTILE = ["..", ".", "", "../../etc", "/etc/passwd", "1.2/3", "a" * 300, "1.2\0", "DOE^JANE"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_is_a_uid_or_a_digest(tmp_path: Path, text: str) -> None:
    place = Folder(tmp_path).place(Identity("1.2", text, text, text))
    assert place.resolve().is_relative_to(tmp_path)
    assert len(place.relative_to(tmp_path).parts) == 3
    assert all(part.startswith("x") and len(part) <= 37 for part in place.parts[-3:])


# --- what is refused -----------------------------------------------------------------------------

def test_another_object_than_announced_is_refused(tmp_path: Path) -> None:
    base = folder(tmp_path)
    for wrong in (replace(sent(), sop_uid="1.2.3"), replace(sent(), sop_class="1.2.3")):
        with pytest.raises(Mismatch):
            base.session().store(wrong)
    with pytest.raises(Unreadable):
        base.session().store(replace(sent(), data=b"no data set at all"))
    assert files(base) == []


def test_a_disk_that_is_nearly_full_takes_nothing(tmp_path: Path) -> None:
    base = folder(tmp_path, min_free=1 << 60)
    with pytest.raises(OSError, match="No space left"):
        base.session().store(sent())
    assert files(base) == []


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = folder(tmp_path)
    written = os.write

    def fails_later(file: int, data: bytes) -> int:
        if len(data) > 200:
            written(file, bytes(data)[:100])
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "write", fails_later)
    with pytest.raises(OSError, match="Input/output"):
        base.session().store(sent())
    monkeypatch.undo()
    assert files(base) == []
    assert base.session().store(sent()).outcome is Outcome.STORED


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    base = folder(tmp_path)
    mine = base.temporary()
    dead = mine.with_name(mine.name.replace(f"-{os.getpid()}-", "-999999999-"))
    elsewhere = mine.with_name("00000000-999999999-0")
    for part in (mine, dead, elsewhere):
        part.touch()
    base.prepare()
    assert not dead.exists()
    assert mine.exists()
    assert elsewhere.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReceiverError, match="cannot be used") as error:
        Folder(tmp_path / "file" / "below").prepare()
    assert error.value.exit_code == 3


# --- on the disk for sure ------------------------------------------------------------------------

SYNC = [
    # sync            after storing   after closing
    ("file",          True,           True),
    ("association",   False,          True),
    ("none",          False,          False),
]


@pytest.mark.parametrize(("sync", "stored", "closed"), SYNC, ids=[c[0] for c in SYNC])
def test_when_files_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: str, stored: bool, closed: bool
) -> None:
    synced: list[str] = []
    real = os.fsync

    def noted(file: int) -> None:
        synced.append(os.path.realpath(f"/proc/self/fd/{file}"))
        real(file)

    monkeypatch.setattr(os, "fsync", noted)
    base = folder(tmp_path, sync=sync)
    session = base.session()
    path = session.store(sent()).path

    def is_synced() -> bool:
        series = os.path.dirname(path)
        file = any(p == path or ".incoming" in p for p in synced)
        return file and series in synced and str(base.base) in synced

    assert is_synced() is stored
    session.close()
    assert is_synced() is closed


NOT_SYNCED = [
    # name                      sync            n   objects that are refused   told at the end
    ("at the end",              "association",  2,  0,                         True),
    ("while it goes on",        "association",  3,  1,                         True),
    ("each by itself",          "file",         2,  2,                         False),
]


@pytest.mark.parametrize(("sync", "n", "refused", "told"), [c[1:] for c in NOT_SYNCED],
                         ids=[c[0] for c in NOT_SYNCED])
def test_what_could_not_be_synced_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: str, n: int, refused: int, told: bool
) -> None:
    """A system tells once that a file was not written to the disk: it must not be forgotten."""
    monkeypatch.setattr(storing, "UNSYNCED", 3)
    base, failing = folder(tmp_path, sync=sync), [True]
    real = os.fsync

    def fails(file: int) -> None:
        if failing[0]:
            raise OSError(5, "Input/output error")
        real(file)

    monkeypatch.setattr(os, "fsync", fails)
    session, answers = base.session(), []
    for name in "abcd"[:n]:
        try:
            session.store(sent(name))
        except OSError as error:
            answers.append(error)
    assert len(answers) == refused
    failing[0] = sync == "association" and n < 3
    if told:
        with pytest.raises(ReceiverError, match="may not be on the disk: Input/output error"):
            session.close()
    session.close()  # once


def test_a_header_says_how_long_it_is() -> None:
    o = sent()
    assert len(file_head(o)) == 144 + int.from_bytes(file_head(o)[140:144], "little")
