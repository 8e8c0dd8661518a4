"""Bytes of files and of members of archives; whatever is wrong with an archive is an OSError."""

import errno
import multiprocessing
import os
import random
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rtgraph.ingest import opening
from tests.data import archives
from tests.data.archives import with_field, zip_of

DATA = bytes(range(256)) * 8
LARGE = random.Random(1).randbytes(1024 * 1024 + 5)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    opening.close()


def member(folder: Path, data: bytes = DATA, method: int = zipfile.ZIP_DEFLATED) -> str:
    """The location of the only member of a new archive."""
    return f"{zip_of(folder / 'Doe.zip', ('a/Doe^John', data), method=method)}!/a/Doe^John"


def plain(folder: Path, data: bytes = DATA) -> str:
    (folder / "plain").write_bytes(data)
    return str(folder / "plain")


KINDS: list[tuple[str, Callable[[Path, bytes], str]]] = [
    # name       its location
    ("plain",    plain),
    ("deflated", member),
    ("stored",   lambda folder, data: member(folder, data, zipfile.ZIP_STORED)),
]
kinds = pytest.mark.parametrize("make", [k[1] for k in KINDS], ids=[k[0] for k in KINDS])


# --- reading -------------------------------------------------------------------------------------

@kinds
@pytest.mark.parametrize("n", [None, 0, 1, 2047, 2048, 2049, 2 * 1024 * 1024])
@pytest.mark.parametrize("data", [DATA, LARGE, b""], ids=["small", "large", "empty"])
def test_first_bytes_or_all(
    tmp_path: Path, make: Callable[[Path, bytes], str], data: bytes, n: int | None
) -> None:
    location = make(tmp_path, data)
    assert opening.read(location, n) == data[:n]
    assert opening.status(location)[0] == len(data)
    assert opening.is_member(location) is (make is not plain)


@kinds
@pytest.mark.parametrize("size", [7, 2048, 2049])
def test_blocks_are_all_bytes(
    tmp_path: Path, make: Callable[[Path, bytes], str], size: int
) -> None:
    assert list(opening.blocks(make(tmp_path, DATA), size)) == [
        DATA[i : i + size] for i in range(0, len(DATA), size)]


@kinds
def test_a_stream_can_seek(tmp_path: Path, make: Callable[[Path, bytes], str]) -> None:
    with opening.opened(make(tmp_path, DATA)) as stream:
        stream.seek(255)
        assert stream.read(2) == b"\xff\0"
        stream.seek(1)
        assert stream.read(1) == b"\1"


@pytest.mark.parametrize("n", [None, 10, 4096])
def test_reading_goes_on_where_the_system_gives_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int | None
) -> None:
    whole = os.read
    monkeypatch.setattr(os, "read", lambda file, n: whole(file, min(n, 7)))
    assert opening.read(plain(tmp_path), n) == DATA[:n]


def test_a_large_wish_takes_no_memory(tmp_path: Path) -> None:
    location = plain(tmp_path)
    tracemalloc.start()
    opening.read(location, 64 * 1024 * 1024)
    assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["absent", ".", "a\0b", "plain/x", "absent.zip!/x"])
def test_what_is_no_file_is_an_error(tmp_path: Path, name: str) -> None:
    plain(tmp_path)
    acts: list[Callable[[str], object]] = [
        opening.read, lambda at: list(opening.blocks(at)), lambda at: opened_at(at)]
    for act in acts if name == "." else [*acts, opening.status]:
        with pytest.raises(OSError, match="Errno") as error:
            act(str(tmp_path / name))
        assert error.value.errno


def opened_at(location: str) -> bytes:
    with opening.opened(location) as stream:
        return stream.read()


def test_the_status_of_a_member_has_the_time_of_its_archive(tmp_path: Path) -> None:
    location = member(tmp_path)
    os.utime(tmp_path / "Doe.zip", ns=(1, 123_456_789))
    assert opening.status(location) == (len(DATA), 123_456_789)
    for absent in (f"{location}x", f"{tmp_path}/Doe.zip!/a/", f"{tmp_path}/Doe.zip!/"):
        with pytest.raises(FileNotFoundError):
            opening.status(absent)


# --- names ---------------------------------------------------------------------------------------

HOSTILE = ["../../etc/passwd", "/etc/passwd", "C:\\x", "..\\x", "a\nb\x1b[31m", "b.zip!/c", "a//b",
           "ü/日本", "x" * 3000, " ", "!/x", "a:b", ":x"]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_only_name(tmp_path: Path, name: str) -> None:
    if os.sep != "/" and os.sep in name:
        pytest.skip("zipfile writes other names here")
    archive = zip_of(tmp_path / "a.ZIP", (name, DATA))
    assert opening.members(str(archive)) == [(name, len(DATA))]
    assert opening.read(f"{archive}!/{name}") == DATA
    assert sorted(os.listdir(tmp_path)) == ["a.ZIP"]


def test_of_equal_names_the_last_counts(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", ("x", b"one"), ("y", b""), ("x", b"other"))
    assert opening.members(str(archive)) == [("x", 5), ("y", 0)]
    assert opening.read(f"{archive}!/x") == b"other"


def test_folders_are_no_members(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", ("b/", b""), ("b/c", b"1"))
    assert opening.members(str(archive)) == [("b/c", 1)]


SPLITS = [
    # location                  archive and member
    ("a.zip!/x",                ("a.zip", "x")),
    ("a.zip!/b.zip!/x",         ("a.zip", "b.zip!/x")),
    ("d.zip!/e.zip!/x",         ("d.zip!/e.zip", "x")),
    ("d.zip!/plain",            None),
    ("a.zip",                   None),
    ("absent.zip!/x",           None),
    ("f!/x",                    None),
    ("a.zip!x",                 None),
]


@pytest.mark.parametrize(("location", "wanted"), SPLITS)
def test_only_archives_that_are_here_have_members(
    tmp_path: Path, location: str, wanted: tuple[str, str] | None
) -> None:
    (tmp_path / "d.zip!").mkdir()
    (tmp_path / "d.zip").mkdir()
    for name in ("a.zip", "d.zip!/plain", "d.zip!/e.zip", "f"):
        (tmp_path / name).write_bytes(b"")
    found = opening.split(f"{tmp_path}/{location}")
    assert found == (wanted and (f"{tmp_path}/{wanted[0]}", wanted[1]))


@pytest.mark.parametrize(("path", "wanted"), [
    ("r:b.dcm", ["r:"]),
    ("r:a/b.dcm", ["r:", "r:a/"]),
    ("r:a.zip", ["r:"]),
    ("r:b/a.ZIP!/x", ["r:", "r:b/", "r:b/a.ZIP!/", "r:b/a.ZIP"]),
    ("r:f!/a.zip!/x", ["r:", "r:f!/", "r:f!/a.zip!/", "r:f!/a.zip"]),
])
def test_what_is_above(path: str, wanted: list[str]) -> None:
    assert opening.above(path) == wanted


def test_a_file_in_a_folder_that_is_called_like_an_archive(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", ("x", b"member"), ("y", b"member"))
    (tmp_path / "a.zip!").mkdir()
    (tmp_path / "a.zip!/x").write_bytes(b"file")
    assert opening.read(f"{archive}!/x") == b"file"
    assert opening.read(f"{archive}!/y") == b"member"


CONTENTS = [
    # name                    content                                  archive?
    ("empty",                 b"",                                     False),
    ("text",                  b"text" * 100,                           False),
    ("DICOM",                 bytes(128) + b"DICM" + bytes(99),        False),
    ("archive without files", b"PK\5\6" + bytes(18),                   True),
    ("cut archive",           b"PK\3\4" + bytes(99),                   True),
    ("part of an archive",    b"PK\7\x08" + bytes(99),                 True),
    ("text before archive",   b"text" * 100 + b"PK\5\6" + bytes(18),   True),
    ("DICOM and archive",     bytes(128) + b"DICM" + b"PK\5\6" + bytes(18), False),
]


@pytest.mark.parametrize(("raw", "wanted"), [c[1:] for c in CONTENTS],
                         ids=[c[0] for c in CONTENTS])
def test_content_tells_an_archive(tmp_path: Path, raw: bytes, wanted: bool) -> None:
    assert opening.is_archive(plain(tmp_path, raw)) is wanted


# --- archives that are wrong ---------------------------------------------------------------------

def deflated(data: bytes = DATA) -> bytes:
    return zlib.compress(data)[2:-4]


BAD: list[tuple[str, Callable[[bytes], bytes]]] = [
    # name                     what is done to a good archive
    ("encrypted",              lambda raw: with_field(raw, archives.FLAGS, 1, 2)),
    ("patched data",           lambda raw: with_field(raw, archives.FLAGS, 32, 2)),
    ("strong encryption",      lambda raw: with_field(raw, archives.FLAGS, 65, 2)),
    ("bzip2",                  lambda raw: with_field(raw, archives.METHOD, 12, 2)),
    ("deflate64",              lambda raw: with_field(raw, archives.METHOD, 9, 2)),
    ("other checksum",         lambda raw: with_field(raw, archives.CRC, 1, 4)),
    ("larger than it is",      lambda raw: with_field(raw, archives.SIZE, len(DATA) + 1, 4)),
    ("smaller than it is",     lambda raw: with_field(raw, archives.SIZE, len(DATA) - 1, 4)),
    ("an absurd size",         lambda raw: with_field(raw, archives.SIZE, 2**27, 4)),
    ("an absurd size, stored", lambda raw: with_field(raw, archives.SIZE, 2**32 - 2, 4)),
    ("damaged data",           lambda raw: raw.replace(deflated(), b"\xff" * len(deflated()))),
    ("damaged local header",   lambda raw: b"PX" + raw[2:]),
    ("other name within",      lambda raw: raw.replace(b"Doe^John", b"Doe^Jane", 1)),
    ("cut",                    lambda raw: raw[:-30]),
    ("no archive",             lambda raw: b"text"),
]


@pytest.mark.parametrize("change", [b[1] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_member_is_an_error_without_names(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    location = member(tmp_path)
    archive = tmp_path / "Doe.zip"
    raw = archive.read_bytes()
    archive.write_bytes(change(raw))
    assert archive.read_bytes() != raw
    for act in (opening.read, lambda at: list(opening.blocks(at))):
        with pytest.raises(OSError, match="archive") as error:
            act(location)
        assert error.value.errno == errno.EIO
        assert "Doe" not in str(error.value)
        assert error.value.__cause__ is None


def test_an_absent_member_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="archive") as error:
        opening.read(member(tmp_path) + "x")
    assert error.value.errno == errno.EIO


def test_more_than_declared_is_not_inflated(tmp_path: Path) -> None:
    location = member(tmp_path, bytes(50_000_000))
    archive = tmp_path / "Doe.zip"
    archive.write_bytes(with_field(archive.read_bytes(), archives.SIZE, 1000, 4))
    tracemalloc.start()
    with pytest.raises(OSError, match="archive"):
        opening.read(location)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_head_is_read_without_the_rest(tmp_path: Path) -> None:
    location = member(tmp_path, bytes(50_000_000))
    tracemalloc.start()
    assert opening.read(location, 1000) == bytes(1000)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("seed", range(4))
def test_damaged_archives_raise_nothing_else(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    archive = zip_of(tmp_path / "a.zip", ("a", DATA), ("b/c", b"text"), ("ü", LARGE[:500]))
    raw, seen = archive.read_bytes(), 0
    for _ in range(300):
        changed = bytearray(raw)
        for _ in range(chance.randint(1, 4)):
            # Most bytes are data; headers are what is read.
            at = chance.choice((chance.randrange(len(raw)), -chance.randint(1, 220)))
            changed[at] = chance.choice((0, 1, 255, chance.randrange(256)))
        archive.write_bytes(bytes(changed[: chance.choice((None, None, -chance.randint(1, 99)))]))
        try:
            for name, size in opening.members(str(archive)):
                name.encode()
                assert size >= 0
                opening.read(f"{archive}!/{name}", chance.choice((None, 10)))
        except OSError:
            seen += 1
    assert 30 < seen < 300


# --- archives that are kept open -----------------------------------------------------------------

def test_a_replaced_archive_is_read_anew(tmp_path: Path) -> None:
    location = member(tmp_path, b"one")
    assert opening.read(location) == b"one"
    os.replace(zip_of(tmp_path / "new", ("a/Doe^John", b"two")), tmp_path / "Doe.zip")
    assert opening.read(location) == b"two"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are not listed")
def test_few_archives_are_kept_open(tmp_path: Path) -> None:
    made = [zip_of(tmp_path / f"{i}.zip", ("x", b"%d" % i), ("y", b"")) for i in range(9)]
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        assert [opening.read(f"{a}!/x") for a in made] == [b"%d" % i for i in range(9)]
    assert 1 <= len(os.listdir("/proc/self/fd")) - before <= 4
    opening.close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_opens_its_own(tmp_path: Path) -> None:
    location = member(tmp_path)
    opening.read(location)
    with opening._lock:  # a thread of the parent may hold it
        child = os.fork()
        if child == 0:
            os._exit(0 if not opening._archives and opening.read(location) == DATA else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
