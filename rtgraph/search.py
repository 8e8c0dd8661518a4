"""A search in the graph, then in the files of what it found: only the shortlist is opened."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from rtgraph.cypher.find import KEYS, search
from rtgraph.cypher.graph import recognise
from rtgraph.graphmodel.tables import Row

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store


async def find_rows(
    store: "Store", level: str, conditions: Sequence[str] = (), without: Sequence[str] = (), *,
    columns: Sequence[str] = (), where_file: Sequence[str] = (),
    roots: Mapping[str, str] | None = None, jobs: int = 1,
    report: Callable[[str], None] | None = None,
) -> list[Row]:
    """Return the rows of a search; with conditions on files only the shortlist is opened.

    Parameters
    ----------
    where_file : sequence of str
        Conditions as in `ingest.wherefile`, which one file must meet all together.
    roots : mapping, optional
        Named roots of the settings; they win over those of the graph.
    jobs : int
        Worker processes that open files.
    report : callable, optional
        Gets lines about the graph and the progress.
    """
    from rtgraph.ingest.wherefile import filter_files, parse_condition, roots_of

    wanted = [parse_condition(text) for text in where_file]
    state = await recognise(store)
    if report:
        for notice in state.notices:
            report(notice)
    asked = search(level, conditions, without, columns=columns)
    rows = await store.read(asked.statement, **asked.parameters)
    if not where_file:
        return rows
    shortlist = search("instance", conditions, without, columns=("file_path",))
    objects = await store.read(shortlist.statement, **shortlist.parameters)
    places = await roots_of(store, dict(roots or {}))
    paths = [o["file_path"] for o in objects if o["file_path"]]
    told = Paced(report, "files opened")
    found = await asyncio.to_thread(
        filter_files, paths, places, wanted, jobs=jobs, progress=told.step)
    if report:
        report(f"{found.opened:,} files opened"
               + (f", {found.unreadable:,} could not be read" if found.unreadable else ""))
    kept = {o[KEYS[level]] for o in objects if o["file_path"] in found.fitting}
    return [row for row in rows if row[KEYS[level]] in kept]


class Paced:
    """Tells how far work is, at most once in a few seconds."""

    EVERY = 5.0

    def __init__(self, report: Callable[[str], None] | None, what: str) -> None:
        self._report, self._what = report, what
        self._last = perf_counter()

    def step(self, done: int, of: int) -> None:
        """Note how far it is."""
        now = perf_counter()
        if self._report and now - self._last >= self.EVERY and done < of:
            self._last = now
            self._report(f"{done:,} of {of:,} {self._what}")
