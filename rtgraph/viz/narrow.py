"""Choose a part of a figure: studies, series and what is around them, modalities, roles, problems.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from rtgraph.errors import UnknownName, UsageError
from rtgraph.viz.boxes import Box
from rtgraph.viz.subgraph import Edge, Subgraph


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a patient is drawn; where nothing is named, everything.

    `hops` is how many references away from the named studies and series a box may be. `strict`
    makes names an error that this patient does not have.
    """

    studies: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    hops: int = 1
    modalities: tuple[str, ...] = ()
    without_modalities: tuple[str, ...] = ()
    without_series: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    problems_only: bool = False
    strict: bool = True


def narrow(subgraph: Subgraph, choice: Choice, troubled: Callable[[Box], bool]) -> Subgraph:
    """Return the chosen part.

    Parameters
    ----------
    troubled : callable
        Tells whether something is wrong with a box.

    Raises
    ------
    UnknownName
        No box has the modality, or no line the role.
    UsageError
        No box is of the study or series.
    """
    if choice.strict:
        _check(subgraph, choice)
    boxes, edges = list(subgraph.boxes), list(subgraph.edges)
    if choice.studies or choice.series:
        named = [b for b in boxes if b.study_uid in choice.studies or b.series_uid in choice.series]
        near = around({b.id for b in named}, edges, choice.hops)
        boxes = [b for b in boxes if b.id in near]
    if choice.modalities:
        boxes = [b for b in boxes if b.modality in choice.modalities]
    boxes = [b for b in boxes if b.modality not in choice.without_modalities
             and b.series_uid not in choice.without_series]
    edges = _between(edges, boxes)
    if choice.roles:
        edges = [e for e in edges if e.role in choice.roles]
        ends = {end for e in edges for end in (e.source, e.target)}
        boxes = [b for b in boxes if b.id in ends]
    if choice.problems_only:
        kept = around({b.id for b in boxes if troubled(b)}, edges, 1)
        boxes = [b for b in boxes if b.id in kept]
    return replace(subgraph, boxes=tuple(boxes), edges=tuple(_between(edges, boxes)))


def around(start: Collection[str], edges: Iterable[Edge], hops: int) -> set[str]:
    """Return the boxes at most so many references away, in either direction."""
    near: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        if edge.kind == "REFERENCES":
            near[edge.source].append(edge.target)
            near[edge.target].append(edge.source)
    found = set(start)
    ring = set(start)
    for _ in range(hops):
        ring = {other for uid in ring for other in near[uid]} - found
        found |= ring
    return found


def _between(edges: Iterable[Edge], boxes: Iterable[Box]) -> list[Edge]:
    known = {box.id for box in boxes}
    return [e for e in edges if e.source in known and e.target in known]


def _check(subgraph: Subgraph, choice: Choice) -> None:
    """Refuse names that are not in the figure: they would silently choose nothing."""
    modalities = {b.modality for b in subgraph.boxes}
    for given in (*choice.modalities, *choice.without_modalities):
        if given not in modalities:
            raise UnknownName("modality of this patient", given, modalities)
    roles = {e.role for e in subgraph.edges if e.kind == "REFERENCES"}
    for given in choice.roles:
        if given not in roles:
            raise UnknownName("role of this patient", given, roles)
    of_study, of_series = ({getattr(b, name) for b in subgraph.boxes}
                           for name in ("study_uid", "series_uid"))
    for kind, uids, known in (("study", choice.studies, of_study),
                              ("series", (*choice.series, *choice.without_series), of_series)):
        if not known.issuperset(uids):
            raise UsageError(f"No box of the figure is of this {kind}.",
                             "Check the UID: rtgraph graph PATIENT --format json lists them.")
