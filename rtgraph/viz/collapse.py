"""Draw boxes that no one could tell apart as one: twenty-four fractions become `RTRECORD ×24`.

A patient of two hundred series is legible only so. What has a problem is never hidden in a group.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from rtgraph.viz.boxes import Box
from rtgraph.viz.subgraph import Edge, Subgraph

SMALLEST_GROUP = 4
ROUNDS = 3
ALL = "all"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn as one box: a box, or a group of twins in the order of their numbers."""

    id: str
    members: tuple[Box, ...]

    @property
    def first(self) -> Box:
        """The box that stands for all: twins are of one modality, layer and status."""
        return self.members[0]

    @property
    def is_group(self) -> bool:
        """Tell a group from a single box."""
        return len(self.members) > 1

    @property
    def studies(self) -> frozenset[str]:
        """The studies that its members are stated in."""
        return frozenset(b.study_uid for b in self.members if b.study_uid is not None)

    @property
    def tally(self) -> str:
        """What stands at the right of the modality."""
        return f"×{len(self.members)}" if self.is_group else self.first.tally

    @property
    def caption(self) -> str:
        """What stands below the modality: of a group its descriptions, else its days."""
        if not self.is_group:
            return self.first.caption
        words = dict.fromkeys(b.caption for b in self.members)
        if len(words) > 1:
            words = dict.fromkeys(filter(None, map(_described, self.members)))
        if words:
            return ", ".join(words)
        days = sorted({b.when.isoformat()[:10] for b in self.members if b.when is not None})
        return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else ""


@dataclass(frozen=True, slots=True)
class Line:
    """All edges of one kind between two drawn boxes, in one direction."""

    source: str
    target: str
    kind: Literal["REFERENCES", "SHARES_FOR", "INFERRED_LINK"]
    roles: tuple[str, ...]
    n_edges: int
    unresolved: bool


def collapse(
    subgraph: Subgraph, alone: Callable[[Box], bool], expand: Collection[str] = ()
) -> tuple[list[Drawn], list[Line]]:
    """Return what is drawn: single boxes and groups, and the lines between them.

    Parameters
    ----------
    alone : callable
        Tells that a box must not be in a group, since something is wrong with it.
    expand : collection of str
        Modalities whose boxes are all drawn, or the word `all`.
    """
    status = {box.id: box.status for box in subgraph.boxes}
    alike = _kinds_of_studies(subgraph.boxes)
    unresolved = {e.source for e in subgraph.edges if is_unresolved(e, status)}
    kinds: dict[str, Hashable] = {
        b.id: b.id if alone(b) or b.id in unresolved or b.status != "present" or b.ambiguous
        or ALL in expand or b.modality in expand
        else (b.modality, b.kind, b.summation, alike[b.study_uid])
        for b in subgraph.boxes
    }
    links = [(e.source, e.target, e.role) for e in subgraph.edges if e.kind == "REFERENCES"]
    study = {b.id: b.study_uid for b in subgraph.boxes}
    boxes = {b.id: b for b in subgraph.boxes}
    drawn: list[Drawn] = []
    for uids in _groups(kinds, links, study):
        members = sorted((boxes[uid] for uid in uids), key=_order)
        if len(members) < SMALLEST_GROUP:
            drawn += [Drawn(b.id, (b,)) for b in members]
        else:
            drawn.append(Drawn(f"group {members[0].id}", tuple(members)))
    drawn.sort(key=lambda d: (d.first.modality, *_order(d.first)))
    return drawn, lines(drawn, subgraph.edges)


def _kinds_of_studies(boxes: Iterable[Box]) -> dict[str | None, Hashable]:
    """Return what kind of study each is: those that hold the same modalities as often are alike.

    Each fraction may have a study of its own; a planning study is another kind.
    """
    held: dict[str | None, Counter[str]] = defaultdict(Counter)
    for box in boxes:
        held[box.study_uid][box.modality] += 1
    return {study: frozenset(n.items()) for study, n in held.items()}


def is_unresolved(edge: Edge, status: Mapping[str, str]) -> bool:
    """Tell whether something that an edge refers to is missing."""
    return edge.kind == "REFERENCES" and (
        bool(edge.n_missing) or status.get(edge.target) == "missing")


def twins(
    kind: Mapping[str, Hashable], links: Iterable[tuple[str, str, str]], rounds: int = ROUNDS
) -> list[list[str]]:
    """Group nodes that no one could tell apart by kind and surroundings.

    Colour refinement: a node is told from another by its kind, then by the kinds of what it
    is linked to and in which role, and so on. Nodes of two connected parts are never twins.
    """
    near: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for source, target, role in links:
        near[source].append((f"> {role}", target))
        near[target].append((f"< {role}", source))
    part = parts(kind, {uid: [n for _, n in around] for uid, around in near.items()})
    colour: dict[str, Hashable] = {uid: (part[uid], k) for uid, k in kind.items()}
    for _ in range(rounds):
        seen: dict[Hashable, int] = {}
        colour = {
            uid: seen.setdefault(
                (colour[uid],
                 frozenset(Counter((way, colour[n]) for way, n in near.get(uid, ())).items())),
                len(seen),
            )
            for uid in kind
        }
    return _classes(colour)


def parts(uids: Iterable[str], near: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the number of the connected part that each node lies in."""
    part: dict[str, int] = {}
    for n, first in enumerate(uids):
        if first in part:
            continue
        part[first] = n
        ring = [first]
        for uid in ring:  # grows while it is walked
            new = [other for other in near.get(uid, ()) if other not in part]
            part.update(dict.fromkeys(new, n))
            ring += dict.fromkeys(new)
    return part


def _groups(
    kinds: Mapping[str, Hashable], links: Sequence[tuple[str, str, str]],
    study: Mapping[str, str | None],
) -> list[list[str]]:
    """Return the twins, with those apart that are linked to different single boxes.

    Records of two plans stay two groups. What is linked to nothing goes with its like in its study.
    """
    linked = {uid for source, target, _ in links for uid in (source, target)}
    groups = twins({u: k for u, k in kinds.items() if u in linked}, links)
    near: dict[str, set[str]] = defaultdict(set)
    for source, target, _ in links:
        near[source].add(target)
        near[target].add(source)
    while True:
        grouped = {uid for uids in groups if len(uids) >= SMALLEST_GROUP for uid in uids}
        split = [part for uids in groups for part in _classes(
            {uid: frozenset(near[uid] - grouped) for uid in uids})]
        if len(split) == len(groups):
            break
        groups = split
    loose = {uid: (kind, study[uid]) for uid, kind in kinds.items() if uid not in linked}
    return groups + _classes(loose)


def _classes(colour: Mapping[str, Hashable]) -> list[list[str]]:
    """Return the keys that have the same value, in lists."""
    found: dict[Hashable, list[str]] = defaultdict(list)
    for uid, value in colour.items():
        found[value].append(uid)
    return list(found.values())


def lines(drawn: Iterable[Drawn], edges: Iterable[Edge]) -> list[Line]:
    """Return the lines between what is drawn; edges inside a group make none."""
    home = {box.id: d.id for d in drawn for box in d.members}
    status = {box.id: box.status for d in drawn for box in d.members}
    found: dict[tuple[str, str, str], list[Edge]] = defaultdict(list)
    for edge in edges:
        if edge.source in home and edge.target in home:
            source, target = home[edge.source], home[edge.target]
            if edge.kind == "SHARES_FOR" and source > target:
                source, target = target, source
            if source != target:
                found[source, target, edge.kind].append(edge)
    return [
        Line(source, target, together[0].kind,
             tuple(sorted({e.role for e in together if e.role})), len(together),
             any(is_unresolved(e, status) for e in together))
        for (source, target, _), together in sorted(found.items())
    ]


def _described(box: Box) -> str:
    return next((value for name, value in box.details if name == "SeriesDescription"), "")


def _order(box: Box) -> tuple[str, list[tuple[int, int | str]], str]:
    """Return the place of a box among its like: by time, then by number."""
    when = box.when.isoformat() if isinstance(box.when, date) else ""
    return when, natural(box.caption), box.id


def natural(text: str) -> list[tuple[int, int | str]]:
    """Split a text so that number 10 comes after number 2."""
    return [(0, int(p)) if p.isdecimal() and p.isascii() else (1, p)
            for p in re.split(r"([0-9]{1,18})", text) if p]
