"""Place the boxes of the figure: layers by modality, side by side what is not connected.

The browser could do this, but its hierarchical layout makes an unreadable strip of an average
patient and its physics does not end on a large one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, fsum, sqrt

from rtgraph.viz.subgraph import Box, Edge

BOX_WIDTH, BOX_HEIGHT = 190, 56
GAP_X, GAP_Y = 34, 34  # between boxes of a row; between rows of one layer
LAYER_GAP = 104  # between layers: room for arrows and their roles
LANE_GAP = 110  # between parts that are not connected
PITCH = BOX_WIDTH + GAP_X
PER_ROW = 6
SWEEPS = 8
ASPECT = 1.7  # width to height of the whole figure, as a screen

Near = Mapping[str, Sequence[str]]
Points = dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Lane:
    """Connected boxes: x, layer and height above the floor of that layer, for each."""

    places: dict[str, tuple[float, int, float]]
    left: float
    width: float
    heights: dict[int, float]  # of each layer


def positions(boxes: Sequence[Box], edges: Iterable[Edge]) -> Points:
    """Return the centre of each box; y grows downwards.

    Images stand lowest. References from a layer to itself or a lower one point down, unless they
    form a cycle; shared frames of reference do not count.
    """
    known = {box.id for box in boxes}
    links = [
        (e.source, e.target) for e in edges
        if e.kind == "REFERENCES" and e.source in known and e.target in known
    ]
    near: dict[str, list[str]] = defaultdict(list)
    for source, target in links:
        near[source].append(target)
        near[target].append(source)
    ordered = sorted(boxes, key=lambda b: (b.modality, _natural(b.label), b.id))
    level = _levels(ordered, links)
    lanes = [_lane(lane, level, near) for lane in _lanes([b.id for b in ordered], near)]
    return _packed(lanes)


def _natural(text: str) -> list[str | int]:
    """Split a label so that number 10 comes after number 2."""
    parts = re.split(r"([0-9]{1,18})", text)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]


def _levels(boxes: Sequence[Box], links: Iterable[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Return layer and step of each box; inside a layer a source is a step above its targets."""
    layer = {box.id: box.layer for box in boxes}
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


def _lanes(uids: Sequence[str], near: Near) -> list[list[str]]:
    """Return the connected parts, the largest first; what stands alone shares the last lane."""
    rank = {uid: i for i, uid in enumerate(uids)}
    lanes: list[list[str]] = []
    alone: list[str] = []
    seen: set[str] = set()
    for first in uids:
        if first in seen:
            continue
        seen.add(first)
        lane = [first]
        for uid in lane:  # grows while it is walked
            new = set(near.get(uid, ())) - seen
            seen |= new
            lane += new
        if len(lane) > 1:
            lanes.append(sorted(lane, key=rank.__getitem__))
        else:
            alone += lane
    lanes.sort(key=len, reverse=True)
    return [*lanes, alone] if alone else lanes


def _lane(uids: Iterable[str], level: Mapping[str, tuple[int, int]], near: Near) -> _Lane:
    """Place one lane, each box as near to its neighbours as it fits."""
    by_level: dict[tuple[int, int], list[str]] = defaultdict(list)
    for uid in uids:
        by_level[level[uid]].append(uid)
    layers = [by_level[key] for key in sorted(by_level)]
    x: dict[str, float] = {}
    for layer in layers:
        x.update(_columns(layer, dict.fromkeys(layer, 0.0)))
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else layers[::-1]:
            wanted = {uid: _barycentre(uid, x, near) for uid in layer}
            layer.sort(key=wanted.__getitem__)
            x.update(_columns(layer, wanted))
    places: dict[str, tuple[float, int, float]] = {}
    heights: dict[int, float] = {}
    for key in sorted(by_level):
        layer = by_level[key]
        n_rows = ceil(len(layer) / PER_ROW)
        floor = heights[key[0]] + LAYER_GAP if key[0] in heights else 0.0
        for i, uid in enumerate(layer):
            places[uid] = x[uid], key[0], floor + (n_rows - 1 - i % n_rows) * (BOX_HEIGHT + GAP_Y)
        heights[key[0]] = floor + n_rows * (BOX_HEIGHT + GAP_Y) - GAP_Y
    return _Lane(places, min(x.values()), max(x.values()) - min(x.values()) + BOX_WIDTH, heights)


def _barycentre(uid: str, x: Mapping[str, float], near: Near) -> float:
    """Return the mean x of what a box is linked to: boxes in this order cross few lines.

    `fsum`, because the order of the edges must not show in the last digit.
    """
    around = near.get(uid, ())
    return fsum(x[other] for other in around) / len(around) if around else x[uid]


def _columns(layer: Sequence[str], wanted: Mapping[str, float]) -> dict[str, float]:
    """Return x for each box of a layer, filled column by column to keep neighbours near.

    These are the places nearest to the wanted ones (least squares) that keep the boxes apart.
    """
    n_rows = ceil(len(layer) / PER_ROW)
    columns = [layer[i:i + n_rows] for i in range(0, len(layer), n_rows)]
    blocks: list[tuple[float, int]] = []  # x of the first column, number of columns
    for i, column in enumerate(columns):
        first, n = sum(wanted[uid] for uid in column) / len(column) - i * PITCH, 1
        while blocks and blocks[-1][0] > first:
            other, m = blocks.pop()
            first, n = (first * n + other * m) / (n + m), n + m
        blocks.append((first, n))
    firsts = [first for first, n in blocks for _ in range(n)]
    return {
        uid: first + i * PITCH
        for i, (first, column) in enumerate(zip(firsts, columns, strict=True))
        for uid in column
    }


def _packed(lanes: Sequence[_Lane]) -> Points:
    """Stand the lanes side by side on shelves; the width is that which a screen shows largest."""
    widest = max((lane.width for lane in lanes), default=0.0)
    area = sum((lane.width + LANE_GAP) * (_floors([lane])[1] + LANE_GAP) for lane in lanes)
    limits = [max(widest, sqrt(ASPECT * area) * factor) for factor in (0.8, 1.0, 1.25, 1.5, 2.0)]
    shelves = min((_shelves(lanes, limit) for limit in limits), key=_extent)
    points: Points = {}
    bottom = 0.0
    for shelf in shelves:
        floors, height = _floors(shelf)
        bottom += height
        left = 0.0
        for lane in shelf:
            start = left + BOX_WIDTH / 2 - lane.left
            for uid, (x, layer, up) in lane.places.items():
                points[uid] = start + x, bottom - floors[layer] - up
            left += lane.width + LANE_GAP
        bottom += LANE_GAP
    return points


def _shelves(lanes: Iterable[_Lane], limit: float) -> list[list[_Lane]]:
    """Return the lanes of each shelf of at most this width."""
    shelves: list[list[_Lane]] = []
    left = 0.0
    for lane in lanes:
        if not shelves or left + lane.width > limit:
            shelves.append([])
            left = 0.0
        shelves[-1].append(lane)
        left += lane.width + LANE_GAP
    return shelves


def _floors(shelf: Iterable[_Lane]) -> tuple[dict[int, float], float]:
    """Return how high each layer of a shelf begins, and the height of the shelf."""
    tallest: dict[int, float] = {}
    for lane in shelf:
        for layer, height in lane.heights.items():
            tallest[layer] = max(tallest.get(layer, 0.0), height)
    floors: dict[int, float] = {}
    top = float(-LAYER_GAP)
    for layer in sorted(tallest):
        floors[layer] = top + LAYER_GAP
        top = floors[layer] + tallest[layer]
    return floors, top


def _extent(shelves: Iterable[Sequence[_Lane]]) -> float:
    """Return the height of the screen that shows all shelves."""
    width = height = 0.0
    for shelf in shelves:
        width = max(width, sum(lane.width + LANE_GAP for lane in shelf))
        height += _floors(shelf)[1] + LANE_GAP
    return max(width / ASPECT, height)
