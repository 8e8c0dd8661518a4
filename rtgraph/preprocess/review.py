"""The review queue of ROI names: what no rule is certain of goes to a person, and comes back."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rtgraph.cypher.library import query
from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel import lineage
from rtgraph.graphmodel.roi_names import Method, as_decided, candidates
from rtgraph.graphmodel.standard_names import list_version, standard_names
from rtgraph.store.bolt import Store
from rtgraph.text import csv_cell, of_csv_cell

COLUMNS = ("raw_name", "candidate", "method", "score", "n_rois", "n_patients", "scope", "decision")


@dataclass(frozen=True, slots=True)
class Decided:
    """A raw name and the standard name that a person gave it."""

    raw: str
    standard: str


async def queue(store: Store) -> list[dict[str, Any]]:
    """Return the names that are neither exact nor reviewed, most frequent first.

    A name without a match has its likeliest candidate, if there is one; nothing is decided by it.
    """
    rows = []
    for r in await store.read(query("roi-names").statement):
        if r["method"] == Method.EXACT or r["reviewer"]:
            continue
        found = candidates(r["name"], 1) if r["standard"] is None else []
        rows.append({
            "raw_name": r["name"],
            "candidate": r["standard"] or (found[0].name if found else ""),
            "method": r["method"] or (str(found[0].method) if found else ""),
            "score": r["score"] if r["standard"] else (found[0].score if found else None),
            "n_rois": r["n_rois"], "n_patients": r["n_patients"],
            "scope": "TG-263" if r["standard"] or found else "", "decision": ""})
    return sorted(rows, key=lambda r: (-int(r["n_rois"]), str(r["raw_name"])))


def queue_text(rows: Sequence[dict[str, Any]]) -> str:
    """Return the queue as CSV, with an empty column for decisions."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([csv_cell(r[c]) for c in COLUMNS] for r in rows)
    return text.getvalue()


def decisions(text: str) -> list[Decided]:
    """Read the reviewed table: rows with a standard name in the column decision.

    Raises
    ------
    UsageError
        A column is missing, a name is no standard name, or one raw name has two decisions.
    """
    reader = csv.DictReader(io.StringIO(text))
    for column in ("raw_name", "decision"):
        if column not in (reader.fieldnames or ()):
            raise UsageError(f"The table has no column {column}.",
                             "`rtgraph preprocess names -o FILE` writes one that has.")
    found: dict[str, str] = {}
    for row in reader:
        raw, standard = of_csv_cell(row["raw_name"] or ""), (row["decision"] or "").strip()
        if not standard:
            continue
        if standard not in standard_names():
            raise UnknownName("standard name", standard, standard_names())
        if found.setdefault(raw, standard) != standard:
            raise UsageError("A raw name has two decisions in the table.")
    return [Decided(raw, standard) for raw, standard in sorted(found.items())]


async def reviewed(store: Store) -> dict[str, str]:
    """Return the decisions that the graph holds: raw name to standard name that is listed."""
    rows = await store.read(lineage.NAME_DECISIONS)
    return {str(r["name"]): str(r["standard"]) for r in rows if r["standard"] in standard_names()}


async def apply(store: Store, decided: Sequence[Decided], reviewer: str, when: date) -> int:
    """Write decisions to the graph, for ROIs that it has and that will come.

    Returns
    -------
    int
        How many of the names ROIs have.
    """
    rows = []
    for d in decided:
        name, found = standard_names()[d.standard], as_decided(d.raw, d.standard)
        assert found is not None
        rows.append({
            "name": d.raw, "standard": d.standard, "category": name.category,
            "side": None if name.side is None else name.side.value,
            "description": name.description, "list_version": list_version(),
            "method": found.method.value, "score": found.score, "reviewer": reviewer,
            "reviewed": when.isoformat()})
    (written,) = await store.transact(
        lambda transaction: transaction.run(lineage.REVIEWED_NAMES, rows=rows))
    return int(written["n"])
