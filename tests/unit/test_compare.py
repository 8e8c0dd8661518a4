"""One SOP Instance UID in several files: the choice, and whether the files differ."""

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from itertools import permutations
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom import uid as uids

from rtgraph.demo.objects import Device, Patient, Series, Study, fill, item, new_object, save
from rtgraph.ingest import opening
from rtgraph.ingest.compare import Candidate, Copy, same_data_set, settle
from rtgraph.ingest.parse import Plan, parse
from rtgraph.ingest.records import Found, Instance
from tests.data.archives import zip_of

WHEN = datetime(2024, 2, 5, 8)
SERIES = Series("1.2.2", Study("1.2.1", Patient("P", "A^B", date(1950, 1, 2), "F"), WHEN, ""),
                "RTPLAN", 1, WHEN, "", Device("V", "M", "S", "N"))


def new(**elements: object) -> Dataset:
    return fill(new_object(SERIES, uids.RTPlanStorage, "1.2.3", number=1, when=WHEN), **elements)


def candidate(path: str, digest: str, location: str | None = None) -> Candidate:
    return Candidate(path, location, 1, 1, digest, "series")


def candidate_of(path: Path) -> Candidate:
    file = Found(str(path), f"root:{path.name}", path.stat().st_size, 1)
    record = parse(file, Plan("00" * 32))
    assert isinstance(record, Instance)
    return Candidate.of(record)


# --- the choice ----------------------------------------------------------------------------------

FILES = [candidate("r:b", "one"), candidate("r:a/z", "two"), candidate("q:c", "one"),
         candidate("r:a", "three")]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_smallest_path_wins_in_any_order(order: tuple[int, ...]) -> None:
    first, copies = settle([FILES[i] for i in order], same_data_set)
    assert first.path == "q:c"
    assert list(copies) == [
        Copy(FILES[3], differs=True), Copy(FILES[1], differs=True), Copy(FILES[0], differs=False)]


def test_one_file_has_no_copies() -> None:
    assert settle(FILES[:1], same_data_set) == (FILES[0], [])


def test_copies_are_compared_with_the_winner() -> None:
    asked: list[tuple[str, str]] = []

    def same(a: Candidate, b: Candidate) -> bool:
        asked.append((a.path, b.path))
        return True

    settle(FILES, same)
    assert asked == [("q:c", "r:a"), ("q:c", "r:a/z"), ("q:c", "r:b")]


# --- equal or not --------------------------------------------------------------------------------

def meta(**elements: object) -> Dataset:
    ds = new()
    fill(ds.file_meta, **elements)
    return ds


PLANS: list[tuple[str, Callable[[], Dataset], bool]] = [
    # name                       the other file                                        equal?
    ("the same",                 new,                                                  True),
    ("another version in meta",  lambda: meta(ImplementationVersionName="OTHER"),      True),
    ("another encoding",         lambda: meta(TransferSyntaxUID=uids.ImplicitVRLittleEndian),
     True),
    ("another value",            lambda: new(RTPlanLabel="X"),                         False),
    ("an empty element",         lambda: new(RTPlanLabel=""),                          False),
    ("another item",             lambda: new(BeamSequence=[item(BeamNumber=1)]),       False),
    ("another name",             lambda: new(PatientName="C^D"),                       False),
]


@pytest.mark.parametrize(("other", "equal"), [c[1:] for c in PLANS], ids=[c[0] for c in PLANS])
def test_data_sets_are_compared_in_full(
    tmp_path: Path, other: Callable[[], Dataset], equal: bool
) -> None:
    save(new(), tmp_path / "a")
    save(other(), tmp_path / "b")
    a, b = candidate_of(tmp_path / "a"), candidate_of(tmp_path / "b")
    assert same_data_set(a, b) is equal
    assert same_data_set(b, a) is equal


def test_pixels_are_compared_too(tmp_path: Path) -> None:
    pixels = fill(new(), Rows=1, Columns=2, BitsAllocated=16, PixelRepresentation=0)
    for name, value in (("a", b"\1\2\3\4"), ("b", b"\1\2\3\5"), ("c", b"\1\2\3\4")):
        save(fill(pixels, PixelData=value), tmp_path / name)
    a, b, c = (candidate_of(tmp_path / name) for name in "abc")
    assert a.digest == b.digest
    assert not same_data_set(a, b)
    assert same_data_set(a, c)


def test_equal_bytes_are_equal_data_sets(tmp_path: Path) -> None:
    """NaN is not equal to itself, a file is."""
    save(new(DiffusionBValue=1.0), tmp_path / "a")
    raw = (tmp_path / "a").read_bytes()
    raw = raw.replace(struct.pack("<d", 1.0), struct.pack("<d", float("nan")))
    for name in "ab":
        (tmp_path / name).write_bytes(raw)
    assert same_data_set(candidate_of(tmp_path / "a"), candidate_of(tmp_path / "b"))


def test_one_file_under_two_names_is_equal(tmp_path: Path) -> None:
    save(new(), tmp_path / "a")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    a = candidate_of(tmp_path / "a")
    assert same_data_set(a, replace(a, location=str(tmp_path / "b"), digest="other"))


AWAY = [
    # name                       location of the other file    digest     equal?
    ("elsewhere, same head",     None,                         "same",    True),
    ("elsewhere, other head",    None,                         "other",   False),
    ("gone, same head",          "absent",                     "same",    True),
    ("gone, other head",         "absent",                     "other",   False),
]


@pytest.mark.parametrize(("location", "digest", "equal"), [c[1:] for c in AWAY],
                         ids=[c[0] for c in AWAY])
def test_digests_decide_when_a_file_is_not_at_hand(
    tmp_path: Path, location: str | None, digest: str, equal: bool
) -> None:
    save(new(), tmp_path / "a")
    a = replace(candidate_of(tmp_path / "a"), digest="same")
    there = str(tmp_path / location) if location else None
    assert same_data_set(a, candidate("r:b", digest, there)) is equal


def test_what_cannot_be_read_is_compared_by_digest(tmp_path: Path) -> None:
    """A file that pydicom gives up on, for example one that was cut."""
    save(new(BeamSequence=[item(BeamNumber=1)]), tmp_path / "a")
    raw = (tmp_path / "a").read_bytes()
    (tmp_path / "b").write_bytes(raw[: raw.index(struct.pack("<HH", 0x300A, 0x00B0)) + 10])
    a = candidate_of(tmp_path / "a")
    b = replace(a, path="r:b", location=str(tmp_path / "b"))
    assert same_data_set(a, b)
    assert not same_data_set(a, replace(b, digest="other"))


# --- members of archives -------------------------------------------------------------------------

def test_members_are_compared_like_files(tmp_path: Path) -> None:
    for name, ds in (("a", new()), ("b", meta(ImplementationVersionName="OTHER")),
                     ("c", new(RTPlanLabel="X"))):
        save(ds, tmp_path / name)
    files = {name: candidate_of(tmp_path / name) for name in "abc"}
    archive = zip_of(tmp_path / "x.zip", *((n, (tmp_path / n).read_bytes()) for n in "abc"))
    inside = {n: replace(f, path=f"r:x.zip!/{n}", location=f"{archive}!/{n}", digest=n)
              for n, f in files.items()}
    wanted = {"a": True, "b": True, "c": False}
    for name, equal in wanted.items():
        assert same_data_set(files["a"], inside[name]) is equal
        assert same_data_set(inside["a"], inside[name]) is equal
    archive.unlink()
    assert not same_data_set(files["a"], inside["a"])  # by digest, which was made another one
    opening.close()


def test_pixels_are_not_read_where_heads_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = {"Rows": 1, "Columns": 2, "BitsAllocated": 16, "PixelRepresentation": 0}
    save(new(PixelData=b"1234", **pixels), tmp_path / "a")
    save(new(PixelData=b"1234", RTPlanLabel="X", **pixels), tmp_path / "b")
    a, b = (candidate_of(tmp_path / name) for name in "ab")
    seen = []

    def reading(*args: object, **options: object) -> Dataset:
        ds: Dataset = dcmread(*args, **options)  # type: ignore[arg-type]
        seen.append("PixelData" in ds)
        return ds

    monkeypatch.setattr("rtgraph.ingest.compare.dcmread", reading)
    assert not same_data_set(a, b)
    assert seen == [False, False]
    assert same_data_set(a, replace(a, location=b.location)) is False


def test_large_files_are_compared_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal files are never in memory as a whole, be they members."""
    save(new(PixelData=bytes(3_000_000), BitsAllocated=16), tmp_path / "a")
    raw = (tmp_path / "a").read_bytes()
    archive = zip_of(tmp_path / "x.zip", ("a", raw))
    a = candidate_of(tmp_path / "a")

    def refused(*_: object) -> None:
        raise AssertionError("read as a whole")

    monkeypatch.setattr(opening, "read", refused)
    monkeypatch.setattr("rtgraph.ingest.compare.dcmread", refused)
    assert same_data_set(a, replace(a, location=f"{archive}!/a", digest="other"))
    opening.close()
