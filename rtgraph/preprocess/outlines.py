"""Outlines of masks along the edges of pixels, so that the same voxels come back from them.

A hole is joined to its outline by a channel without width (PS3.3 C.8.8.6.3, keyhole), so one path
says all and no reader has to combine contours.
"""

import numpy as np
from numpy.typing import NDArray

from rtgraph.preprocess.raster import signed_area

Floats = NDArray[np.float64]
Corner = tuple[int, int]


def outlines(region: NDArray[np.bool_]) -> list[Floats]:
    """Return closed paths around a region of pixels, one for each connected part.

    Parameters
    ----------
    region : (rows, columns) bool
        Pixels; those that touch at a corner only are not connected.

    Returns
    -------
    list of (n, 2) float64
        Columns and rows of the vertices; pixel (0, 0) has its centre at (0, 0). Holes are
        part of the path around them.
    """
    loops = _loops(region)
    outer = [loop for loop in loops if signed_area(loop) > 0]
    holes = [loop for loop in loops if signed_area(loop) < 0]
    inside: list[list[Floats]] = [[] for _ in outer]
    for hole in holes:
        around = [k for k, loop in enumerate(outer) if _encloses(loop, hole)]
        inside[min(around, key=lambda k: signed_area(outer[k]))].append(hole)
    return [_corners(_joined(loop, mine)) - 0.5 for loop, mine in zip(outer, inside, strict=True)]


def _loops(region: NDArray[np.bool_]) -> list[Floats]:
    """Return the closed walks along pixel edges that keep the region on their right."""
    padded = np.pad(region, 1)
    here = padded[1:-1, 1:-1]
    steps: dict[Corner, list[Corner]] = {}
    # each side of a pixel without a neighbour there: from corner to corner, (row, column)
    for free, start, end in (
        (here & ~padded[:-2, 1:-1], (0, 0), (0, 1)), (here & ~padded[1:-1, 2:], (0, 1), (1, 1)),
        (here & ~padded[2:, 1:-1], (1, 1), (1, 0)), (here & ~padded[1:-1, :-2], (1, 0), (0, 0)),
    ):
        for row, column in zip(*(axis.tolist() for axis in np.nonzero(free)), strict=True):
            steps.setdefault((row + start[0], column + start[1]), []).append(
                (row + end[0], column + end[1]))
    loops = []
    while steps:
        first = min(steps)
        path, before, at = [first], first, steps[first][0]
        _take(steps, first, at)
        while at != first or _leads_on(steps, before, at):
            path.append(at)
            after = _next(steps[at], before, at)
            _take(steps, at, after)
            before, at = at, after
        loops.append(np.array([(column, row) for row, column in path], np.float64))
    return loops


def _take(steps: dict[Corner, list[Corner]], start: Corner, end: Corner) -> None:
    steps[start].remove(end)
    if not steps[start]:
        del steps[start]


def _leads_on(steps: dict[Corner, list[Corner]], before: Corner, at: Corner) -> bool:
    """Tell whether a walk goes on at its first corner: two pixels touch there by the corner."""
    return at in steps and _turn(before, at, steps[at][0]) > 0


def _next(choices: list[Corner], before: Corner, at: Corner) -> Corner:
    """Return the next corner; where two pixels touch, stay with the pixel of the walk."""
    return max(choices, key=lambda c: _turn(before, at, c))


def _turn(before: Corner, at: Corner, after: Corner) -> int:
    """Return 1 for a turn to the right (rows grow downwards), 0 straight on, -1 to the left."""
    dr, dc = at[0] - before[0], at[1] - before[1]
    er, ec = after[0] - at[0], after[1] - at[1]
    return dc * er - dr * ec


def _encloses(outer: Floats, hole: Floats) -> bool:
    """Tell whether an outline is around a hole: by the pixel right below its first corner."""
    x, y = hole[0] + 0.5
    after = np.roll(outer, -1, axis=0)
    across = (outer[:, 1] <= y) != (after[:, 1] <= y)
    return bool(np.count_nonzero(outer[across, 0] > x) % 2)


def _joined(outer: Floats, holes: list[Floats]) -> Floats:
    """Return one path: holes are joined where they are nearest to what is already joined."""
    path, rest = outer, list(holes)
    while rest:
        near = [_nearest(path, hole) for hole in rest]
        k = int(np.argmin([distance for distance, _, _ in near]))
        _, i, j = near[k]
        hole = rest.pop(k)
        turned = np.roll(hole, -j, axis=0)
        path = np.vstack([path[:i + 1], turned, turned[:1], path[i:]])
    return path


def _nearest(path: Floats, hole: Floats) -> tuple[float, int, int]:
    apart = ((path[:, None, :] - hole[None, :, :]) ** 2).sum(axis=2)
    i, j = np.unravel_index(int(np.argmin(apart)), apart.shape)
    return float(apart[i, j]), int(i), int(j)


def _corners(path: Floats) -> Floats:
    """Return the path without the vertices along straight lines."""
    before, after = path - np.roll(path, 1, axis=0), np.roll(path, -1, axis=0) - path
    crosses = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    runs_back = (before * after).sum(axis=1) < 0
    kept: Floats = path[(crosses != 0) | runs_back]
    return kept
