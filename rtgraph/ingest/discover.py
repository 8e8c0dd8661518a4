"""Finding files: every file below the given paths, by name order, with its path in the graph.

Content decides what is DICOM, never the name, so nothing is left out here but the junk and snapshot
folders of storage systems. A folder that cannot be listed is reported like a file.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from errno import ELOOP
from itertools import islice
from pathlib import Path

from rtgraph.errors import UsageError
from rtgraph.ingest.records import Found, Reason, Rejected

JUNK = frozenset({
    ".snapshot", ".snapshots", "~snapshot", "#snapshot", "#recycle", "@eadir", "@recycle",
    "$recycle.bin", "system volume information", ".trash", ".trashes", "__macosx",
    ".git", "lost+found",
})


@dataclass(frozen=True, slots=True)
class Roots:
    """The named folders that paths in the graph are relative to."""

    by_name: Mapping[str, str]

    def location(self, path: str) -> str | None:
        """Return where a path of the graph is on this machine; None when its root is not."""
        name, _, relative = path.partition(":")
        base = self.by_name.get(name)
        if base is None or not os.path.isdir(base):
            return None
        return actual(os.path.join(base, *relative.split("/")))

    def name_of(self, folder: str) -> str | None:
        """Return the name of the root that is exactly this folder."""
        return next((n for n, base in self.by_name.items() if base == folder), None)


def readable(path: str) -> str:
    """Return a file name as text: bytes that are no UTF-8 are written as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def actual(text: str) -> str:
    """Return the path that `readable` has made this text of."""
    if os.path.lexists(text):
        return text
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), os.fsencode(text))
    path = os.fsdecode(raw)
    return path if os.path.lexists(path) else text


def with_roots(paths: Sequence[Path], known: Mapping[str, str]) -> tuple[list[str], Roots]:
    """Make absolute starting points, and a root for each that is under none so far.

    Raises
    ------
    UsageError
        A path does not exist.
    """
    names = dict(known)
    starts = []
    for path in paths:
        start = os.path.realpath(path)
        if not os.path.exists(start):
            raise UsageError("A given path does not exist.", "Check the path; nothing was read.")
        starts.append(start)
        folder = start if os.path.isdir(start) else os.path.dirname(start)
        if _root_above(folder, names) is None:
            names[_unused(readable(os.path.basename(folder)) or "root", names)] = folder
    return starts, Roots(names)


def _root_above(folder: str, names: Mapping[str, str]) -> str | None:
    """The longest root that holds a folder."""
    inside = [n for n, base in names.items()
              if folder == base or folder.startswith(base.rstrip(os.sep) + os.sep)]
    return max(inside, key=lambda n: len(names[n]), default=None)


def _unused(name: str, names: Iterable[str]) -> str:
    name = name.replace(":", "_")
    taken = set(names)
    tries = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(t for t in tries if t not in taken)


def walk(starts: Sequence[str], roots: Roots, *, follow_links: bool = False
         ) -> Iterator[Found | Rejected]:
    """Yield every file below `starts`, each once, folders in name order."""
    seen: set[str] = set()
    for start in starts:
        folder = os.path.dirname(start) if os.path.isfile(start) else start
        name = _root_above(folder, roots.by_name)
        assert name is not None
        if folder == start:
            yield from _folder(start, name, roots, follow_links, seen)
        elif not {start, folder} & seen:
            seen.add(start)
            yield found_at(start, _path(start, name, roots))


def _folder(folder: str, name: str, roots: Roots, follow_links: bool, seen: set[str]
            ) -> Iterator[Found | Rejected]:
    """Walk with a stack of listings: folders may be deeper than Python calls can nest.

    `seen` holds the real folders that were listed, and files that were given themselves.
    """
    first: list[tuple[str, str | None]] = [(folder, os.path.realpath(folder))]
    listings = [iter(first)]
    names = [name]
    while listings:
        path, real = next(listings[-1], ("", None))
        if not path:
            listings.pop()
            names.pop()
        elif real is None:
            if path not in seen:
                yield found_at(path, _path(path, names[-1], roots))
        elif real not in seen:
            seen.add(real)
            names.append(roots.name_of(path) or names[-1])
            try:
                listings.append(iter(_listed(path, real, follow_links)))
            except OSError as error:
                yield Rejected(Found(path, _path(path, names.pop(), roots) + "/"),
                               Reason.UNREADABLE, f"folder: {os.strerror(error.errno or 5)}")


def _listed(folder: str, real: str, follow_links: bool) -> list[tuple[str, str | None]]:
    """List by name files, and folders with the real path that tells them apart."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda e: e.name)
    listed: list[tuple[str, str | None]] = []
    for entry in entries:
        is_link = entry.is_symlink()
        if is_link and not follow_links:
            continue
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError as error:
            if error.errno == ELOOP:  # a link to itself leads to no file
                continue
            is_folder, is_file = False, True  # reading it tells the reason
        if is_file:
            listed.append((entry.path, None))
        elif is_folder and entry.name.casefold() not in JUNK:
            inside = os.path.realpath(entry.path) if is_link else os.path.join(real, entry.name)
            listed.append((entry.path, inside))
    return listed


def found_at(location: str, path: str) -> Found | Rejected:
    """Look at a file; `path` names it in the graph."""
    try:
        status = os.stat(location)
    except OSError as error:
        return Rejected(Found(location, path), Reason.UNREADABLE, os.strerror(error.errno or 5))
    return Found(location, path, status.st_size, status.st_mtime_ns)


def _path(location: str, name: str, roots: Roots) -> str:
    relative = os.path.relpath(location, roots.by_name[name]).replace(os.sep, "/")
    return f"{name}:{readable(relative)}"


def chunks(files: Iterator[Found | Rejected], size: int) -> Iterator[list[Found | Rejected]]:
    """Yield files in lists of at most `size`."""
    while chunk := list(islice(files, size)):
        yield chunk
