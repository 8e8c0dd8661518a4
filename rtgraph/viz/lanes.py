"""Lanes of the figure: connected boxes in layers, side by side by study, with few crossings."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rtgraph.viz.collapse import Drawn, Line, natural, parts
from rtgraph.viz.ordering import Block, Item, Lane, Level, Near, Path, Study, best, n_rows

FEW_BOXES = 4  # so few connected boxes have no lane of their own

Link = tuple[str, str]


def lanes(drawn: Sequence[Drawn], lines: Iterable[Line]) -> list[Lane]:
    """Return the lanes, those with references first, each kind in the order of time.

    A box that nothing is linked to stands with the other boxes of its study.
    """
    known = {d.id for d in drawn}
    links = sorted({(line.source, line.target) for line in lines if line.kind == "REFERENCES"
                    and line.source in known and line.target in known})
    near: dict[str, list[str]] = defaultdict(list)
    for source, target in links:
        near[source].append(target)
        near[target].append(source)
    ordered = sorted(drawn, key=lambda d: (
        d.first.modality, str(d.first.when or ""), natural(d.caption), d.id))
    places = _Places(
        level=levels(ordered, links),
        study={d.id: tuple(sorted(d.studies)) for d in ordered},
        when={d.id: min((str(b.when) for b in d.members if b.when), default="9") for d in ordered},
    )
    together = _together([d.id for d in ordered], near, places.study)
    number = {uid: n for n, uids in enumerate(together) for uid in uids}
    own: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        own[number[link[0]]].append(link)
    made = [
        (not own[n], min(places.when[uid] for uid in uids), uids[0],
         best(*_blocks(uids, own[n], places), own[n]))
        for n, uids in enumerate(together)
    ]
    return [lane for *_, lane in sorted(made, key=lambda m: m[:3])]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a box belongs: its level, its studies and its earliest day."""

    level: Mapping[str, Level]
    study: Mapping[str, Study]
    when: Mapping[str, str]


def levels(boxes: Iterable[Drawn], links: Iterable[Link]) -> dict[str, Level]:
    """Return layer and step of each box; inside a layer a source is a step above its targets."""
    layer = {d.id: d.first.layer for d in boxes}
    sources: dict[str, list[str]] = defaultdict(list)
    open_targets = dict.fromkeys(layer, 0)
    for source, target in links:
        if layer[source] == layer[target]:
            sources[target].append(source)
            open_targets[source] += 1
    step = dict.fromkeys(layer, 0)
    ready = [uid for uid, n in open_targets.items() if n == 0]
    waiting = [uid for uid, n in open_targets.items() if n > 0][::-1]
    placed: set[str] = set()
    while ready or waiting:
        # nothing is ready in a cycle: its first box is placed without looking at its targets
        uid = ready.pop() if ready else waiting.pop()
        if uid in placed:
            continue
        placed.add(uid)
        for source in sources[uid]:
            open_targets[source] -= 1
            if source not in placed:
                step[source] = max(step[source], step[uid] + 1)
                if open_targets[source] == 0:
                    ready.append(source)
    return {uid: (layer[uid], step[uid]) for uid in layer}


def _together(
    uids: Sequence[str], near: Mapping[str, Sequence[str]], study: Mapping[str, Study]
) -> list[list[str]]:
    """Return the boxes of each lane in the given order: what is connected.

    Few boxes of one study go to the lane in which most boxes of this study stand, so that it has
    one frame.
    """
    part = parts(uids, near)
    members: dict[int, list[str]] = defaultdict(list)
    for uid in uids:
        members[part[uid]].append(uid)
    homes: dict[Study, Counter[int]] = defaultdict(Counter)
    for uid in uids:
        if len(members[part[uid]]) > FEW_BOXES and study[uid]:
            homes[study[uid]][part[uid]] += 1
    found: dict[int | Study, list[str]] = defaultdict(list)
    for n, together in members.items():
        home: int | Study = n
        studies = {study[uid] for uid in together if study[uid]}
        if len(together) <= FEW_BOXES and len(studies) == 1:
            (home,) = studies
            if home in homes:
                n_boxes = homes[home]
                home = max(n_boxes, key=n_boxes.__getitem__)
        found[home] += together
    rank = {uid: i for i, uid in enumerate(uids)}
    return [sorted(together, key=rank.__getitem__) for together in found.values()]


def _blocks(
    uids: Sequence[str], links: Iterable[Link], places: _Places
) -> tuple[list[Block], Near]:
    """Return the blocks of a lane in the order of time, and what is next to what.

    What no study states stands at the end. A line inside a block has a path on each level between
    its ends; lines to one box share it.
    """
    found: dict[Study, Block] = {}
    first: dict[Study, str] = {}
    for uid in uids:
        study = places.study[uid]
        block = found.setdefault(study, Block(study, {}))
        block.rows.setdefault(places.level[uid], []).append(uid)
        first[study] = min(first.get(study, "9"), places.when[uid])
    near: dict[Item, list[Item]] = defaultdict(list)
    for source, target in links:
        ends = places.level[source], places.level[target]
        chain: list[Item] = [source, target]
        if places.study[source] == places.study[target]:
            rows = found[places.study[source]].rows
            paths = [Path(target, key) for key in sorted(rows, reverse=ends[0] > ends[1])
                     if min(ends) < key < max(ends) and n_rows(rows[key]) == 1]
            for path in paths:
                if path not in rows[path.level]:
                    rows[path.level].append(path)
            chain = [source, *paths, target]
        for one, other in pairwise(chain):
            near[one].append(other)
            near[other].append(one)
    order = sorted(found.values(), key=lambda b: (not b.study, first[b.study], b.study))
    return order, near
