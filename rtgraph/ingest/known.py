"""What the graph knows of files before they are read: their roots, and whether they changed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rtgraph.graphmodel import questions, statements
from rtgraph.graphmodel.schema import HOLD_SCHEMA
from rtgraph.ingest.discover import Roots, actual, readable, with_roots
from rtgraph.ingest.parse import PARSER_VERSION
from rtgraph.ingest.records import Found, Instance, Reason, Rejected
from rtgraph.store.bolt import Store, Transaction

# Files that are asked for at once.
PAGE = 2048


@dataclass(frozen=True, slots=True)
class Start:
    """Where a run starts: paths, all roots, and the names of roots that are new in the graph."""

    paths: Sequence[str]
    roots: Roots
    fresh: Collection[str] = ()


async def claim_roots(store: Store, paths: Sequence[Path], named: Mapping[str, str]) -> Start:
    """Put the roots of the settings and of the given paths into the graph.

    Two runs that start together do this one after the other, so that no name stands for two
    folders.
    """

    async def work(transaction: Transaction) -> Start:
        await transaction.run(HOLD_SCHEMA)
        before = {r["name"]: actual(r["path"]) for r in await transaction.run(questions.ROOTS)}
        starts, roots = with_roots(paths, before | dict(named))
        for name, folder in roots.by_name.items():
            if before.get(name) != folder:
                await transaction.run(statements.ROOT_NODE, name=name, path=readable(folder))
        return Start(starts, roots, frozenset(roots.by_name) - set(before))

    return await store.transact(work)


@dataclass(frozen=True, slots=True)
class Changed:
    """Files to read, and the SOP Instance UIDs that their paths held until now."""

    files: list[Found]
    held: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    def forsaken(self, results: Iterable[Instance | Rejected]) -> list[tuple[str, str]]:
        """Return (UID, path) of objects whose path holds something else now.

        A file that cannot be opened at the moment says nothing about what it holds.
        """
        return [
            (uid, r.file.path) for r in results for uid in self.held.get(r.file.path, ())
            if (r.sop_uid != uid if isinstance(r, Instance) else r.reason != Reason.UNREADABLE)]


async def changed(
    store: Store, files: Sequence[Found], fresh: Collection[str], *, full: bool
) -> Changed:
    """Leave out files that the graph knows with the same size, time and reader.

    Nothing can be known below a root that is new. With `full` all are read again, and the question
    is only what they held.
    """
    asked = [f for f in files if f.path.partition(":")[0] not in fresh] if fresh else files
    if not asked:
        return Changed(list(files))
    rows = await store.read(
        questions.KNOWN_FILES, rows=[[f.path, f.size, f.mtime] for f in asked],
        parser=None if full else PARSER_VERSION)
    held: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        held[row["path"]] += [row["uid"]] if row["uid"] else []
    if len(asked) == len(files):
        return Changed([f for f in files if f.path in held], held)
    unknown = {f.path for f in asked} - held.keys()
    return Changed([f for f in files if f.path not in unknown], held)
