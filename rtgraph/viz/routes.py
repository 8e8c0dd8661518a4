"""The course of lines between boxes, and where on them their roles stand without covering others.

A line is a cubic Bézier curve from centre to centre that leaves and arrives vertically, as
vis-network draws it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rtgraph.viz.collapse import Line
from rtgraph.viz.ordering import BEND, BOX_HEIGHT, BOX_WIDTH

LABEL_SIZE, LABEL_LINE = 13, 15  # of the text of roles, and from line to line
LABEL_GAP = 5  # left free beside a role
LETTER = 0.66  # width of a capital letter, as a part of the size
PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8)
MAX_ROLES = 3

Point = tuple[float, float]
Rect = tuple[float, float, float, float]  # left, top, right, bottom


def handles(a: Point, b: Point) -> tuple[Point, Point]:
    """Return the two handles of the curve from a to b."""
    reach = BEND * (b[1] - a[1])
    return (a[0], a[1] + reach), (b[0], b[1] - reach)


def point_at(a: Point, b: Point, t: float) -> Point:
    """Return the point of the curve at t, 0 to 1."""
    (x1, y1), (x2, y2) = handles(a, b)
    s = 1 - t
    weights = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
    return (sum(w * x for w, x in zip(weights, (a[0], x1, x2, b[0]), strict=True)),
            sum(w * y for w, y in zip(weights, (a[1], y1, y2, b[1]), strict=True)))


def words(line: Line) -> list[str]:
    """Return the text of a line: its roles, long ones on two lines."""
    roles = [part for role in line.roles[:MAX_ROLES] for part in broken(role)]
    more = len(line.roles) - MAX_ROLES
    return [*roles, f"and {more} more"] if more > 0 else roles


def broken(role: str) -> list[str]:
    """Break a long role at an underscore near its middle."""
    cuts = [m.end() for m in re.finditer("_", role)]
    if len(role) <= 16 or not cuts:
        return [role]
    cut = min(cuts, key=lambda i: abs(i - len(role) / 2))
    return [role[:cut], role[cut:]]


def label_places(
    points: Mapping[str, Point], lines: Iterable[Line], titles: Iterable[Rect] = ()
) -> dict[tuple[str, str, str], float]:
    """Return for each line with a role the t at which it stands, by its ends and kind.

    The first of some places is taken at which it covers neither a box, a title of a frame nor a
    role, else the one at which it covers the least.
    """
    taken = _Taken()
    for rect in titles:
        taken.add(rect)
    for x, y in points.values():
        taken.add((x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2, x + BOX_WIDTH / 2, y + BOX_HEIGHT / 2))
    found: dict[tuple[str, str, str], float] = {}
    for line in lines:
        text = words(line)
        if not text or line.kind == "SHARES_FOR":
            continue
        a, b = points[line.source], points[line.target]
        rects = [(t, _rect(point_at(a, b, t), text)) for t in PLACES]
        t, rect = min(rects, key=lambda r: (round(taken.covered(r[1])), abs(r[0] - 0.5)))
        taken.add(rect)
        found[line.source, line.target, line.kind] = t
    return found


def _rect(at: Point, text: Sequence[str]) -> Rect:
    width = max(map(len, text)) * LABEL_SIZE * LETTER / 2 + LABEL_GAP
    height = len(text) * LABEL_LINE / 2
    return at[0] - width, at[1] - height, at[0] + width, at[1] + height


class _Taken:
    """Rectangles that are taken, in a grid of cells as large as a box."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Rect]] = defaultdict(list)

    def add(self, rect: Rect) -> None:
        for cell in _cells(rect):
            self._cells[cell].append(rect)

    def covered(self, rect: Rect) -> float:
        """Return the area that others cover of a rectangle."""
        others = {other for cell in _cells(rect) for other in self._cells.get(cell, ())}
        return sum(
            max(0.0, min(rect[2], o[2]) - max(rect[0], o[0]))
            * max(0.0, min(rect[3], o[3]) - max(rect[1], o[1])) for o in others)


def _cells(rect: Rect) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = rect
    for i in range(int(left // BOX_WIDTH), int(right // BOX_WIDTH) + 1):
        for j in range(int(top // BOX_WIDTH), int(bottom // BOX_WIDTH) + 1):
            yield i, j
