"""Which files are found below given paths, once each, and what they are called in the graph."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from rtgraph.errors import UsageError
from rtgraph.ingest.discover import JUNK, Roots, chunks, readable, walk, with_roots
from rtgraph.ingest.records import Found, Reason, Rejected


def make(base: Path, *files: str) -> Path:
    """Write files of one byte."""
    for name in files:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return base


def found(
    *given: Path, known: dict[str, str] | None = None, follow_links: bool = False
) -> list[str]:
    """Paths in the graph, in the order of the walk."""
    starts, roots = with_roots(given, known or {})
    return [f.path if isinstance(f, Found) else f.file.path
            for f in walk(starts, roots, follow_links=follow_links)]


# --- files ---------------------------------------------------------------------------------------

def test_files_come_in_name_order_with_size_and_time(tmp_path: Path) -> None:
    base = make(tmp_path / "base", "b/2.dcm", "b/1", "a.txt", "c/d/e/f.zip", ".hidden/x")
    (base / "empty").mkdir()
    os.utime(base / "a.txt", ns=(1, 123_456_789))
    assert found(base) == [
        "base:.hidden/x", "base:a.txt", "base:b/1", "base:b/2.dcm", "base:c/d/e/f.zip"]
    starts, roots = with_roots([base], {})
    first, second, *_ = walk(starts, roots)
    assert isinstance(first, Found)
    assert isinstance(second, Found)
    assert (second.size, second.mtime) == (1, 123_456_789)
    assert Path(second.location).read_bytes() == b"x"
    assert str(tmp_path) not in repr(second)


@pytest.mark.parametrize("name", sorted(JUNK | {".Snapshot", "@eaDir", "$RECYCLE.BIN", "__MACOSX"}))
def test_junk_folders_are_left_out(tmp_path: Path, name: str) -> None:
    make(tmp_path / "base", f"{name}/1", f"patient/{name}/2", "patient/3")
    assert found(tmp_path / "base") == ["base:patient/3"]


def test_a_junk_folder_that_is_given_is_read(tmp_path: Path) -> None:
    make(tmp_path, ".snapshot/1")
    assert found(tmp_path / ".snapshot") == [".snapshot:1"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_only_files_are_found(tmp_path: Path) -> None:
    base = make(tmp_path / "base", "1")
    os.mkfifo(base / "pipe")
    assert found(base) == ["base:1"]


def test_a_given_file_is_found(tmp_path: Path) -> None:
    base = make(tmp_path / "base", "1", "2")
    assert found(base / "2") == ["base:2"]


ONCE: list[tuple[str, tuple[str, ...], list[str]]] = [
    # name                   given                       found
    ("folder twice",         ("base", "base"),           ["base:1", "base:a/2"]),
    ("folder, then its own", ("base", "base/a"),         ["base:1", "base:a/2"]),
    ("own folder first",     ("base/a", "base"),         ["a:2", "base:1"]),
    ("file twice",           ("base/1", "base/1"),       ["base:1"]),
    ("folder, then file",    ("base", "base/a/2"),       ["base:1", "base:a/2"]),
    ("file, then folder",    ("base/1", "base"),         ["base:1", "base:a/2"]),
]


@pytest.mark.parametrize(("given", "wanted"), [c[1:] for c in ONCE], ids=[c[0] for c in ONCE])
def test_every_file_is_found_once(
    tmp_path: Path, given: tuple[str, ...], wanted: list[str]
) -> None:
    make(tmp_path / "base", "1", "a/2")
    assert found(*(tmp_path / g for g in given)) == wanted


# --- links ---------------------------------------------------------------------------------------

@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A folder with links to a file, to a folder outside, to its own parent and to nothing."""
    make(tmp_path, "outside/1", "base/a/2")
    base = tmp_path / "base"
    (base / "file").symlink_to(tmp_path / "outside/1")
    (base / "folder").symlink_to(tmp_path / "outside")
    (base / "a/up").symlink_to(base)
    (base / "broken").symlink_to(tmp_path / "absent")
    return base


def test_links_are_not_followed(linked: Path) -> None:
    assert found(linked) == ["base:a/2"]


def test_links_are_followed_when_wanted(linked: Path) -> None:
    assert found(linked, follow_links=True) == ["base:a/2", "base:file", "base:folder/1"]


def test_a_link_to_itself_is_passed_over(linked: Path) -> None:
    (linked / "loop").symlink_to(linked / "loop")
    assert len(found(linked, follow_links=True)) == 3


def test_a_link_that_is_given_is_followed(tmp_path: Path, linked: Path) -> None:
    assert found(linked / "folder") == ["outside:1"]
    assert found(linked / "file") == ["outside:1"]


# --- roots ---------------------------------------------------------------------------------------

def test_roots_of_the_same_name_get_numbers(tmp_path: Path) -> None:
    make(tmp_path, "a/ct/1", "b/ct/2", "c/ct/3")
    given = [tmp_path / x / "ct" for x in "abc"]
    assert found(*given) == ["ct:1", "ct-2:2", "ct-3:3"]
    assert found(given[0], known={"ct": str(tmp_path / "elsewhere")}) == ["ct-2:1"]


def test_a_colon_in_a_name_is_no_part_of_the_root(tmp_path: Path) -> None:
    assert found(make(tmp_path / "a:b", "1")) == ["a_b:1"]


def test_a_known_root_names_what_is_below(tmp_path: Path) -> None:
    make(tmp_path, "archive/2024/1", "archive2/2")
    known = {"old": str(tmp_path / "archive")}
    assert found(tmp_path / "archive/2024", known=known) == ["old:2024/1"]
    assert found(tmp_path / "archive2", known=known) == ["archive2:2"]


def test_the_innermost_root_names_a_file(tmp_path: Path) -> None:
    make(tmp_path / "all", "1", "inner/2", "inner/deep/3")
    known = {"outer": str(tmp_path / "all"), "inner": str(tmp_path / "all/inner")}
    assert found(tmp_path / "all", known=known) == ["outer:1", "inner:2", "inner:deep/3"]
    assert found(tmp_path / "all/inner/deep", known=known) == ["inner:deep/3"]
    assert found(tmp_path / "all/inner/2", known=known) == ["inner:2"]


def test_a_path_leads_back_to_its_file(tmp_path: Path) -> None:
    base = make(tmp_path / "base", "a/b c/1")
    starts, roots = with_roots([base], {"gone": str(tmp_path / "absent")})
    (only,) = walk(starts, roots)
    assert isinstance(only, Found)
    assert roots.location(only.path) == only.location
    assert roots.location("gone:1") is None
    assert roots.location("unknown:1") is None
    assert Roots({}).location("x:1") is None


def test_a_path_that_does_not_exist_is_an_error_without_the_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        with_roots([tmp_path, tmp_path / "Doe^John"], {})
    assert "Doe" not in str(error.value) + error.value.hint


# --- what cannot be read -------------------------------------------------------------------------

def test_names_that_are_no_text_are_written_as_escapes(tmp_path: Path) -> None:
    base = make(tmp_path / "base", "ok")
    odd = os.path.join(os.fsencode(base), b"M\xfcller.dcm")
    try:
        Path(os.fsdecode(odd)).write_bytes(b"x")
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    starts, roots = with_roots([base], {})
    first, _ = walk(starts, roots)
    assert isinstance(first, Found)
    assert first.path == "base:M\\xfcller.dcm"
    assert roots.location(first.path) == first.location
    assert Path(first.location).read_bytes() == b"x"
    first.path.encode("utf-8")
    assert readable(os.fsdecode(b"\xff\xc3\xbc")) == "\\xff\u00fc"


def test_a_file_that_vanishes_is_rejected(tmp_path: Path) -> None:
    base = make(tmp_path / "base", "1", "2")
    starts, roots = with_roots([base], {})
    files = walk(starts, roots)
    next(files)
    (base / "2").unlink()
    (gone,) = files
    assert isinstance(gone, Rejected)
    assert (gone.file.path, gone.reason) == ("base:2", Reason.UNREADABLE)
    assert str(tmp_path) not in gone.detail


def test_a_folder_that_cannot_be_listed_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = make(tmp_path / "base", "a/1", "b/2")
    scandir: Callable[[str], Iterable[os.DirEntry[str]]] = os.scandir

    def refusing(folder: str) -> Iterable[os.DirEntry[str]]:
        if folder.endswith("a"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    starts, roots = with_roots([base], {})
    refused, other = walk(starts, roots)
    assert isinstance(refused, Rejected)
    assert (refused.file.path, refused.reason) == ("base:a/", Reason.UNREADABLE)
    assert refused.detail == "folder: Permission denied"
    assert isinstance(other, Found)


SIZES = [
    # name          files, size, chunks
    ("none",        0, 3, []),
    ("one chunk",   2, 3, [2]),
    ("even",        6, 3, [3, 3]),
    ("rest",        7, 3, [3, 3, 1]),
]


@pytest.mark.parametrize(("n", "size", "wanted"), [c[1:] for c in SIZES],
                         ids=[c[0] for c in SIZES])
def test_chunks(n: int, size: int, wanted: list[int]) -> None:
    files: list[Found | Rejected] = [Found("", f"r:{i}") for i in range(n)]
    made = list(chunks(iter(files), size))
    assert [len(chunk) for chunk in made] == wanted
    assert [f for chunk in made for f in chunk] == files
