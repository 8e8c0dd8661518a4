"""The list of rejected files: writing it, trying its files again, and when there are too many.

A line is JSON with path, reason and detail. Paths may hold names of patients, so the file is for
its owner only and everything else names the numbers of its lines.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rtgraph.errors import OutputError, TooManyRejects, UsageError
from rtgraph.graphmodel import retire
from rtgraph.ingest import opening
from rtgraph.ingest.discover import actual, readable
from rtgraph.ingest.opening import SEPARATOR
from rtgraph.ingest.records import Found, Reason, Rejected
from rtgraph.store.bolt import Store

_FIRST_KEY = '{"detail": '
# Gets the number of the line (0 without a list) and the file, as soon as it is known.
Notice = Callable[[int, Rejected], None]


# --- writing -------------------------------------------------------------------------------------

@dataclass
class RejectList:
    """Takes rejected files; `first` and `last` are the lines that it wrote, 0 for none.

    The file is made when the first line is written; a later run adds its lines, since files that
    were rejected before are not read again. A list that is tried `again` is replaced by what still
    fails, once the run is `complete`; until then it stays as it was.
    """

    path: Path | None
    notice: Notice | None = None
    again: bool = False
    complete: bool = False
    first: int = 0
    last: int = 0
    _stream: TextIO | None = field(default=None, repr=False)

    def __call__(self, rejected: Rejected) -> None:
        """Write a line."""
        if self.path is not None:
            if self._stream is None:
                self._open(self.path)
            assert self._stream is not None
            self._stream.write(line_of(rejected))
            self.last += 1
            self.first = self.first or self.last
        if self.notice is not None:
            self.notice(self.last, rejected)

    def _open(self, path: Path) -> None:
        if self.again:
            self._new(path).unlink(missing_ok=True)
            self._stream, _ = _private(self._new(path))
        else:
            self._stream, self.last = _private(path)

    @staticmethod
    def _new(path: Path) -> Path:
        return path.with_name(path.name + ".new")

    def close(self) -> None:
        """End the list."""
        if self._stream is not None:
            self._stream.close()
        if self.path is None or not self.again:
            return
        if self.complete and self._stream is not None:
            os.replace(self._new(self.path), self.path)
        elif self.complete:
            self.path.unlink(missing_ok=True)
        else:
            self._new(self.path).unlink(missing_ok=True)


@contextmanager
def reject_list(
    path: Path | None, *, notice: Notice | None = None, again: bool = False
) -> Iterator[RejectList]:
    """Yield what writes one line a rejected file, readable by the user only.

    Raises
    ------
    OutputError
        The file cannot be written, or is one of another kind: that is never written to.
    """
    rejects = RejectList(path, notice, again)
    try:
        yield rejects
    finally:
        try:
            rejects.close()
        except OSError as error:
            raise _not_writable(error) from error


def line_of(rejected: Rejected) -> str:
    """Return the line of a rejected file: its path, the reason and what was found."""
    return json.dumps({
        "path": readable(rejected.file.location),
        "reason": rejected.reason.value, "detail": rejected.detail,
    }, sort_keys=True) + "\n"


def _private(path: Path) -> tuple[TextIO, int]:
    """Open a list for more lines; return how many it has."""
    lines = 0
    try:
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as kept:
                first = kept.readline()
                if first and not first.startswith(_FIRST_KEY):
                    raise OutputError("The file for rejected files is something else.",
                                      "Name another one with --rejects FILE.")
                lines = bool(first) + sum(1 for _ in kept)
            path.chmod(0o600)
        return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "a",
                         encoding="utf-8"), lines
    except OSError as error:
        raise _not_writable(error) from error


def _not_writable(error: OSError) -> OutputError:
    return OutputError(f"The list of rejected files cannot be written: {error.strerror}.",
                       "Name another place with --rejects FILE.")


# --- trying again --------------------------------------------------------------------------------

@dataclass(frozen=True)
class Retry:
    """What is tried again: files and folders, and of archives the named members only.

    `gone` counts entries whose file is not there any more.
    """

    paths: Sequence[Path] = field(default=(), repr=False)
    members: frozenset[str] = field(default=frozenset(), repr=False)
    archives: frozenset[str] = field(default=frozenset(), repr=False)
    gone: int = 0

    def wants(self, file: Found | Rejected) -> bool:
        """Tell whether a file below `paths` is to be read."""
        location = file.location if isinstance(file, Found) else file.file.location
        if location in self.members or SEPARATOR not in location:
            return True
        return not any(location.startswith(archive + SEPARATOR) for archive in self.archives)


def read_rejects(file: Path) -> Retry:
    """Read a list of rejected files.

    Raises
    ------
    UsageError
        It cannot be read, or a line is no entry of such a list.
    """
    paths: dict[str, None] = {}
    members: set[str] = set()
    archives: set[str] = set()
    whole: set[str] = set()  # an archive that was rejected itself is tried as a whole
    gone = 0
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                location = _location(_path_of(line, number))
                inside = opening.split(location) if SEPARATOR in location else None
                if inside is not None:
                    members.add(location)
                    archives.add(inside[0])
                else:
                    whole.add(location)
                if opening.is_gone(location):
                    gone += location not in paths
                    continue
                paths[inside[0] if inside else location] = None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"The list of rejected files cannot be read: {reason}.") from error
    return Retry([Path(p) for p in paths], frozenset(members), frozenset(archives - whole), gone)


def _path_of(line: str, number: int) -> str:
    try:
        entry = json.loads(line)
        Reason(entry["reason"])
        if not isinstance(entry["path"], str) or not entry["path"]:
            raise ValueError
        return str(entry["path"])
    except (ValueError, TypeError, KeyError):
        raise UsageError(f"Line {number} of the list of rejected files is no entry of one.",
                         "Give a file that `rtgraph ingest` has written.") from None


def _location(text: str) -> str:
    """Return where an entry is: bytes that are no UTF-8 were written as escapes."""
    whole = actual(text)
    at = text.find(SEPARATOR)
    while at >= 0 and not os.path.lexists(whole):
        archive = actual(text[:at])
        if os.path.isfile(archive):
            return archive + text[at:]
        at = text.find(SEPARATOR, at + 1)
    return whole


# --- too many ------------------------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class RejectLimit:
    """How many rejected files are allowed: a number, or a share of the files so far."""

    allowed: float
    percent: bool = False

    FEWEST = 100  # files, before a share is judged

    def check(self, rejected: int, files: int) -> None:
        """End the run when too many files are no objects.

        Parameters
        ----------
        rejected : int
            Files that are no objects, those that earlier runs rejected and that have not changed
            included.
        files : int
            Files that have ended in a state so far.

        Raises
        ------
        TooManyRejects
            The run is stopped; what it has written stays.
        """
        if self.percent:
            over = files >= self.FEWEST and 100 * rejected > self.allowed * files
        else:
            over = rejected > self.allowed
        if over:
            raise TooManyRejects(
                f"More than {self} of the files are no DICOM objects: {rejected:,} of {files:,} so "
                "far. The run was stopped.",
                "Is this the right folder? A higher --max-rejects goes on.")

    def __str__(self) -> str:
        return f"{self.allowed:g} %" if self.percent else f"{self.allowed:,.0f}"


def limit_of(text: str) -> RejectLimit:
    """Return the limit that a number or a percentage means.

    Raises
    ------
    UsageError
        It is neither.
    """
    match = re.fullmatch(r"(\d{1,15})|(\d{1,3}(?:\.\d{1,6})?) ?%", text.strip(), re.ASCII)
    if match is None or (match[2] and float(match[2]) > 100):
        raise UsageError("--max-rejects is a number of files, or a share like 5%.")
    return RejectLimit(float(match[2]), True) if match[2] else RejectLimit(float(match[1]))


async def known_rejects(store: Store, paths: Iterable[str]) -> int:
    """Count unchanged files that earlier runs rejected."""
    rows = await store.read(retire.KNOWN_REJECTS, rows=list(paths))
    return int(rows[0]["n"])
