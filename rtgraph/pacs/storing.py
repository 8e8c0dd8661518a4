"""The folder for what is received: an object is under its name only when all of it is there.

    .incoming/…            being written; what a killed process left there is removed
    study/series/sop.dcm   whole files; names are UIDs, no text of a patient is in a path
    .graph-only/…          files that are read into the graph and then removed (`keep = none`)
    .replaced/…            what corrected objects took the place of, under names with a digest

Other content with the same UID is kept beside the file that was there, under a name with a digest,
and an ingest reports it as CONFLICT. Only who asks for corrected objects (`replace`) gets them in
its place; then the ingest takes them for the object. Nothing is lost either way.
"""

import os
import platform
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from errno import ENOSPC
from hashlib import blake2b
from itertools import count
from pathlib import Path
from threading import Lock

import psutil

from rtgraph.errors import ReceiverError
from rtgraph.graphmodel.archive import Kept, kept_of
from rtgraph.ingest.compare import Candidate, same_data_set
from rtgraph.ingest.reading import file_meta
from rtgraph.pacs import disk
from rtgraph.pacs.part10 import Arrived, Identity, file_head, identity, without_bulk

INCOMING, GRAPH_ONLY, REPLACED = ".incoming", ".graph-only", ".replaced"
SUFFIX = ".dcm"
# Files of an association that wait to be synced; more are synced while it goes on.
UNSYNCED = 1000
_UID = re.compile(r"\d[\d.]{0,63}")
_HOST = blake2b(platform.node().encode(), digest_size=4).hexdigest()


class Outcome(StrEnum):
    """What became of an object that is on the disk now."""

    STORED = "STORED"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"
    REPLACED = "REPLACED"


class Mismatch(Exception):
    """A data set that is not the object it was announced as."""


class Unreadable(Exception):
    """A data set that does not say which object it is."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object on the disk; with DUPLICATE, `path` is the file that was there."""

    uids: Identity
    path: str = field(repr=False)
    outcome: Outcome


@dataclass
class Folder:
    """Where received objects are stored, and how.

    Parameters
    ----------
    base : Path
        Made when it is not there.
    sync : str
        `file`: an object is on the disk for sure before it is answered; `association`: when its
        association closes; `none`: when the system likes.
    min_free : int
        Bytes that are left on the disk: what would leave less is refused like a full disk.
    replace : bool
        Other content with the same UID takes the place of the file, which is put aside.
    """

    base: Path
    keep: Kept = Kept.FULL
    sync: str = "association"
    min_free: int = 0
    replace: bool = False
    naming: Lock = field(default_factory=Lock, repr=False)
    prepared: int = 0  # ns, by the clock of the file system: what is older was here before
    _numbers: "count[int]" = field(default_factory=count, repr=False)

    def prepare(self) -> None:
        """Make the folder and remove what killed processes were writing.

        Raises
        ------
        ReceiverError
            The folder cannot be written to.
        """
        try:
            (self.base / INCOMING).mkdir(parents=True, exist_ok=True)
            for part in (self.base / INCOMING).iterdir():
                host, _, rest = part.name.partition("-")
                process = rest.partition("-")[0]
                if host == _HOST and process.isdecimal() and not psutil.pid_exists(int(process)):
                    part.unlink(missing_ok=True)
            probe = self.temporary()
            probe.touch()
            self.prepared = probe.stat().st_mtime_ns
            probe.unlink()
        except OSError as error:
            raise ReceiverError(
                f"The folder for received objects cannot be used: {error.strerror}.",
                "Set pacs.received in rtgraph.toml, or --folder.") from error

    def temporary(self) -> Path:
        """Return the name of a file that is being written."""
        return self.base / INCOMING / f"{_HOST}-{os.getpid()}-{next(self._numbers)}"

    def place(self, uids: Identity, keep: Kept | None = None) -> Path:
        """Return where an object is stored."""
        top = self.base / GRAPH_ONLY if (keep or self.keep) is Kept.NONE else self.base
        return top / name_of(uids.study_uid) / name_of(uids.series_uid) / (
            name_of(uids.sop_uid) + SUFFIX)

    def kept(self, uids: Identity) -> Kept:
        """Return what is kept of an object: no less than of the file that it may replace."""
        path = self.place(uids, Kept.FULL)
        there = kept_at(path) if self.replace and path.exists() else Kept.NONE
        return there if there.satisfies(self.keep) else self.keep

    def put_aside(self, uids: Identity, file: Path) -> None:
        """Give the file of an object a second name, under which it stays when it is replaced."""
        digest = blake2b(file.read_bytes(), digest_size=8).hexdigest()
        aside = self.base / REPLACED / self.place(uids, Kept.FULL).relative_to(self.base)
        aside = aside.with_name(f"{aside.stem}.{digest}{SUFFIX}")
        aside.parent.mkdir(parents=True, exist_ok=True)
        disk.link(file, aside, self.naming)

    def session(self, *, closed: bool = False) -> "Session":
        """Return what stores the objects of one association; a closed one syncs each by itself."""
        return Session(self, _closed=closed)


@dataclass
class Session:
    """Stores the objects of one association; `close` syncs them."""

    folder: Folder
    _unsynced: list[str] = field(default_factory=list, repr=False)
    _not_synced: str = ""  # why, once that has failed: a second try may claim to succeed
    _closed: bool = False
    _lock: Lock = field(default_factory=Lock, repr=False)

    def store(self, o: Arrived) -> Stored:
        """Write an object; when this returns, it is there under its name.

        Raises
        ------
        Mismatch
            The data set is another object than announced.
        Unreadable
            It does not say which object it is.
        OSError
            It could not be written; nothing of it is left.
        """
        uids = identity(o.data, o.syntax)
        if not uids.sop_uid or not uids.sop_class:
            raise Unreadable("the data set has no SOP Class UID or SOP Instance UID")
        if (uids.sop_uid, uids.sop_class) != (o.sop_uid, o.sop_class):
            raise Mismatch("the data set is another object than the request says")
        folder = self.folder
        kept, data = _kept_part(o, folder.kept(uids))
        target = folder.place(uids, kept)
        if kept is Kept.NONE and (whole := folder.place(uids, Kept.FULL)).exists():
            return self._noted(Stored(uids, str(whole), Outcome.DUPLICATE))
        head = file_head(o, kept)
        left = shutil.disk_usage(folder.base).free - len(head) - len(data)
        if left < folder.min_free:
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = folder.temporary()
        try:
            with open(temporary, "xb", buffering=0) as file:
                disk.write(file.fileno(), head, data)
                if folder.sync == "file":
                    os.fsync(file.fileno())
            path, outcome = _named(temporary, target, kept, data, folder.naming)
            if folder.replace and path != target:
                folder.put_aside(uids, target)
                os.replace(path, target)
                path, outcome = target, Outcome.REPLACED
        finally:
            temporary.unlink(missing_ok=True)
        return self._noted(Stored(uids, str(path), outcome))

    def _noted(self, stored: Stored) -> Stored:
        with self._lock:
            if stored.outcome is not Outcome.DUPLICATE:
                self._unsynced.append(stored.path)
            if self.folder.sync == "file" or self._closed or len(self._unsynced) >= UNSYNCED:
                self._flush(stored.path)
        return stored

    def _flush(self, unanswered: str = "") -> None:
        """Sync; a failure is remembered if it concerns others than the one still to be answered."""
        unsynced, self._unsynced = self._unsynced, []
        if self.folder.sync != "none":
            try:
                disk.sync(unsynced, self.folder.base, files=self.folder.sync != "file")
            except OSError as error:
                if unsynced != [unanswered]:
                    self._not_synced = error.strerror or type(error).__name__
                raise

    def close(self) -> None:
        """Sync what was stored; an object that comes later is synced by itself.

        Raises
        ------
        ReceiverError
            What was answered with success is not on the disk for sure, now or since an earlier
            sync of the association.
        """
        with self._lock:
            self._closed = True
            with suppress(OSError):
                self._flush()
            reason, self._not_synced = self._not_synced, ""
        if reason:
            raise ReceiverError(
                f"Objects of an association may not be on the disk: {reason}.",
                "They were answered as stored: look at the disk, then have them sent again.")


def name_of(uid: str) -> str:
    """Return a UID as a file name; what is no UID is replaced by its digest."""
    if _UID.fullmatch(uid):
        return uid
    return f"x{blake2b(uid.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _kept_part(o: Arrived, keep: Kept) -> tuple[Kept, memoryview | bytes]:
    """Return what is kept of an object; one that cannot be taken apart stays whole."""
    if keep is Kept.FULL:
        return keep, o.data
    stripped = without_bulk(o)
    if stripped is not None:
        return keep, stripped
    return (Kept.NONE if keep is Kept.NONE else Kept.FULL), o.data


def _named(
    temporary: Path, target: Path, kept: Kept, data: memoryview | bytes, naming: Lock
) -> tuple[Path, Outcome]:
    """Give a whole file its name, unless that holds an object already."""
    if disk.link(temporary, target, naming):
        return target, Outcome.STORED
    there = kept_at(target)
    if there is not kept and kept is Kept.FULL:  # now with its bulk
        os.replace(temporary, target)
        return target, Outcome.STORED
    if there is not kept or _same(temporary, target):
        return target, Outcome.DUPLICATE
    digest = blake2b(data, digest_size=8).hexdigest()
    beside = target.with_name(f"{target.stem}.{digest}{SUFFIX}")
    if disk.link(temporary, beside, naming):
        return beside, Outcome.CONFLICT
    return beside, Outcome.DUPLICATE


def kept_at(path: Path) -> Kept:
    """Return what is kept in a file."""
    with suppress(OSError), open(path, "rb") as file:
        return kept_of(file_meta(file.read(1024))[0].get("ImplementationVersionName", ""))
    return Kept.FULL


def _same(a: Path, b: Path) -> bool:
    one, two = (Candidate("", str(path), 0, 0, digest, "")
                for path, digest in ((a, "a"), (b, "b")))
    return same_data_set(one, two)
