"""Saved cohorts: the members of a question, frozen with the question, and asked again later."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtgraph.cypher.find import KEYS, search
from rtgraph.cypher.library import bind, lookup, query
from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel import findings
from rtgraph.graphmodel.tables import Row

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store, Transaction

FIND = "find"
# Columns of named queries that name members, the most special first, with the level of each.
MEMBER_COLUMNS = {
    **dict.fromkeys(("plan", "dose", "structure_set", "object", "registration", "SOPInstanceUID"),
                    "INSTANCE"),
    "series": "SERIES", "SeriesInstanceUID": "SERIES", "study": "STUDY",
    "StudyInstanceUID": "STUDY", "patient_key": "PATIENT",
}
_NAME = re.compile(r"[^\W_][\w .+-]{0,63}")
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Source:
    """Where the members come from: a named query, or conditions of `find`.

    `parameters` are those of the query, or level, conditions and without; `column` names the
    members of a query, absent the first one that does.
    """

    query: str
    parameters: Mapping[str, Any]
    column: str | None = None

    @property
    def text(self) -> str:
        """What is stored: JSON with sorted keys."""
        kept = {"parameters": dict(self.parameters)} | (
            {"column": self.column} if self.column else {})
        return json.dumps(kept, sort_keys=True, default=_as_text)


def _as_text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError


@dataclass(frozen=True, slots=True)
class Members:
    """The answer of a source: keys of nodes of one level, sorted."""

    level: str
    keys: tuple[str, ...]

    @property
    def digest(self) -> str:
        """A digest of the keys, 32 hex digits."""
        return blake2b("\n".join(self.keys).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Changes:
    """What the question of a cohort answers now, against its frozen members."""

    entered: tuple[str, ...]
    left: tuple[str, ...]
    unchanged: int
    n_gone: int  # members whose node is no longer in the graph


def find_source(level: str, conditions: Sequence[str], without: Sequence[str] = ()) -> Source:
    """Return the source of a cohort that conditions define; they are checked here."""
    search(level, conditions, without)
    return Source(FIND, {"level": level, "conditions": list(conditions),
                         "without": list(without)})


async def members(store: "Store", source: Source, folder: Path | None = None) -> Members:
    """Ask the graph for the members now; `folder` holds the project's own queries.

    Raises
    ------
    UsageError
        The rows of the query name nothing that could be a member.
    """
    if source.query == FIND:
        asked = search(source.parameters["level"], source.parameters["conditions"],
                       source.parameters["without"])
        rows = await store.read(asked.statement, **asked.parameters)
        return Members(asked.level.upper(), _keys(rows, KEYS[asked.level]))
    found = query(source.query, folder)
    column, level = _column(found.returns, source.column)
    rows = await store.read(found.statement, **bind(found, source.parameters))
    return Members(level, _keys(rows, column))


def _column(returns: Sequence[str], wanted: str | None) -> tuple[str, str]:
    named = [c for c in MEMBER_COLUMNS if c in returns]
    if wanted is not None and wanted not in named:
        raise UnknownName("column that names members", wanted, named)
    if not named:
        raise UsageError("The rows of this query name no patient, study, series or object.",
                         f"A column of it is called one of {', '.join(MEMBER_COLUMNS)}.")
    column = wanted or named[0]
    return column, MEMBER_COLUMNS[column]


def _keys(rows: Sequence[Row], column: str) -> tuple[str, ...]:
    return tuple(sorted({r[column] for r in rows if r[column] is not None}))


async def save(
    store: "Store", name: str, source: Source, *, folder: Path | None = None,
    overwrite: bool = False,
) -> Members:
    """Freeze the members as nodes, with the question, a digest and what the graph held.

    Raises
    ------
    UsageError
        The name cannot be one, or is taken.
    """
    if not _NAME.fullmatch(name):
        raise UsageError("The name of a cohort has letters, digits and . + - _ or blanks.",
                         "It begins with a letter or digit and has at most 64 characters.")
    if not overwrite and await cohorts(store, name):
        raise UsageError("There is a cohort of that name already.", "Replace it with --force.")
    found = await members(store, source, folder)
    (state,) = await store.read(lookup("graph-counts").statement)

    async def work(transaction: "Transaction") -> int:
        await transaction.run(findings.DROP_COHORT, name=name)
        await transaction.run(
            findings.COHORT_NODE, name=name, level=found.level, query=source.query,
            parameters=source.text, n_members=len(found.keys), member_digest=found.digest,
            graph_state=json.dumps(state, sort_keys=True), created=datetime.now(UTC))
        written = 0
        for at in range(0, len(found.keys), _BATCH):
            rows = await transaction.run(findings.members(found.level), name=name,
                                         keys=list(found.keys[at:at + _BATCH]))
            written += rows[0]["n"]
        return written

    await store.transact(work)
    return found


async def cohorts(store: "Store", name: str | None = None) -> list[Row]:
    """Return the saved cohorts, or the one of that name."""
    return await store.read(lookup("cohorts").statement, name=name)


async def cohort(store: "Store", name: str) -> Row:
    """Return a saved cohort.

    Raises
    ------
    UnknownName
        There is none of that name.
    """
    rows = await cohorts(store, name)
    if not rows:
        raise UnknownName("cohort", name, [r["name"] for r in await cohorts(store)])
    return rows[0]


async def frozen(store: "Store", name: str) -> list[Row]:
    """Return the members of a saved cohort, as the query `cohort-members` does."""
    await cohort(store, name)
    return await store.read(query("cohort-members").statement, cohort=name)


async def frozen_members(store: "Store", name: str) -> Members:
    """Return the members of a saved cohort that are still in the graph, as keys of one level."""
    level = str((await cohort(store, name))["level"])
    return Members(level, tuple(sorted(str(r["key"]) for r in await frozen(store, name))))


async def changes(store: "Store", name: str, folder: Path | None = None) -> Changes:
    """Ask the question of a cohort again and compare."""
    saved = await cohort(store, name)
    before = {r["key"] for r in await frozen(store, name)}
    now = set((await members(store, source_of(saved), folder)).keys)
    return Changes(tuple(sorted(now - before)), tuple(sorted(before - now)),
                   len(before & now), saved["n_members"] - len(before))


def source_of(saved: Row) -> Source:
    """Return the question of a saved cohort."""
    kept = json.loads(saved["parameters"])
    return Source(saved["query"], kept["parameters"], kept.get("column"))


async def drop(store: "Store", name: str) -> None:
    """Delete a saved cohort; its members stay."""
    await cohort(store, name)

    async def work(transaction: "Transaction") -> None:
        await transaction.run(findings.DROP_COHORT, name=name)

    await store.transact(work)
