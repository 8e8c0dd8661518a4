"""What a graph refers to, as counts without any identifier, and its comparison with a copy.

A de-identified or migrated copy has other UIDs, but the same number of references of each role
between the same families, as many of them resolved and inside one frame of reference, and the
same frames. `write` makes the profile of the source, `compare` holds the copy against it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from rtgraph.cypher.header import Check, Confidence, Level, Severity, View
from rtgraph.cypher.library import lookup
from rtgraph.cypher.report import Finding, Report, Result, status_of
from rtgraph.errors import UsageError
from rtgraph.graphmodel.tables import Row

if TYPE_CHECKING:
    from rtgraph.store.bolt import Store

PROFILE_VERSION = 1
# The parts of a profile, and which columns of each are numbers; the others name what is counted.
PARTS: dict[str, tuple[str, ...]] = {
    "objects": ("n_patients", "n_series", "n_instances", "n_missing"),
    "references": ("n",),
    "frames": ("n",),
}
COMPARISON = Check(
    id="CMP-01",
    title="The objects, references and frames of the graph are those of the profile",
    severity=Severity.error, confidence=Confidence.fact, level=Level.header, tier=1,
    view=View.table, returns=("patient_key", "subject", "target", "detail"),
    identity=("subject", "target"), population="", identifying=(),
    fix="Find what the copy left out or remapped differently; the roles say where to look.",
    source="practice: a copy keeps what its source refers to (PS3.15 Annex E, UID remapping)",
    statement="", text="")
Key = tuple[str, ...]


async def profile(store: "Store") -> list[Row]:
    """Return the lines of the profile of a graph, each with `part` and its columns."""
    return [{"part": part, **row} for part in PARTS
            for row in await store.read(lookup(f"profile-{part}").statement)]


def profile_text(lines: Iterable[Row]) -> str:
    """Return a profile as JSON lines, the first of which holds the version."""
    rows = [{"schema_version": PROFILE_VERSION}, *lines]
    return "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)


def read_profile(path: Path) -> list[Row]:
    """Read a profile.

    Raises
    ------
    UsageError
        The file cannot be read, or is no profile of this version.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        version = rows[0]["schema_version"]
        if version != PROFILE_VERSION:
            raise UsageError(
                f"The profile has version {version}, this rtgraph reads {PROFILE_VERSION}.",
                "Write a new one with --reference-profile.")
        _counted(rows[1:])
    except OSError as error:
        raise UsageError(f"The profile cannot be read: {error.strerror}.",
                         "Write one with --reference-profile.") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise UsageError("The file is no profile of references.",
                         "Write one with --reference-profile.") from error
    return rows[1:]


def compare(source: Iterable[Row], copy: Iterable[Row], seconds: float = 0.0) -> Report:
    """Return a report whose findings are the differences between two profiles."""
    expected, found = _counted(source), _counted(copy)
    findings = []
    for key in sorted({*expected, *found}):
        before, after = expected.get(key, {}), found.get(key, {})
        numbers = sorted(n for n in {*before, *after} if before.get(n, 0) != after.get(n, 0))
        if numbers:
            part, *names = key
            findings.append(Finding(
                None, part, " · ".join(names), Severity.error,
                {n: f"{after.get(n, 0)}, not {before.get(n, 0)}" for n in numbers}))
    population = len(expected) or len(found)
    result = Result(COMPARISON, status_of(COMPARISON, tuple(findings), population),
                    tuple(findings), population, seconds, total=len(findings))
    return Report((result,), seconds=seconds)


async def against(store: "Store", source: Iterable[Row]) -> Report:
    """Hold the graph against the profile of its source."""
    started = perf_counter()
    return compare(source, await profile(store), perf_counter() - started)


def _counted(rows: Iterable[Row]) -> dict[Key, Mapping[str, int]]:
    return {_key(row): {n: int(row[n]) for n in PARTS[row["part"]]} for row in rows}


def _key(row: Row) -> Key:
    """Return what a line counts, as texts: part and the columns that are no numbers, in order."""
    part = row["part"]
    named = {k: v for k, v in row.items() if k != "part" and k not in PARTS[part]}
    return (part, *(f"{name} {_text(value)}" for name, value in sorted(named.items())))


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
