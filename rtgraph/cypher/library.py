"""The library of Cypher files: checks, named queries and tables.

A file is a comment header and one statement, so that it pastes into Neo4j Browser. The folder is
the registry: a file that is there is a check or a query, there is no list of them in Python.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Generic, TypeVar

from rtgraph.cypher.header import BrokenFile, Check, Query, Severity, parse_check, parse_query
from rtgraph.cypher.parameters import TYPES, Param
from rtgraph.errors import UnknownName, UsageError

__all__ = [
    "BrokenFile", "Check", "Loaded", "Param", "Query", "Severity", "bind", "check", "checks",
    "load_all", "load_checks", "load_queries", "lookup", "parse_check", "parse_query",
    "protocol_checks", "queries", "query",
    "select", "table",
]

T = TypeVar("T")
# Families that are meant for some data sets only, so they run when they are named and not else.
ON_DEMAND = frozenset({"DEI"})


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """What a folder holds: the files that can be used, and what is wrong with the others."""

    files: list[T]
    problems: list[BrokenFile]


def load_all(folder: Traversable, parse: Callable[[str, str], T]) -> Loaded[T]:
    """Read every `.cypher` file of a folder; a broken one does not hide the others.

    Parameters
    ----------
    folder : Traversable
        A `Path` or a folder of the package; one that does not exist holds nothing.
    parse : callable
        `parse_check` or `parse_query`.
    """
    found: Loaded[T] = Loaded([], [])
    entries = folder.iterdir() if folder.is_dir() else iter(())
    for entry in sorted(entries, key=lambda e: e.name):
        name = entry.name.removesuffix(".cypher")
        if name == entry.name:
            continue
        try:
            found.files.append(parse(name, entry.read_text(encoding="utf-8-sig")))
        except BrokenFile as problem:
            found.problems.append(problem)
        except (OSError, UnicodeDecodeError):
            found.problems.append(BrokenFile(name, "the file cannot be read as UTF-8 text"))
    return found


def checks() -> list[Check]:
    """Return all checks by id.

    Raises
    ------
    BrokenFile
        One of them cannot be read: a report without it would claim too much.
    """
    loaded = load_all(_packaged("checks"), parse_check)
    for problem in loaded.problems:
        raise problem
    return loaded.files


def protocol_checks() -> list[Check]:
    """Return the checks that look for what a protocol file asks for."""
    loaded = load_all(_packaged("protocol"), parse_check)
    for problem in loaded.problems:
        raise problem
    return loaded.files


def load_checks(folder: Path | None = None) -> Loaded[Check]:
    """Return the packaged checks and those of the project's folder; a file there whose id is that
    of a packaged check takes its place."""
    own: Loaded[Check] = load_all(folder, parse_check) if folder else Loaded([], [])
    taken = {c.id for c in own.files} | {p.name for p in own.problems}
    packaged = [c for c in (*checks(), *protocol_checks()) if c.id not in taken]
    return Loaded(sorted(packaged + own.files, key=lambda c: c.id), own.problems)


def check(check_id: str, folder: Path | None = None) -> Check:
    """Return the check with this id, in any case.

    Raises
    ------
    BrokenFile
        There is a file of that name and its header cannot be read.
    UnknownName
        There is no such file.
    """
    loaded = load_checks(folder)
    known = {c.id: c for c in loaded.files}
    for problem in loaded.problems:
        if problem.name.upper() == check_id.upper():
            raise problem
    if check_id.upper() not in known:
        raise UnknownName("check", check_id, known)
    return known[check_id.upper()]


def select(
    checks: Iterable[Check], select: Sequence[str] = (), ignore: Sequence[str] = ()
) -> list[Check]:
    """Keep the checks that `select` names and `ignore` does not.

    Parameters
    ----------
    checks : iterable of Check
        What to choose from.
    select, ignore : sequence of str
        Families (REF) or ids (REF-01) in any case; an empty `select` is all but those of
        `ON_DEMAND`.

    Raises
    ------
    UnknownName
        A name is neither a family nor an id.
    """
    chosen = list(checks)
    known = {name for c in chosen for name in (c.family, c.id)}
    for name in (*select, *ignore):
        if name.upper() not in known:
            raise UnknownName("check or family of checks", name, known)
    wanted = {name.upper() for name in select} or {c.family for c in chosen} - ON_DEMAND
    unwanted = {name.upper() for name in ignore}
    return [c for c in chosen if wanted & {c.family, c.id} and not unwanted & {c.family, c.id}]


def load_queries(folder: Path | None = None) -> Loaded[Query]:
    """Return the named queries; a file in `folder` takes the place of a packaged one."""
    loaded = load_all(_packaged("queries"), parse_query)
    own: Loaded[Query] = load_all(folder, parse_query) if folder else Loaded([], [])
    taken = {q.name for q in own.files} | {p.name for p in own.problems}
    rest = [q for q in loaded.files if q.name not in taken]
    return Loaded(sorted(rest + own.files, key=lambda q: q.name), loaded.problems + own.problems)


def queries(folder: Path | None = None) -> list[Query]:
    """Return the named queries that can be used, those of the project's folder included."""
    return load_queries(folder).files


def query(name: str, folder: Path | None = None) -> Query:
    """Return a named query.

    Raises
    ------
    BrokenFile
        There is a file of that name and its header cannot be read.
    UnknownName
        There is no such file.
    """
    loaded = load_queries(folder)
    for problem in loaded.problems:
        if problem.name == name:
            raise problem
    for found in loaded.files:
        if found.name == name:
            return found
    raise UnknownName("query", name, [q.name for q in loaded.files])


def table(name: str) -> Query:
    """Return the query that fills a table of `graphmodel.tables`, with its parameter `patient`."""
    return _one_of("tables", "table", name)


def lookup(name: str) -> Query:
    """Return a statement that rtgraph itself asks: about an object, stored runs, cohorts."""
    return _one_of("lookups", "lookup", name)


@cache
def _internal(folder: str) -> dict[str, Query]:
    loaded = load_all(_packaged(folder), parse_query)
    for problem in loaded.problems:
        raise problem
    return {q.name: q for q in loaded.files}


def _one_of(folder: str, kind: str, name: str) -> Query:
    known = _internal(folder)
    if name not in known:
        raise UnknownName(kind, name, known)
    return known[name]


def bind(query: Query, values: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of a query's statement, from texts or from Python values.

    Parameters
    ----------
    query : Query
        What is going to run.
    values : mapping
        What was given, by name; text is read by the type that the header declares, None is the
        same as nothing.

    Raises
    ------
    UnknownName
        The query has no parameter of that name.
    UsageError
        A value is missing or not of its type.
    """
    known = {p.name: p for p in query.params}
    for given in values:
        if given not in known:
            raise UnknownName(f"parameter of {query.name}", given, known)
    stated = {name: value for name, value in values.items() if value is not None}
    for p in query.params:
        if p.required and p.name not in stated:
            raise UsageError(
                f"{query.name} needs the parameter {p.name}: {p.text or p.type}.",
                f"Add -p {p.name}=…, {TYPES[p.type].example}.",
            )
    return {
        p.name: p.read(stated[p.name]) if p.name in stated else p.default for p in query.params
    }


def _packaged(folder: str) -> Traversable:
    return files("rtgraph.cypher").joinpath(folder)
