"""Polygons to pixels: by the centre of each pixel, or by the exact share of its area.

Both ways work on crossings. A line through pixel centres, or a strip in which no two edges cross,
is walked from left to right, and the hole rule says which crossings enter and leave the region.
So holes, islands, keyholes and overlaps need no cases of their own, and nothing is rounded to
pixels. Coordinates are fractions of columns and rows; pixel (0, 0) has its centre at (0, 0).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SAME = 1e-9  # pixels; closer than this, edges meet and do not cross
_AT_ONCE = 8_000_000  # pixels whose shares are held at a time


class HoleRule(StrEnum):
    """What several contours on one plane mean.

    `xor` keeps the inner one as a hole, `union` fills it, `standard` combines by exclusive
    disjunction only contours of the type CLOSEDPLANAR_XOR (PS3.3 C.8.8.6.3).
    """

    xor = "xor"
    union = "union"
    standard = "standard"


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """A closed contour on a plane of a stack.

    Attributes
    ----------
    points : (n, 2) float64
        Columns and rows of the vertices; the last one is joined to the first.
    plane : int
        Plane of the stack.
    exclusive : bool
        The contour is of the type CLOSEDPLANAR_XOR.
    """

    points: Floats
    plane: int = 0
    exclusive: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Edges that are not level: ends with y0 < y1, their polygon and its plane."""

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    polygon: Ints
    plane: Ints

    def at(self, edge: Ints, y: Floats) -> Floats:
        """Return x of edges at heights between their ends."""
        x0, y0 = self.x0[edge], self.y0[edge]
        return x0 + (y - y0) * (self.x1[edge] - x0) / (self.y1[edge] - y0)


def inside(polygons: Sequence[Polygon], shape: tuple[int, int, int], rule: HoleRule
           ) -> NDArray[np.uint8]:
    """Return 1 for pixels whose centre is in the region, else 0.

    Parameters
    ----------
    polygons : sequence of Polygon
        Contours; parts outside the pixels are cut off.
    shape : (planes, rows, columns)
        Of the result.
    rule : HoleRule
        What several contours on one plane mean.
    """
    planes, rows, columns = shape
    edges = _edges(polygons)
    edge, row = _lines(edges, rows)
    line = edges.plane[edge] * rows + row
    x = edges.at(edge, row.astype(np.float64))
    order = np.lexsort((x, line))
    sign = _signs(line[order], edges.polygon[edge[order]], polygons, rule)
    column = np.clip(np.ceil(x[order]), 0, columns).astype(np.int64)
    steps = np.zeros((planes * rows, columns + 1), np.int8)
    np.add.at(steps, (line[order], column), sign.astype(np.int8))
    np.cumsum(steps, axis=1, dtype=np.int8, out=steps)
    return np.ascontiguousarray(steps[:, :columns]).view(np.uint8).reshape(shape)


def counts(polygons: Sequence[Polygon], shape: tuple[int, int, int]) -> Ints:
    """Return how many pixel centres each polygon has inside by itself."""
    _, rows, columns = shape
    edges = _edges(polygons)
    edge, row = _lines(edges, rows)
    x = edges.at(edge, row.astype(np.float64))
    order = np.lexsort((x, row, edges.polygon[edge]))
    column = np.clip(np.ceil(x[order]), 0, columns).astype(np.int64)
    return np.bincount(edges.polygon[edge[order]][::2], weights=column[1::2] - column[::2],
                       minlength=len(polygons)).astype(np.int64)


def coverage(polygons: Sequence[Polygon], shape: tuple[int, int, int], rule: HoleRule
             ) -> NDArray[np.float32]:
    """Return the exact share of each pixel that is in the region, from 0 to 1.

    Parameters are those of `inside`. The share is the area of the region in the pixel, without
    samples, so a finer grid moves nothing.
    """
    planes, rows, columns = shape
    found = np.zeros(shape, np.float32)
    step = max(1, _AT_ONCE // (rows * (columns + 1)))
    for first in range(0, planes, step):
        part = [Polygon(p.points, p.plane - first, p.exclusive) for p in polygons
                if first <= p.plane < first + step]
        if part:
            count = min(step, planes - first)
            found[first:first + count] = _coverage(part, (count, rows, columns), rule)
    return found


def areas(polygons: Sequence[Polygon], planes: int, rule: HoleRule) -> Floats:
    """Return the area of the region on each plane, in pixels, wherever it lies."""
    if not polygons:
        return np.zeros(planes)
    low = np.min([p.points.min(axis=0) for p in polygons], axis=0)
    span = np.max([p.points.max(axis=0) for p in polygons], axis=0) - low
    if not np.all(span > 0):
        return np.zeros(planes)
    scaled = [Polygon((p.points - low) / span - 0.5, p.plane, p.exclusive) for p in polygons]
    return _coverage(scaled, (planes, 1, 1), rule)[:, 0, 0] * float(span[0] * span[1])


def self_crossing(polygons: Sequence[Polygon]) -> NDArray[np.bool_]:
    """Tell of each polygon whether its edges cross; edges that lie on each other do not."""
    found = np.zeros(len(polygons), bool)
    if polygons:
        alone = [Polygon(p.points, k) for k, p in enumerate(polygons)]
        edges = _edges(alone)
        low = min(float(p.points[:, 1].min()) for p in polygons)
        strips = _Strips.of(_stacked(edges, low, _height(polygons)))
        a, _, _ = strips.crossings()
        found[edges.polygon[a]] = True
    return found


def signed_area(points: Floats) -> float:
    """Return the area of a polygon (n, 2), positive when x turns to y along its vertices."""
    x, y = points[:, 0], points[:, 1]
    x, y = x - x[0], y - y[0]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2


def _edges(polygons: Sequence[Polygon]) -> _Edges:
    sizes = [len(p.points) for p in polygons]
    if not sum(sizes):
        none, whole = np.zeros(0), np.zeros(0, np.int64)
        return _Edges(none, none, none, none, whole, whole)
    start = np.concatenate([p.points for p in polygons])
    end = np.concatenate([np.roll(p.points, -1, axis=0) for p in polygons])
    polygon = np.repeat(np.arange(len(polygons)), sizes)
    plane = np.repeat(np.array([p.plane for p in polygons], np.int64), sizes)
    kept = start[:, 1] != end[:, 1]
    start, end, polygon, plane = start[kept], end[kept], polygon[kept], plane[kept]
    up = (start[:, 1] < end[:, 1])[:, None]
    low, high = np.where(up, start, end), np.where(up, end, start)
    return _Edges(low[:, 0], low[:, 1], high[:, 0], high[:, 1], polygon, plane)


def _lines(edges: _Edges, rows: int) -> tuple[Ints, Ints]:
    """Return edge and row of every crossing with a row of pixel centres, lower end included."""
    first = np.maximum(np.ceil(edges.y0), 0).astype(np.int64)
    last = np.minimum(np.ceil(edges.y1) - 1, rows - 1).astype(np.int64)
    return _spread(first, last + 1)


def _spread(first: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Return, for each k, k itself beside every number from first[k] to end[k] - 1."""
    count = np.maximum(end - first, 0)
    who = np.repeat(np.arange(len(count)), count)
    before: Ints = np.cumsum(count) - count
    number: Ints = first[who] + np.arange(len(who)) - before[who]
    return who, number


def _signs(line: Ints, polygon: Ints, polygons: Sequence[Polygon], rule: HoleRule) -> Ints:
    """Return 1 where a crossing enters the region, -1 where it leaves, 0 where neither.

    Crossings come sorted by line, then from left to right. Within a polygon every second crossing
    leaves.
    """
    if rule is HoleRule.xor:
        alternating: Ints = 1 - 2 * (_rank(line) % 2)
        return alternating
    exclusive = np.array([p.exclusive and rule is HoleRule.standard for p in polygons], bool)
    both = line * len(polygons) + polygon
    by_polygon = np.argsort(both, kind="stable")
    enters = np.empty(len(line), np.int64)
    enters[by_polygon] = 1 - 2 * (_rank(both[by_polygon]) % 2)
    apart = exclusive[polygon]
    covered = np.cumsum(np.where(apart, 0, enters)) > 0
    state = covered ^ (np.cumsum(apart) % 2 == 1)
    before = np.concatenate([[False], state[:-1]])
    change: Ints = state.astype(np.int64) - before.astype(np.int64)
    return change


def _rank(group: Ints) -> Ints:
    """Return the place of each element within its group; equal groups are neighbours."""
    place = np.arange(len(group))
    starts = np.concatenate([[True], group[1:] != group[:-1]])[:len(group)]
    first: Ints = np.maximum.accumulate(np.where(starts, place, 0))
    return place - first


def _coverage(polygons: Sequence[Polygon], shape: tuple[int, int, int], rule: HoleRule) -> Floats:
    planes, rows, columns = shape
    edges = _stacked(_clipped(_edges(polygons), rows), 0.0, float(rows))
    strips = _Strips.of(edges, np.arange(planes * rows + 1, dtype=np.float64)).uncrossed()
    polygon = edges.polygon[strips.edge]
    sign = _signs(strips.strip, polygon, polygons, rule)
    kept = sign != 0
    top, bottom = strips.breaks[strips.strip[kept]], strips.breaks[strips.strip[kept] + 1]
    line = np.minimum(((top + bottom) / 2).astype(np.int64), planes * rows - 1)
    total = np.zeros(planes * rows * (columns + 1))
    for cell, share in _shares(strips.x0[kept] + 0.5, strips.x1[kept] + 0.5, line,
                               (bottom - top) * sign[kept], columns):
        total += np.bincount(cell, weights=share, minlength=len(total))
    share = np.cumsum(total.reshape(planes * rows, columns + 1), axis=1)[:, :columns]
    np.clip(share, 0.0, 1.0, out=share)
    share[share < _SAME] = 0.0
    share[share > 1.0 - _SAME] = 1.0
    return share.reshape(shape)


def _shares(x0: Floats, x1: Floats, line: Ints, height: Floats, columns: int
            ) -> Iterator[tuple[Ints, Floats]]:
    """Yield cells and what pieces of edges add to them, so that a running sum gives the shares.

    A piece that crosses several columns is cut at their borders. What lies right of a piece counts
    in its own column as far as it reaches, and in every column after it in full.
    """
    low, high = np.minimum(x0, x1), np.maximum(x0, x1)
    first = np.floor(np.clip(low, -1, columns)).astype(np.int64)
    end = np.maximum(np.ceil(np.clip(high, -1, columns + 1)).astype(np.int64), first + 1)
    piece, column = _spread(first, end)
    width = (high - low)[piece]
    left = np.where(column == -1, low[piece], np.maximum(low[piece], column))
    right = np.where(column >= columns, high[piece], np.minimum(high[piece], column + 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(width > 0, (right - left) / width, 1.0) * height[piece]
    middle = np.clip((left + right) / 2, 0, columns)
    column = np.clip(column, 0, columns - 1)
    cell = line[piece] * (columns + 1) + column
    yield cell, part * (column + 1 - middle)
    yield cell + 1, part * (middle - column)


def _clipped(edges: _Edges, rows: int) -> _Edges:
    """Return the edges shifted so that pixels begin at whole numbers, cut to the rows."""
    y0, y1 = np.maximum(edges.y0 + 0.5, 0), np.minimum(edges.y1 + 0.5, rows)
    kept = np.flatnonzero(y0 < y1)
    return _Edges(edges.at(kept, y0[kept] - 0.5), y0[kept], edges.at(kept, y1[kept] - 0.5),
                  y1[kept], edges.polygon[kept], edges.plane[kept])


def _stacked(edges: _Edges, low: float, height: float) -> _Edges:
    """Return the edges with their planes below each other, so that all are walked at once."""
    shift = edges.plane * height - low
    return _Edges(edges.x0, edges.y0 + shift, edges.x1, edges.y1 + shift, edges.polygon,
                  edges.plane)


def _height(polygons: Sequence[Polygon]) -> float:
    ys = [(float(p.points[:, 1].min()), float(p.points[:, 1].max())) for p in polygons]
    return max(high for _, high in ys) - min(low for low, _ in ys) + 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Strips:
    """Pieces of edges in strips between neighbouring heights, from left to right in each strip."""

    edges: _Edges
    breaks: Floats
    edge: Ints
    strip: Ints
    x0: Floats
    x1: Floats

    @classmethod
    def of(cls, edges: _Edges, more: Floats | None = None) -> "_Strips":
        """Cut edges at the ends of all others and at `more` heights."""
        ends = (edges.y0, edges.y1) if more is None else (edges.y0, edges.y1, more)
        breaks = np.unique(np.concatenate(ends))
        edge, strip = _spread(np.searchsorted(breaks, edges.y0),
                              np.searchsorted(breaks, edges.y1))
        x0, x1 = edges.at(edge, breaks[strip]), edges.at(edge, breaks[strip + 1])
        order = np.lexsort((x0 + x1, strip))
        return cls(edges, breaks, edge[order], strip[order], x0[order], x1[order])

    def crossings(self) -> tuple[Ints, Ints, Floats]:
        """Return pairs of neighbouring edges that cross within a strip, and the height."""
        same = self.strip[1:] == self.strip[:-1]
        above, below = self.x0[:-1] - self.x0[1:], self.x1[:-1] - self.x1[1:]
        k = np.flatnonzero(same & ((above > _SAME) | (below > _SAME)))
        top, bottom = self.breaks[self.strip[k]], self.breaks[self.strip[k] + 1]
        y = top + (bottom - top) * above[k] / (above[k] - below[k])
        return self.edge[k], self.edge[k + 1], y

    def uncrossed(self) -> "_Strips":
        """Return strips so thin that no edges cross in them."""
        strips = self
        while True:
            _, _, y = strips.crossings()
            breaks = np.union1d(strips.breaks, y)
            if len(breaks) == len(strips.breaks):
                return strips
            strips = _Strips.of(self.edges, breaks)
