"""Fold table rows to the boxes and edges of the figure, and to edges between series.

`fold` is pure and does not know where its rows come from, so files and database give the same
figure.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

from rtgraph.graphmodel.schema import MAX_CLIQUE
from rtgraph.graphmodel.tables import Row, Tables
from rtgraph.viz.boxes import Box, Boxes, Held, Kind

__all__ = ["Box", "Edge", "SeriesEdge", "Subgraph", "fold"]

Ends = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two boxes; it has no counts where a whole series is referred to.

    A line that says that two boxes share a frame of reference has neither role nor direction. The
    role of an inferred link is the rule that made it, with its confidence.
    """

    source: str
    target: str
    role: str
    kind: Literal["REFERENCES", "SHARES_FOR", "INFERRED_LINK"]
    n_targets: int | None
    n_missing: int | None


@dataclass(frozen=True, slots=True)
class SeriesEdge:
    """The references of one role between two series, as the database derives them."""

    source: str
    target: str
    role: str
    n_sources: int
    n_targets: int | None
    n_present: int | None
    n_missing: int | None
    complete: bool | None


@dataclass(frozen=True, slots=True)
class Subgraph:
    """What the figure draws; boxes are sorted by id, edges by their ends."""

    series_edges: tuple[SeriesEdge, ...]
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def fold(
    tables: Tables, if_alone: frozenset[str], *, per: Kind = "object", inferred: Iterable[Row] = ()
) -> Subgraph:
    """Fold the rows of a graph; roles in `if_alone` show only where nothing else links two ends.

    Every instance that is referred to must have its row in `instances`, the missing ones too.

    Parameters
    ----------
    per : str
        What has a box of its own when it is no image: the object, or the series.
    inferred : iterable of Row
        Links that rules have guessed: source_level, source_uid, target_level, target_uid, method,
        confidence.
    """
    held = Held(tables["instances"])
    references = tables["references"]
    n_ingested = {row["SeriesInstanceUID"]: row["n_instances"] for row in tables["series"]}
    series_edges = [
        _series_edge(f, held, n_ingested)
        for f in _lift(references, held.series_at, if_alone)
    ]
    boxes = Boxes(tables, held, per)
    lifted = list(_lift(references, boxes.at, if_alone))
    boxes.add_missing_series(f.target for f in lifted)
    edges = [_edge(f, held) for f in lifted]
    edges += _shared_frames(tables, boxes.found.values())
    edges += _inferred(inferred, boxes)
    return Subgraph(
        series_edges=tuple(sorted(series_edges, key=_ends)),
        boxes=tuple(sorted(boxes.found.values(), key=lambda b: b.id)),
        edges=tuple(sorted(edges, key=lambda e: (*_ends(e), e.kind))),
    )


@dataclass(slots=True)
class _Lifted:
    """References of one role between two ends; `targets` is None for a series as a whole."""

    source: str
    target: str
    role: str
    sources: set[tuple[str, str]]
    targets: set[str] | None


def _lift(
    references: Iterable[Row], at: Callable[[str, str], Collection[str]], if_alone: frozenset[str]
) -> Iterator[_Lifted]:
    """Lift references to where their ends lie: series or boxes; `at` takes level and UID.

    These are steps 4 and 5 of the derived edges in the database. A reference that stays inside
    one end makes no loop.
    """
    to_instances: dict[Ends, _Lifted] = {}
    to_series: dict[Ends, _Lifted] = {}
    for row in references:
        whole = row["target_level"] == "series"
        into = to_series if whole else to_instances
        source = row["source_level"], row["source_uid"]
        for a, b in product(at(*source), at(row["target_level"], row["target_uid"])):
            if a != b:
                ends = a, b, row["role"]
                lifted = into.setdefault(ends, _Lifted(*ends, set(), None if whole else set()))
                lifted.sources.add(source)
                if lifted.targets is not None:
                    lifted.targets.add(row["target_uid"])
    linked = {ends[:2] for ends in (*to_instances, *to_series)
              if ends in to_instances or ends[2] not in if_alone}
    yield from to_instances.values()
    for ends, lifted in to_series.items():
        if ends not in to_instances and not (lifted.role in if_alone and ends[:2] in linked):
            yield lifted


def _series_edge(lifted: _Lifted, held: Held, n_ingested: Mapping[str, int]) -> SeriesEdge:
    ends = lifted.source, lifted.target, lifted.role, len(lifted.sources)
    if lifted.targets is None:
        return SeriesEdge(*ends, None, None, None, None)
    n_targets, n_missing = len(lifted.targets), held.n_missing(lifted.targets)
    complete = n_missing == 0 and n_targets == n_ingested.get(lifted.target)
    return SeriesEdge(*ends, n_targets, n_targets - n_missing, n_missing, complete)


def _edge(lifted: _Lifted, held: Held) -> Edge:
    ends = lifted.source, lifted.target, lifted.role
    if lifted.targets is None:
        return Edge(*ends, "REFERENCES", None, None)
    return Edge(*ends, "REFERENCES", len(lifted.targets), held.n_missing(lifted.targets))


def _shared_frames(tables: Tables, boxes: Iterable[Box]) -> Iterator[Edge]:
    """Link the boxes of different series that state the same frame, within one patient.

    A frame is stated for a series, so all boxes of the series take part; missing ones do not.
    """
    frames: dict[str, set[str]] = defaultdict(set)
    for row in tables["frames"]:
        if row["kind"] == "PATIENT" and row["n_patients"] == 1:
            frames[row["FrameOfReferenceUID"]].add(row["SeriesInstanceUID"])
    present: dict[str | None, list[Box]] = defaultdict(list)
    for box in boxes:
        if box.status != "missing":
            present[box.series_uid].append(box)
    linked: set[tuple[str, str]] = set()
    for series_uids in frames.values():
        members = [box for uid in sorted(series_uids) for box in present.get(uid, ())]
        linked.update(_linked(members))
    return (Edge(a, b, "", "SHARES_FOR", None, None) for a, b in linked)


def _linked(members: list[Box]) -> Iterator[tuple[str, str]]:
    """Pair the boxes of one frame: each with each, or many with the first image series."""
    pairs: Iterable[tuple[Box, Box]] = combinations(members, 2)
    if len(members) > MAX_CLIQUE:
        anchor = min(members, key=lambda b: (b.layer != 0, b.id))
        pairs = ((anchor, b) for b in members)
    return (
        (min(a.id, b.id), max(a.id, b.id)) for a, b in pairs if a.series_uid != b.series_uid
    )


def _inferred(rows: Iterable[Row], boxes: Boxes) -> set[Edge]:
    """Link the boxes of inferred links; those that lead out of the figure are left out."""
    return {
        Edge(a, b, f"{row['method']} ({row['confidence']:g})", "INFERRED_LINK", None, None)
        for row in rows
        for a, b in product(boxes.at(row["source_level"], row["source_uid"]),
                            boxes.at(row["target_level"], row["target_uid"]))
        if a != b and a in boxes.found and b in boxes.found
    }


def _ends(edge: Edge | SeriesEdge) -> Ends:
    return edge.source, edge.target, edge.role
