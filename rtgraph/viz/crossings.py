"""How good a layout is as numbers: lines that cross, lines behind boxes, length of lines."""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum, hypot

import numpy as np
from numpy.typing import NDArray

Points = Mapping[str, tuple[float, float]]
Links = Sequence[tuple[str, str]]
Floats = NDArray[np.float64]
PAIRS = 1_000_000  # pairs compared at once, so that memory stays small
SAMPLES = np.linspace(0.06, 0.94, 15)[:, None, None]  # where on a line boxes are looked for


def crossings(points: Points, links: Links) -> int:
    """Count the pairs of straight lines that cross; lines that share an end do not.

    Lines that lie on each other or only touch are not counted.
    """
    ends, places = _arrays(points, links)
    if len(ends) < 2:
        return 0
    start, stop = places[ends[:, 0]], places[ends[:, 1]]
    total = 0
    chunk = max(1, PAIRS // len(ends))
    for first in range(0, len(ends), chunk):
        rows = slice(first, first + chunk)
        a, b = start[rows, None], stop[rows, None]
        apart = (ends[rows, None, :, None] != ends[None, :, None, :]).all(axis=(2, 3))
        sides = (_side(a, b, start[None]) * _side(a, b, stop[None]) < 0) & (
            _side(start[None], stop[None], a) * _side(start[None], stop[None], b) < 0)
        total += int((apart & sides).sum())
    return total // 2


def hidden(points: Points, links: Links, width: float, height: float, bend: float = 0.0) -> int:
    """Count how often a line runs behind a box that it does not belong to.

    Parameters
    ----------
    width, height : float
        Size of the boxes.
    bend : float
        How far the handles of the curves reach, as a part of their height; 0 for straight lines.
    """
    ends, places = _arrays(points, links)
    if not len(ends):
        return 0
    total = 0
    chunk = max(1, PAIRS // (len(SAMPLES) * len(places)))
    for first in range(0, len(ends), chunk):
        rows = ends[first:first + chunk]
        curve = _curves(places[rows[:, 0]], places[rows[:, 1]], bend)
        inside = np.any(np.all(
            np.abs(curve[:, :, None] - places) < (width / 2, height / 2), axis=-1), axis=0)
        own = np.zeros_like(inside)
        np.put_along_axis(own, rows, True, axis=1)
        total += int((inside & ~own).sum())
    return total


def length(points: Points, links: Links) -> float:
    """Return the sum of the lengths of the straight lines."""
    return fsum(hypot(points[a][0] - points[b][0], points[a][1] - points[b][1]) for a, b in links)


def overlaps(points: Points, width: float, height: float) -> int:
    """Count the pairs of boxes of this size that cover each other, by a walk to the right."""
    ordered: list[tuple[float, float]] = sorted(points.values())
    found = 0
    for i, (x, y) in enumerate(ordered):
        for other_x, other_y in _until(ordered[i + 1:], x + width):
            found += other_x - x < width and abs(other_y - y) < height
    return found


def _until(points: Iterable[tuple[float, float]], limit: float) -> Iterable[tuple[float, float]]:
    for point in points:
        if point[0] >= limit:
            return
        yield point


def _arrays(points: Points, links: Links) -> tuple[NDArray[np.intp], Floats]:
    """Return the ends of the lines as numbers of the points, and the points; loops are left out."""
    number = {uid: i for i, uid in enumerate(points)}
    ends = [(number[a], number[b]) for a, b in links if a != b]
    return (np.array(ends, dtype=np.intp).reshape(-1, 2),
            np.array([points[uid] for uid in number], dtype=np.float64).reshape(-1, 2))


def _curves(a: Floats, b: Floats, bend: float) -> Floats:
    """Return points of the cubic curves from a to b, samples first."""
    reach = np.stack([np.zeros(len(a)), bend * (b[:, 1] - a[:, 1])], axis=1)
    t, s = SAMPLES, 1 - SAMPLES
    curve: Floats = (s**3 * a + 3 * s**2 * t * (a + reach) + 3 * s * t**2 * (b - reach) + t**3 * b)
    return curve


def _side(a: Floats, b: Floats, c: Floats) -> Floats:
    """Return on which side of the lines from a to b the points c lie, by the sign."""
    side: Floats = np.sign(
        (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1])
        - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0]))
    return side
