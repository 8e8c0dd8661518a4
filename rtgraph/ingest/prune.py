"""Objects whose file is gone, or holds another object now, leave the graph.

The graph is then that of a fresh ingest of the files that are left. Objects are marked first
(label Forsaken) and retired in batches, so a run that was killed is finished by the next one.
Another copy of an object takes its place; an object that others refer to stays as a Missing node.

What is not at hand is not gone: a file that cannot be looked at, everything of a root folder that
is missing or empty, and an object with a copy there are kept. So a share that is not mounted
empties nothing.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from rtgraph.errors import UsageError
from rtgraph.graphmodel import questions, retire, statements
from rtgraph.ingest import opening
from rtgraph.ingest.discover import Roots, found_at, readable, walk
from rtgraph.ingest.parse import parse
from rtgraph.ingest.records import Found, Instance, Reason
from rtgraph.ingest.retire import lose
from rtgraph.ingest.revise import Run, reread
from rtgraph.ingest.write import write_batch
from rtgraph.store.bolt import Counters, Row, Store

PAGE = 5000
BATCH = 500


@dataclass(slots=True)
class Pruned:
    """What pruning did; these are no files that were seen.

    `retired` objects are no more, `taken_over` are another file now, `kept` ones may still be
    there: their folder or a copy is not at hand. `files` are copies and rejected files.
    """

    retired: int = 0
    taken_over: int = 0
    kept: int = 0
    files: int = 0


class _Fate(Enum):
    HERE = "the file holds the object"
    GONE = "there is no such file, or it holds something else"
    UNKNOWN = "the file cannot be looked at"


@dataclass(slots=True)
class _Look:
    """Looks at files; whether a root folder is there is asked once."""

    roots: Roots
    _alive: dict[str, bool] = field(default_factory=dict)

    def where(self, path: str) -> str | None:
        """Return the location of a path; None when its root folder is missing or empty."""
        name = path.partition(":")[0]
        if name not in self._alive:
            self._alive[name] = _has_entries(self.roots.by_name.get(name))
        return self.roots.location(path) if self._alive[name] else None

    def is_gone(self, path: str) -> bool | None:
        """Tell whether there is no file any more; None when that is not known."""
        location = self.where(path)
        return None if location is None else opening.is_gone(location)

    def fate(self, uid: str, path: str, run: Run) -> _Fate:
        """Tell what has become of the file of an object."""
        if gone := self.is_gone(path):
            return _Fate.GONE
        location = self.where(path)
        if gone is None or location is None:
            return _Fate.UNKNOWN
        found = found_at(location, path)
        read = parse(found, run.plan) if isinstance(found, Found) else found
        if isinstance(read, Instance):
            return _Fate.HERE if read.sop_uid == uid else _Fate.GONE
        return _Fate.UNKNOWN if read.reason is Reason.UNREADABLE else _Fate.GONE


def _has_entries(folder: str | None) -> bool:
    try:
        with os.scandir(folder or "") as entries:
            return next(entries, None) is not None
    except OSError:
        return False


# --- before: what may be pruned ------------------------------------------------------------------

async def may_prune(store: Store, starts: Sequence[str], roots: Roots) -> None:
    """Refuse folders that hold no file while the graph has objects from below them.

    Raises
    ------
    UsageError
        Such a folder is more often not mounted than meant to be empty.
    """
    for start in starts:
        if os.path.isdir(start) and await asyncio.to_thread(_holds_nothing, start, roots):
            for prefix in below(start, roots):
                if await store.read(retire.PATHS_OF_OBJECTS, **_range(prefix), n=1):
                    raise UsageError(
                        "A folder to be pruned holds no file, but the graph has objects of it.",
                        "Is it mounted? If its files are gone for good, name the folder above it.")


def _holds_nothing(start: str, roots: Roots) -> bool:
    return not any(isinstance(f, Found) for f in walk([start], roots))


def below(start: str, roots: Roots) -> list[str]:
    """Return the beginnings of all paths of the graph that are below a folder."""
    inside = start.rstrip(os.sep) + os.sep
    prefixes = set()
    for name, base in roots.by_name.items():
        if base == start or base.startswith(inside):
            prefixes.add(f"{name}:")
        elif start.startswith(base.rstrip(os.sep) + os.sep):
            relative = readable(os.path.relpath(start, base)).replace(os.sep, "/")
            prefixes.add(f"{name}:{relative}/")
    return sorted(prefixes)


def _range(prefix: str) -> dict[str, str]:
    """The range of paths that begin with a prefix: up to its last character, raised by one."""
    return {"after": prefix, "before": prefix[:-1] + chr(ord(prefix[-1]) + 1)}


# --- marking -------------------------------------------------------------------------------------

async def prune(store: Store, starts: Sequence[str], run: Run, done: Pruned) -> Counters:
    """Mark objects whose file is gone from below the given folders, and drop other files.

    `retire_forsaken` does the rest.
    """
    await may_prune(store, starts, run.roots)
    changes = Counters()
    look = _Look(run.roots)
    for prefix in sorted({p for s in starts if os.path.isdir(s) for p in below(s, run.roots)}):
        async for rows in _pages(store, retire.PATHS_OF_OBJECTS, prefix):
            gone = await asyncio.to_thread(_gone, rows, look, done)
            await _write(store, retire.FORSAKE_PATHS, gone)
        async for rows in _pages(store, retire.PATHS_OF_FILES, prefix):
            gone = await asyncio.to_thread(_gone, rows, look, None)
            changes += await _write(store, statements.DROP_FILES, gone)
            done.files += len(gone)
    return changes


async def _pages(store: Store, question: str, prefix: str) -> AsyncIterator[list[Row]]:
    limits = _range(prefix)
    while rows := await store.read(question, **limits, n=PAGE):
        limits["after"] = rows[-1]["path"]
        yield rows


def _gone(rows: Sequence[Row], look: _Look, done: Pruned | None) -> list[str]:
    """Paths without a file; of two objects with one path, one is not there: both are looked at."""
    gone = []
    for row in rows:
        fate = look.is_gone(row["path"])
        if fate or (fate is False and row.get("n", 1) > 1):
            gone.append(row["path"])
        elif fate is None and done is not None:
            done.kept += row["n"]
    return gone


async def mark_forsaken(store: Store, pairs: Sequence[tuple[str, str]]) -> None:
    """Mark objects whose path holds another object now: pairs of SOP Instance UID and path."""
    await _write(store, retire.FORSAKE, [list(pair) for pair in pairs])


async def _write(store: Store, statement: str, rows: Sequence[object]) -> Counters:
    return await store.change(statement, rows=rows) if rows else Counters()


# --- retiring ------------------------------------------------------------------------------------

async def retire_forsaken(store: Store, run: Run, done: Pruned | None = None) -> Counters:
    """Retire the marked objects that are not where they were; another copy takes their place.

    Run it when all files of a run are written: what is found again at another path is not lost.
    """
    done = done or Pruned()
    changes, kept, look = Counters(), 0, _Look(run.roots)
    while rows := await store.read(retire.FORSAKEN, kept=kept, n=BATCH):
        plan = await asyncio.to_thread(_sorted_out, rows, await _known(store, rows), look, run)
        await _write(store, retire.RECOVER, plan.here)
        changes += await _write(store, retire.TAKE_OVER, [
            [o.sop_uid, o.file.path, o.file.mtime] for o in plan.copies])
        if plan.copies:
            changes += (await write_batch(store, plan.copies, run)).changes
        if plan.lost:
            changes += await lose(store, plan.lost, run)
        kept += plan.kept
        done.kept += plan.kept
        done.taken_over += len(plan.copies)
        done.retired += len(plan.lost)
    return changes


async def _known(store: Store, rows: Sequence[Row]) -> dict[str, Row]:
    known = await store.read(questions.KNOWN_OBJECTS, rows=sorted(r["uid"] for r in rows))
    return {row["uid"]: row for row in known}


@dataclass(slots=True)
class _Plan:
    """What is done with a batch of marked objects."""

    here: list[str] = field(default_factory=list)
    copies: list[Instance] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    kept: int = 0


def _sorted_out(
    rows: Sequence[Row], known: Mapping[str, Row], look: _Look, run: Run
) -> _Plan:
    plan = _Plan()
    for row in rows:
        uid, path = row["uid"], row["path"]
        fate = look.fate(uid, path, run)
        if fate is _Fate.HERE or uid not in known:
            plan.here.append(uid)
            continue
        if fate is _Fate.UNKNOWN:
            plan.kept += 1
            continue
        others = [c["path"] for c in known[uid]["copies"] if c["path"] != path]
        copy = next((o for o in (reread(uid, p, run) for p in others) if o is not None), None)
        if copy is not None:
            plan.copies.append(copy)
        elif any(look.is_gone(p) is None for p in others):
            plan.kept += 1
        else:
            plan.lost.append(uid)
    return plan
