"""The list of rejected files: what is written, what is tried again, when there are too many."""

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from rtgraph.errors import ExitCode, OutputError, TooManyRejects, UsageError
from rtgraph.ingest.discover import readable, walk, with_roots
from rtgraph.ingest.filters import Modalities
from rtgraph.ingest.records import Found, Instance, Reason, Rejected
from rtgraph.ingest.rejected import (
    RejectLimit,
    Retry,
    limit_of,
    read_rejects,
    reject_list,
)


def rejected(location: object, reason: Reason = Reason.NOT_DICOM) -> Rejected:
    return Rejected(Found(str(location), "r:x"), reason, "detail")


def lines(path: Path) -> list[str]:
    return [json.loads(line)["path"] for line in path.read_text(encoding="utf-8").splitlines()]


# --- writing -------------------------------------------------------------------------------------

def test_lines_are_numbered_over_all_runs(tmp_path: Path) -> None:
    path, seen = tmp_path / "rejects.jsonl", []
    for names, expected in (("ab", (1, 2)), ("c", (3, 3)), ("", (0, 0))):
        with reject_list(path, notice=lambda n, r: seen.append((n, r.file.location))) as found:
            for name in names:
                found(rejected(name))
        assert (found.first, found.last) == expected
    assert lines(path) == ["a", "b", "c"]
    assert seen == [(1, "a"), (2, "b"), (3, "c")]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text().splitlines()[0]) == {
        "detail": "detail", "path": "a", "reason": "NOT_DICOM"}


def test_no_file_is_made_for_nothing(tmp_path: Path) -> None:
    with reject_list(tmp_path / "rejects.jsonl"):
        pass
    with reject_list(None) as found:
        found(rejected("a"))
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_is_empty_is_one(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    path.touch(0o644)
    with reject_list(path) as found:
        found(rejected("a"))
    assert lines(path) == ["a"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_of_another_kind_is_never_written_to(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("notes\n")
    with reject_list(path) as found, pytest.raises(OutputError, match="something else"):
        found(rejected("a"))
    assert path.read_text() == "notes\n"
    with reject_list(tmp_path / "no/such/folder") as found, pytest.raises(OutputError):
        found(rejected("a"))


AGAIN = [
    # name             complete  still failing  what the list holds then
    ("some are fine",  True,     ["b"],         ["b"]),
    ("all are fine",   True,     [],            None),
    ("all fail",       True,     ["a", "b"],    ["a", "b"]),
    ("stopped",        False,    ["b"],         ["a", "b"]),
    ("stopped early",  False,    [],            ["a", "b"]),
]


@pytest.mark.parametrize(("complete", "failing", "expected"), [c[1:] for c in AGAIN],
                         ids=[c[0] for c in AGAIN])
def test_a_list_that_is_tried_again_holds_what_still_fails(
    tmp_path: Path, complete: bool, failing: list[str], expected: list[str] | None
) -> None:
    path = tmp_path / "rejects.jsonl"
    with reject_list(path) as found:
        for name in "ab":
            found(rejected(name))
    with reject_list(path, again=True) as found:
        for name in failing:
            found(rejected(name))
        found.complete = complete
    assert (lines(path) if path.exists() else None) == expected
    assert {p.name for p in tmp_path.iterdir()} <= {"rejects.jsonl"}


# --- trying again --------------------------------------------------------------------------------

def written(path: Path, *locations: object) -> Path:
    with reject_list(path) as found:
        for location in locations:
            found(rejected(location))
    return path


def read_again(retry: Retry) -> list[str]:
    """Locations below a list, as a run would see them."""
    starts, roots = with_roots(retry.paths, {})
    files = [f for f in walk(starts, roots) if retry.wants(f)]
    assert all(isinstance(f, Found) for f in files)
    return sorted(f.location for f in files if isinstance(f, Found))


def test_files_of_a_list_are_found_again(tmp_path: Path) -> None:
    names = [b"a", "\u00e9".encode(), b"\xe9 bytes", rb"\xe9 escape"]
    paths = [os.path.join(os.fsencode(tmp_path), name) for name in names]
    for path in paths:
        with open(path, "wb"):
            pass
    locations = [os.fsdecode(p) for p in paths]
    retry = read_rejects(written(tmp_path / "list", *locations, tmp_path / "gone", locations[0]))
    assert read_again(retry) == sorted(locations)
    assert retry.gone == 1
    assert readable(locations[2]).endswith(r"\xe9 bytes")


def test_members_of_archives_are_found_again(tmp_path: Path) -> None:
    for name in "ab":
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for member in ("1", "2", "f/3"):
                archive.writestr(member, "x")
    one, other = (f"{tmp_path / name}.zip" for name in "ab")
    retry = read_rejects(written(tmp_path / "list", f"{one}!/2", f"{one}!/gone", f"{other}!/f/3",
                                 tmp_path / "no.zip!/1"))
    assert read_again(retry) == [f"{one}!/2", f"{other}!/f/3"]
    assert retry.gone == 2
    whole = read_rejects(written(tmp_path / "list 2", f"{one}!/2", one))
    assert read_again(whole) == [f"{one}!/{n}" for n in ("1", "2", "f/3")]


def test_a_folder_that_could_not_be_listed_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f/1").touch()
    (tmp_path / "2").touch()
    retry = read_rejects(written(tmp_path / "list", tmp_path / "f"))
    assert read_again(retry) == [str(tmp_path / "f/1")]


BAD = [
    # name             second line
    ("no JSON",        "notes"),
    ("no object",      "[1]"),
    ("no path",        '{"detail": "", "reason": "NOT_DICOM"}'),
    ("empty path",     '{"detail": "", "path": "", "reason": "NOT_DICOM"}'),
    ("other path",     '{"detail": "", "path": 7, "reason": "NOT_DICOM"}'),
    ("other reason",   '{"detail": "", "path": "x", "reason": "CANARY"}'),
    ("blank",          ""),
]


@pytest.mark.parametrize("line", [c[1] for c in BAD], ids=[c[0] for c in BAD])
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    path = written(tmp_path / "list", tmp_path)
    with path.open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(UsageError, match=r"Line 2 of the list") as raised:
        read_rejects(path)
    assert "CANARY" not in str(raised.value)


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_rejects(tmp_path / "nothing")
    (tmp_path / "bytes").write_bytes(b"\xff\xff\n")
    with pytest.raises(UsageError, match="no text"):
        read_rejects(tmp_path / "bytes")


# --- too many ------------------------------------------------------------------------------------

LIMITS = [
    # text     rejected  files  too many
    ("0",      0,        500,   False),
    ("0",      1,        1,     True),
    ("10",     10,       10,    False),
    ("10",     11,       11,    True),
    ("5%",     5,        100,   False),
    ("5%",     6,        100,   True),
    ("5%",     99,       99,    False),
    ("0%",     1,        100,   True),
    ("0.5 %",  5,        1000,  False),
    ("0.5%",   6,        1000,  True),
    ("100%",   100,      100,   False),
]


@pytest.mark.parametrize(("text", "count", "files", "many"), LIMITS, ids=[
    f"{c[0]} {c[1]} of {c[2]}" for c in LIMITS])
def test_limits(text: str, count: int, files: int, many: bool) -> None:
    limit = limit_of(text)
    if not many:
        limit.check(count, files)
        return
    with pytest.raises(TooManyRejects) as raised:
        limit.check(count, files)
    assert raised.value.exit_code is ExitCode.findings
    assert f"{count:,} of {files:,}" in str(raised.value)
    assert "--max-rejects" in raised.value.hint


@pytest.mark.parametrize("text", ["", "-1", "x", "5%%", "101%", "1.5", "%", "1e3", "٣"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(UsageError, match="--max-rejects"):
        limit_of(text)


def test_a_limit_is_shown_as_it_was_given() -> None:
    assert [str(RejectLimit(n, p)) for n, p in ((5, True), (0.5, True), (1234, False))] == [
        "5 %", "0.5 %", "1,234"]


# --- filters -------------------------------------------------------------------------------------

FILTERS = [
    # only          without  CT     MR     none
    ("",            "",      True,  True,  True),
    ("CT",          "",      True,  False, False),
    ("CT MR",       "MR",    True,  False, False),
    ("",            "MR",    True,  False, True),
]


@pytest.mark.parametrize(("only", "without", "ct", "mr", "none"), FILTERS)
def test_modalities(only: str, without: str, ct: bool, mr: bool, none: bool) -> None:
    taken = Modalities(frozenset(only.split()), frozenset(without.split()))
    assert bool(taken) is bool(only or without)
    for modality, expected in (("CT", ct), ("MR", mr), (None, none)):
        values = {"Instance": {"Modality": modality} if modality else {}}
        assert taken.takes(Instance(Found("", ""), "", "", "", "", "", values)) is expected
