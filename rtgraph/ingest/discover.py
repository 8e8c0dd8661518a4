"""Finding files: every file below the given paths, by name order, with its path in the graph.

Content decides what is DICOM, never the name, so nothing is left out here but the junk and snapshot
folders of storage systems. A folder that cannot be listed is reported like a file. A zip archive is
a folder of its members.
"""

import os
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from errno import EIO, ELOOP
from itertools import islice, pairwise
from pathlib import Path

from rtgraph.errors import UsageError
from rtgraph.ingest import opening
from rtgraph.ingest.opening import SEPARATOR
from rtgraph.ingest.records import Found, Reason, Rejected

JUNK = frozenset({
    ".snapshot", ".snapshots", "~snapshot", "#snapshot", "#recycle", "@eadir", "@recycle",
    "$recycle.bin", "system volume information", ".trash", ".trashes", "__macosx",
    ".git", "lost+found", ".incoming", ".replaced",
})
LONGEST_MEMBER = 2048  # bytes; longer names than any file has cannot be looked up in the graph


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
        whole = actual(os.path.join(base, *relative.split("/")))
        at = relative.find(SEPARATOR)
        while at >= 0 and not os.path.lexists(whole):
            # The names of members are kept as they are: escapes in them stand for themselves.
            archive = actual(os.path.join(base, *relative[:at].split("/")))
            if opening.has_suffix(archive) and os.path.isfile(archive):
                return archive + relative[at:]
            at = relative.find(SEPARATOR, at + 1)
        return whole

    def names(self) -> dict[str, str]:
        """Return the names by folder; of several for one folder, the first."""
        return {base: name for name, base in reversed(list(self.by_name.items()))}


def readable(path: str) -> str:
    """Return a file name as text: bytes that are no UTF-8 are written as escapes."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


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
    walker = _Walker(roots.names(), follow_links, follow_links or _overlap(starts))
    for start in starts:
        folder = os.path.dirname(start) if os.path.isfile(start) else start
        name = _root_above(folder, roots.by_name)
        assert name is not None
        relative = readable(os.path.relpath(start, roots.by_name[name]).replace(os.sep, "/"))
        if folder != start:
            yield from walker.file(start, f"{name}:{relative}", folder)
        else:
            yield from walker.folder(start, f"{name}:{'' if relative == '.' else relative + '/'}")


def _overlap(starts: Sequence[str]) -> bool:
    """Tell whether a starting point is given twice, or is below another one."""
    ordered = sorted(os.path.join(start, "") for start in starts)
    return any(below.startswith(above) for above, below in pairwise(ordered))


@dataclass(slots=True)
class _Folder:
    """A folder on the way: the names in it that are still to come, and those that are folders.

    `location` and `path` are what a name is put behind; `real` tells folders apart.
    """

    location: str
    path: str
    real: str
    names: Iterator[str]
    folders: Mapping[str, bool]  # is it a link?


class _Walker:
    """Walks with a stack of listings: folders may be deeper than Python calls can nest.

    A listing holds names only, and each file is asked once for size and time: a folder may have a
    million files. Folders are remembered only where one could be met twice.
    """

    def __init__(self, roots: Mapping[str, str], follow_links: bool, remember: bool) -> None:
        self._roots = roots
        self._follow_links = follow_links
        self._remember = remember
        self._folders: set[str] = set()  # real paths of those that were listed
        self._files: set[str] = set()  # those that were given themselves

    def file(self, location: str, path: str, folder: str) -> Iterator[Found | Rejected]:
        """Yield a file that was given itself."""
        if location not in self._files and folder not in self._folders:
            self._files.add(location)
            yield from _archive(location, path)

    def folder(self, start: str, path: str) -> Iterator[Found | Rejected]:
        """Yield what is below a folder whose files have paths that begin with `path`."""
        stack: list[_Folder] = []
        coming = self._entered(start, path, os.path.realpath(start))
        while True:
            if isinstance(coming, Rejected):
                yield coming
            elif coming:
                stack.append(coming)
            name = None
            while stack and (name := (yield from self._files_of(stack[-1]))) is None:
                stack.pop()
            if name is None:
                return
            top = stack[-1]
            location = top.location + name
            is_link = top.folders[name]
            real = os.path.realpath(location) if is_link else os.path.join(top.real, name)
            root = self._roots.get(location)
            below = f"{root}:" if root else f"{top.path}{readable(name)}/"
            coming = self._entered(location, below, real)

    def _entered(self, location: str, path: str, real: str) -> _Folder | Rejected | None:
        """List a folder, unless it was listed before."""
        if real in self._folders:
            return None
        if self._remember:
            self._folders.add(real)
        try:
            names, folders = self._listed(location)
        except OSError as error:
            return Rejected(Found(location, path), Reason.UNREADABLE,
                            f"folder: {os.strerror(error.errno or EIO)}")
        return _Folder(os.path.join(location, ""), path, real, iter(names), folders)

    def _files_of(self, folder: _Folder) -> Generator[Found | Rejected, None, str | None]:
        """Yield the files up to the next folder, whose name is returned."""
        files, folders = self._files, folder.folders
        for name in folder.names:
            if name in folders:
                return name
            location = folder.location + name
            if location in files:
                continue
            path = folder.path + readable(name)
            if opening.has_suffix(name):
                yield from _archive(location, path)
            else:
                yield found_at(location, path)
        return None

    def _listed(self, folder: str) -> tuple[list[str], dict[str, bool]]:
        """List by name; of folders it is told whether they are links."""
        names: list[str] = []
        folders: dict[str, bool] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                is_link = entry.is_symlink()
                if is_link and not self._follow_links:
                    continue
                try:
                    is_folder, is_file = entry.is_dir(), entry.is_file()
                except OSError as error:
                    if error.errno == ELOOP:  # a link to itself leads to no file
                        continue
                    is_folder, is_file = False, True  # reading it tells the reason
                if is_folder and entry.name.casefold() not in JUNK:
                    folders[entry.name] = is_link
                elif not is_file:
                    continue
                names.append(entry.name)
        names.sort()
        return names, folders


def _archive(location: str, path: str) -> Iterator[Found | Rejected]:
    """Yield the members of a zip archive, or the file itself when it is none."""
    file = found_at(location, path)
    if isinstance(file, Rejected) or not opening.has_suffix(location):
        yield file
        return
    try:
        members = opening.members(location) if opening.is_archive(location) else None
    except OSError as error:
        yield Rejected(file, Reason.UNREADABLE, f"archive: {os.strerror(error.errno or EIO)}")
        return
    if members is None:
        yield file
        return
    has_folder = os.path.lexists(f"{location}{SEPARATOR[:-1]}")
    for name, size in members:
        if not JUNK.isdisjoint(name.casefold().split("/")[:-1]):
            continue
        inside = f"{location}{SEPARATOR}{name}"
        member = Found(inside, f"{path}{SEPARATOR}{name}", size, file.mtime)
        if len(name.encode("utf-8", "replace")) > LONGEST_MEMBER:
            short = replace(member, path=member.path[: len(path) + LONGEST_MEMBER // 8])
            yield Rejected(short, Reason.UNREADABLE, "archive: the name of a member is too long")
        elif has_folder and os.path.lexists(inside):
            yield Rejected(member, Reason.UNREADABLE, "archive: a file has the path of a member")
        else:
            yield member


def found_at(location: str, path: str) -> Found | Rejected:
    """Look at a file or member; `path` names it in the graph."""
    try:
        size, mtime = opening.status(location)
    except OSError as error:
        return Rejected(Found(location, path), Reason.UNREADABLE, os.strerror(error.errno or EIO))
    return Found(location, path, size, mtime)


def chunks(files: Iterator[Found | Rejected], size: int) -> Iterator[list[Found | Rejected]]:
    """Yield files in lists of at most `size`."""
    while chunk := list(islice(files, size)):
        yield chunk
