"""Which files are found below given paths, once each, and what they are called in the graph."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from rtgraph.errors import UsageError
from rtgraph.ingest import opening
from rtgraph.ingest.discover import (
    JUNK,
    LONGEST_MEMBER,
    Roots,
    chunks,
    found_at,
    readable,
    walk,
    with_roots,
)
from rtgraph.ingest.records import Found, Reason, Rejected
from tests.data import archives
from tests.data.archives import with_field, zip_of, zipped


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
    ("folder, then junk",    ("base", "base/.git"),      ["base:1", "base:a/2", "base:.git/3"]),
    ("junk, then folder",    ("base/.git", "base"),      [".git:3", "base:1", "base:a/2"]),
    ("names alike",          ("base/a", "base/a.b"),     ["a:2", "a.b:4"]),
]


@pytest.mark.parametrize(("given", "wanted"), [c[1:] for c in ONCE], ids=[c[0] for c in ONCE])
def test_every_file_is_found_once(
    tmp_path: Path, given: tuple[str, ...], wanted: list[str]
) -> None:
    make(tmp_path / "base", "1", "a/2", ".git/3")
    if "base" not in given:
        make(tmp_path / "base", "a.b/4")
    assert found(*(tmp_path / g for g in given)) == wanted


def test_every_file_is_asked_once_for_size_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [f"{folder}/{i}" for folder in ("a", "b/c") for i in range(9)]
    starts, roots = with_roots([make(tmp_path / "base", *files)], {})
    asked: Counter[str] = Counter()
    stat, lstat = os.stat, os.lstat

    def counted(ask: Callable[[str], os.stat_result]) -> Callable[..., os.stat_result]:
        def counting(path: str, **options: object) -> os.stat_result:
            asked[str(path)] += 1
            return ask(path, **options)

        return counting

    monkeypatch.setattr(os, "stat", counted(stat))
    monkeypatch.setattr(os, "lstat", counted(lstat))
    locations = [f.location for f in walk(starts, roots) if isinstance(f, Found)]
    assert {asked[location] for location in locations} == {1}
    assert sum(asked.values()) < len(files) + 20


def test_folders_may_be_deeper_than_calls_can_nest(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    here = os.getcwd()
    try:  # such a path is longer than the system takes at once
        os.chdir(base)
        for _ in range(300):
            os.mkdir("d")
            os.chdir("d")
        Path("1").write_bytes(b"x")
    finally:
        os.chdir(here)
    assert found(base) == ["base:" + "d/" * 300 + "1"]


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


def test_a_colon_at_the_end_of_a_folder(tmp_path: Path) -> None:
    base = make(tmp_path / "base", "a:/1", "a:/b:/2")
    assert found(base) == ["base:a:/1", "base:a:/b:/2"]
    assert found(base / "a:", known={"base": str(base)}) == ["base:a:/1", "base:a:/b:/2"]


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


# --- archives ------------------------------------------------------------------------------------

@pytest.fixture
def packed(tmp_path: Path) -> Iterator[Path]:
    """A folder with two files and an archive of four members, one of them an archive itself."""
    base = make(tmp_path / "base", "0", "z")
    inner = make(tmp_path / "inner", "b/2.dcm", "b/10", "__MACOSX/b/._10", "x/.Trash/3", "1")
    zipped(tmp_path / "inner", inner / "own.zip")
    zipped(inner, base / "Sub.ZIP")
    yield base
    opening.close()


def test_an_archive_is_a_folder_of_its_members(packed: Path) -> None:
    assert found(packed) == ["base:0", "base:Sub.ZIP!/1", "base:Sub.ZIP!/b/10",
                             "base:Sub.ZIP!/b/2.dcm", "base:Sub.ZIP!/own.zip", "base:z"]
    assert found(packed / "Sub.ZIP") == found(packed)[1:-1]
    assert found(packed / "Sub.ZIP", packed) == [*found(packed)[1:-1], "base:0", "base:z"]


def test_a_member_has_its_size_and_the_time_of_the_archive(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", ("x", b"12345"))
    os.utime(archive, ns=(1, 123_456_789))
    starts, roots = with_roots([archive], {"r": str(tmp_path)})
    (only,) = walk(starts, roots)
    assert only == Found(f"{archive}!/x", "r:a.zip!/x", 5, 123_456_789)
    assert found_at(only.location, only.path) == only
    assert str(tmp_path) not in repr(only)


def test_an_archive_behind_a_link_is_read_when_wanted(tmp_path: Path, packed: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/link.zip").symlink_to(packed / "Sub.ZIP")
    assert found(tmp_path / "other") == []
    assert len(found(tmp_path / "other", follow_links=True)) == 4


MEMBERS = ["a", "../../up", "/abs", "b/../c", "C:\\x", "d\n\x1b[m", "e.zip!/f", "g//h", "i:j",
           "ü", "\\xfc", " "]


def test_the_path_of_a_member_leads_back_to_it(tmp_path: Path) -> None:
    """Whatever members and folders are called; nothing is written anywhere."""
    zip_of(make(tmp_path / "base", "o.zip!/1") / "o.zip!/in.zip",
           *((name, name.encode()) for name in MEMBERS))
    starts, roots = with_roots([tmp_path / "base"], {})
    files = [f for f in walk(starts, roots) if isinstance(f, Found)]
    assert {f.path for f in files} == {
        "base:o.zip!/1", *(f"base:o.zip!/in.zip!/{name}" for name in MEMBERS)}
    for file in files:
        assert roots.location(file.path) == file.location
        assert found_at(file.location, file.path) == file
        assert opening.is_gone(file.location) is False
        assert opening.read(file.location) == file.path.removeprefix(
            "base:o.zip!/in.zip!/").removeprefix("base:o.zip!/").encode().replace(b"1", b"x")
    assert sorted(os.listdir(tmp_path)) == ["base"]
    opening.close()


def test_an_archive_whose_name_is_no_text(tmp_path: Path) -> None:
    odd = os.path.join(os.fsencode(tmp_path), b"M\xfcller.zip")
    try:
        os.replace(zip_of(tmp_path / "a.zip", ("x\\xfc", b"1")), odd)
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    starts, roots = with_roots([tmp_path], {"r": str(tmp_path)})
    (only,) = walk(starts, roots)
    assert isinstance(only, Found)
    assert only.path == "r:M\\xfcller.zip!/x\\xfc"
    assert roots.location(only.path) == only.location
    assert opening.read(only.location) == b"1"
    opening.close()


def test_what_is_gone_does_not_exist(tmp_path: Path, packed: Path) -> None:
    is_gone = opening.is_gone
    starts, roots = with_roots([packed], {})
    locations = {f.path: f.location for f in walk(starts, roots) if isinstance(f, Found)}
    assert {is_gone(location) for location in locations.values()} == {False}
    zip_of(packed / "Sub.ZIP", ("1", b""), ("b/", b""))
    gone = [path for path, location in locations.items() if is_gone(location)]
    assert gone == ["base:Sub.ZIP!/b/10", "base:Sub.ZIP!/b/2.dcm", "base:Sub.ZIP!/own.zip"]
    (packed / "Sub.ZIP").write_bytes(b"PK\3\4")  # damaged: what was in it is not known to be gone
    assert {is_gone(location) for path, location in locations.items() if "!" in path} == {None}
    (packed / "Sub.ZIP").unlink()
    for path, location in locations.items():
        assert is_gone(location) is ("!" in path)
        assert is_gone(roots.location(path) or "") is ("!" in path)
        if "!" in path:
            assert isinstance(found_at(location, path), Rejected)


def test_what_cannot_be_looked_at_is_not_gone(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)  # as a share that does not answer: neither there nor known to be gone
    assert opening.is_gone(str(loop)) is None
    assert opening.is_gone(str(loop / "x")) is None
    (tmp_path / "file").touch()
    assert opening.is_gone(str(tmp_path / "file" / "x")) is True
    assert opening.is_gone(str(tmp_path / "none")) is True


BAD: list[tuple[str, Callable[[bytes], bytes], str | None]] = [
    # name            what is done to an archive                                rejected with
    ("cut",           lambda raw: raw[:-9],                                     "archive: "),
    ("no directory",  lambda raw: raw.replace(b"PK\1\2", b"PK\7\7"),           "archive: "),
    ("no archive",    lambda raw: b"text",                                      None),
    ("empty",         lambda raw: b"",                                          None),
    ("one encrypted", lambda raw: with_field(raw, archives.FLAGS, 1, 2),        None),
]


@pytest.mark.parametrize(("change", "detail"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_archive_costs_itself_only(
    tmp_path: Path, change: Callable[[bytes], bytes], detail: str | None
) -> None:
    """One that is damaged is rejected; what is none, or can be listed, is left to reading."""
    base = make(tmp_path / "base", "1", "z")
    archive = zip_of(base / "Doe.zip", ("Doe^John", b"text"))
    archive.write_bytes(change(archive.read_bytes()))
    starts, roots = with_roots([base], {})
    first, *others, last = walk(starts, roots)
    assert isinstance(first, Found)
    assert isinstance(last, Found)
    (other,) = others
    if detail is None:
        assert isinstance(other, Found)
    else:
        assert isinstance(other, Rejected)
        assert (other.file.path, other.reason) == ("base:Doe.zip", Reason.UNREADABLE)
        assert other.detail.startswith(detail)
        assert "Doe" not in other.detail


def test_names_that_are_too_long_for_the_graph_are_rejected(tmp_path: Path) -> None:
    longest = "ü" * (LONGEST_MEMBER // 2)
    archive = zip_of(tmp_path / "a.zip", (longest, b""), (longest + "x", b""))
    starts, roots = with_roots([archive], {"r": str(tmp_path)})
    good, bad = walk(starts, roots)
    assert isinstance(good, Found)
    assert isinstance(bad, Rejected)
    assert bad.reason is Reason.UNREADABLE
    assert len(bad.file.path.encode()) < LONGEST_MEMBER


def test_a_file_with_the_path_of_a_member_is_not_taken_for_it(tmp_path: Path) -> None:
    base = make(tmp_path / "base", "a.zip!/x")
    zip_of(base / "a.zip", ("x", b"member"), ("y", b"member"))
    starts, roots = with_roots([base], {})
    refused, other, plain = walk(starts, roots)
    assert isinstance(refused, Rejected)
    assert isinstance(other, Found)
    assert isinstance(plain, Found)
    assert (other.path, plain.path) == ("base:a.zip!/y", "base:a.zip!/x")
    assert [opening.read(f.location) for f in (other, plain)] == [b"member", b"x"]
    opening.close()


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
