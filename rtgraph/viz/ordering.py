"""Order and place the boxes of a lane: sweeps by barycentre, then neighbours change places.

A row holds boxes and paths: narrow places that are left free for a line between levels further
apart. A row of more boxes than fit side by side is filled column by column.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, fsum
from typing import NamedTuple

from rtgraph.viz.crossings import crossings, hidden, length

BOX_WIDTH, BOX_HEIGHT = 176, 70
GAP_X, GAP_Y = 20, 26  # between boxes of a row; between rows of one layer
LAYER_GAP = 100  # between layers: room for arrows and their roles
PAD = 18  # from a box to the frame of its study
FRAME_GAP = 24  # between frames of studies
PATH_WIDTH = 14
STRAIGHT = 3  # weight of a path against a box
PITCH = BOX_WIDTH + GAP_X
ROW = BOX_HEIGHT + GAP_Y
PER_ROW = 6
BEND = 0.4  # how far the handles of a line reach, as a part of its height
SWEEPS = 8
SWAPS = 4  # rounds in which neighbours change places
FEW = 300  # with more lines in a lane, neighbours do not change places: it takes too long
BEHIND = 3  # a line behind a box is as bad as so many crossings

Level = tuple[int, int]  # layer, and the step inside it


class Path(NamedTuple):
    """The way to a box on a level that lies between: lines from further on to it share it."""

    target: str
    level: Level


Item = str | Path
Study = tuple[str, ...]  # the studies of a box; empty when no study is known
Links = Sequence[tuple[str, str]]
Near = Mapping[Item, Sequence[Item]]
Cost = tuple[int, float]


@dataclass(slots=True)
class Block:
    """The boxes and paths of one study in a lane, in their order on each level.

    The width, with the frame, does not depend on the order.
    """

    study: Study
    rows: dict[Level, list[Item]]
    width: float = 0.0

    def reordered(self, rows: Mapping[Level, list[Item]]) -> "Block":
        """Return the block with other rows of the same items."""
        return Block(self.study, {key: [*row] for key, row in rows.items()}, self.width)

    def columns(self, key: Level) -> list[list[Item]]:
        """Return what stands on each other, from left to right; a path stands alone."""
        row = self.rows.get(key, [])
        n = n_rows(row)
        found: list[list[Item]] = []
        for item in row:
            if isinstance(item, Path):
                if n == 1:  # between stacked boxes no room is left for lines
                    found.append([item])
            elif found and len(found[-1]) < n and not isinstance(found[-1][0], Path):
                found[-1].append(item)
            else:
                found.append([item])
        return found

    def measure(self) -> None:
        """Set the width; a box above or below a path must have room to stand over it."""
        self.width = 2 * PAD + max(
            fsum(_width(column) + GAP_X for column in columns) - GAP_X
            + any(isinstance(c[0], Path) for c in columns) * (BOX_WIDTH - PATH_WIDTH) / 2
            for key in self.rows if (columns := self.columns(key)))


@dataclass(frozen=True, slots=True)
class Lane:
    """A placed lane: centre of each box from its left end and above the floor of its layer."""

    x: dict[Item, float]
    up: dict[str, tuple[int, float]]  # layer, height above its floor
    blocks: tuple[Block, ...]
    width: float
    heights: dict[int, float]  # of each layer


def n_rows(row: Iterable[Item]) -> int:
    """Return on how many rows the boxes of a level stand."""
    return max(1, ceil(sum(isinstance(item, str) for item in row) / PER_ROW))


def best(blocks: Sequence[Block], near: Near, links: Links) -> Lane:
    """Return the lane with the fewest crossings that sweeps and swaps find, then the shortest."""
    for block in blocks:
        block.measure()
    lane, cost = _swept(blocks, links, near)
    if len(links) > FEW or cost[0] == 0:
        return lane
    for _ in range(SWAPS):
        before = cost
        for i in range(len(blocks) - 1):
            other = [*lane.blocks]
            other[i:i + 2] = other[i + 1], other[i]
            swept, swept_cost = _swept(other, links, near)
            if swept_cost[0] < cost[0]:  # time is the better order, unless lines cross
                lane, cost = swept, swept_cost
        lane, cost = _switched(lane, cost, links, near)
        if cost == before:
            break
    return lane


def _swept(blocks: Sequence[Block], links: Links, near: Near) -> tuple[Lane, Cost]:
    """Return the better lane of two: boxes near to all they are linked to, or in their block."""
    found = [_sweep(blocks, links, near, inside=inside) for inside in (False, True)]
    return min(found, key=lambda lane_and_cost: lane_and_cost[1])


def _sweep(
    blocks: Sequence[Block], links: Links, near: Near, *, inside: bool
) -> tuple[Lane, Cost]:
    """Order each level by the places of the neighbours, up and down, and keep the best order."""
    blocks = [b.reordered(b.rows) for b in blocks]
    every_level = sorted({key for block in blocks for key in block.rows})
    x: dict[Item, float] = {}
    for key in every_level:
        x.update(_placed(blocks, key, {}))
    found: tuple[Cost, Lane] | None = None
    for sweep in range(SWEEPS):
        before = dict(x)
        for key in every_level if sweep % 2 else every_level[::-1]:
            for block in blocks:
                _sort(block.rows.get(key, []), x, near)
            x.update(_placed(blocks, key, _wanted(blocks, key, x, near, inside=inside)))
        if x == before and found is not None:
            break
        if sweep == SWEEPS - 1 or len(links) <= FEW:
            lane = _lane(blocks, x)
            cost = _cost(lane, links)
            if found is None or cost < found[0]:
                found = cost, lane
    assert found is not None
    return found[1], found[0]


def _switched(lane: Lane, cost: Cost, links: Links, near: Near) -> tuple[Lane, Cost]:
    """Let neighbours of a level change places where that makes the lane better."""
    for at, block in enumerate(lane.blocks):
        for key, row in block.rows.items():
            for i in range(len(row) - 1):
                blocks = [*lane.blocks]
                row = [*blocks[at].rows[key]]
                row[i:i + 2] = row[i + 1], row[i]
                blocks[at] = blocks[at].reordered({**blocks[at].rows, key: row})
                for inside in (False, True):
                    wanted = _wanted(blocks, key, lane.x, near, inside=inside)
                    other = _lane(blocks, lane.x | _placed(blocks, key, wanted))
                    if (other_cost := _cost(other, links)) < cost:
                        lane, cost = other, other_cost
    return lane, cost


def _cost(lane: Lane, links: Links) -> Cost:
    """Return how bad a lane is, and the length of its lines."""
    floors = stacked(lane.heights)
    points = {uid: (lane.x[uid], -floors[layer] - up) for uid, (layer, up) in lane.up.items()}
    bad = crossings(points, links) + BEHIND * hidden(points, links, BOX_WIDTH, BOX_HEIGHT, BEND)
    return bad, round(length(points, links), 3)


def stacked(heights: Mapping[int, float]) -> dict[int, float]:
    """Return how high each layer begins."""
    floors: dict[int, float] = {}
    top = float(-LAYER_GAP)
    for layer in sorted(heights):
        floors[layer] = top + LAYER_GAP
        top = floors[layer] + heights[layer]
    return floors


def _lane(blocks: Sequence[Block], x: Mapping[Item, float]) -> Lane:
    """Return the lane for an order and places: rows of a layer stand on each other."""
    rows: dict[Level, int] = {}
    for block in blocks:
        for key, row in block.rows.items():
            rows[key] = max(rows.get(key, 0), n_rows(row))
    heights: dict[int, float] = {}
    floor: dict[Level, float] = {}
    for key in sorted(rows):
        floor[key] = heights[key[0]] + LAYER_GAP if key[0] in heights else 0.0
        heights[key[0]] = floor[key] + rows[key] * ROW - GAP_Y
    up = {
        uid: (key[0], floor[key] + (n_rows(block.rows[key]) - 1 - i) * ROW + BOX_HEIGHT / 2)
        for block in blocks for key in block.rows for column in block.columns(key)
        for i, uid in enumerate(column) if isinstance(uid, str)
    }
    width = sum(block.width + FRAME_GAP for block in blocks) - FRAME_GAP
    return Lane(dict(x), up, tuple(blocks), width, heights)


def _wanted(
    blocks: Iterable[Block], key: Level, x: Mapping[Item, float], near: Near, *, inside: bool
) -> dict[Item, float]:
    """Return the mean x of what each item is linked to, or only of that in its block.

    Paths weigh more, so that long lines run straight.
    """
    found: dict[Item, float] = {}
    for block in blocks:
        members = {item for row in block.rows.values() for item in row}
        for item in block.rows.get(key, ()):
            around = near.get(item, ())
            own = [o for o in around if o in members or not inside for _ in range(
                STRAIGHT if isinstance(o, Path) or isinstance(item, Path) else 1)]
            found[item] = _mean([x[o] for o in own or around] or [x[item]])
    return found


def _sort(row: list[Item], x: Mapping[Item, float], near: Near) -> None:
    """Order a row by the means of what its items are linked to: so few lines cross."""
    row.sort(key=lambda item: _mean([x[o] for o in near.get(item, ())] or [x[item]]))


def _mean(values: Sequence[float]) -> float:
    """`fsum`, because the order of the edges must not show in the last digit."""
    return fsum(values) / len(values)


def _placed(
    blocks: Iterable[Block], key: Level, wanted: Mapping[Item, float]
) -> dict[Item, float]:
    """Return x for the items of a level.

    These are the places nearest to the wanted ones (least squares) that keep the boxes apart and
    inside their block; without wishes they stand in its middle.
    """
    found: dict[Item, float] = {}
    left = 0.0
    for block in blocks:
        if columns := block.columns(key):
            offsets = [0.0]
            for one, other in pairwise(columns):
                offsets.append(offsets[-1] + (_width(one) + _width(other)) / 2 + GAP_X)
            low = left + PAD + _width(columns[0]) / 2
            high = left + block.width - PAD - _width(columns[-1]) / 2 - offsets[-1]
            middle = (low + high) / 2
            means = [fsum(wanted.get(item, middle + offset) for item in column) / len(column)
                     for offset, column in zip(offsets, columns, strict=True)]
            firsts = _rising([(m - o, _weight(c))
                              for m, o, c in zip(means, offsets, columns, strict=True)])
            for first, offset, column in zip(firsts, offsets, columns, strict=True):
                found.update(dict.fromkeys(column, min(max(first, low), high) + offset))
        for item in block.rows.get(key, ()):
            found.setdefault(item, left + block.width / 2)  # a path without room
        left += block.width + FRAME_GAP
    return found


def _width(column: Sequence[Item]) -> float:
    return PATH_WIDTH if isinstance(column[0], Path) else BOX_WIDTH


def _weight(column: Sequence[Item]) -> int:
    return STRAIGHT if isinstance(column[0], Path) else 1


def _rising(values: Iterable[tuple[float, int]]) -> Iterator[float]:
    """Yield the rising numbers nearest to the given, weighted ones (pool adjacent violators)."""
    pools: list[tuple[float, int, int]] = []
    for value, weight in values:
        mean, sum_of_weights, n = value, weight, 1
        while pools and pools[-1][0] > mean:
            other, more, m = pools.pop()
            together = sum_of_weights + more
            mean, sum_of_weights, n = (
                (mean * sum_of_weights + other * more) / together, together, n + m)
        pools.append((mean, sum_of_weights, n))
    for mean, _, n in pools:
        yield from [mean] * n
