"""Place what is drawn: layers by modality, lanes of connected boxes, frames around studies.

The browser could do this, but its hierarchical layout makes an unreadable strip of an average
patient and its physics does not end on a large one. Lanes stand side by side on shelves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from rtgraph.viz.collapse import Drawn, Line
from rtgraph.viz.lanes import lanes
from rtgraph.viz.ordering import BOX_HEIGHT, BOX_WIDTH, LAYER_GAP, PAD, Lane, Study, stacked

TITLE = 26  # height of the title of a frame
LANE_GAP = 72  # between parts that are not connected
ASPECT = 1.6  # width to height of the whole figure, as a screen


@dataclass(frozen=True, slots=True)
class Frame:
    """The pale background of the boxes of one study, or of several that are alike; y downwards."""

    study: Study
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Layout:
    """The centre of each box by its id, and the frames; y grows downwards."""

    points: Mapping[str, tuple[float, float]]
    frames: tuple[Frame, ...]


def layout(drawn: Sequence[Drawn], lines: Iterable[Line], *, up: bool = False) -> Layout:
    """Place the boxes; images stand lowest.

    References from a layer to itself or a lower one point down, unless they form a cycle; shared
    frames of reference and inferred links do not count. With `up` all of it is upside down.
    """
    every = lanes(drawn, lines)
    points: dict[str, tuple[float, float]] = {}
    frames: list[Frame] = []
    bottom = 0.0
    for shelf in _packed(every):
        floors, height = _floors(shelf)
        bottom += height + TITLE + 2 * PAD
        left = 0.0
        for lane in shelf:
            for uid, (layer, above) in lane.up.items():
                y = bottom - floors[layer] - above
                points[uid] = left + lane.x[uid], -y if up else y
            frames += _framed(lane, points)
            left += lane.width + LANE_GAP
        bottom += LANE_GAP
    return Layout(points, tuple(frames))


def _framed(lane: Lane, points: Mapping[str, tuple[float, float]]) -> Iterable[Frame]:
    """Yield the frame around each block of a lane whose study is known."""
    for block in lane.blocks:
        places = [points[uid] for row in block.rows.values() for uid in row
                  if isinstance(uid, str)]
        if block.study:
            yield Frame(
                block.study,
                min(x for x, _ in places) - BOX_WIDTH / 2 - PAD,
                min(y for _, y in places) - BOX_HEIGHT / 2 - PAD - TITLE,
                max(x for x, _ in places) + BOX_WIDTH / 2 + PAD,
                max(y for _, y in places) + BOX_HEIGHT / 2 + PAD,
            )


def _packed(every: Sequence[Lane]) -> list[list[Lane]]:
    """Stand the lanes side by side on shelves; the width is that which a screen shows largest."""
    widest = max((lane.width for lane in every), default=0.0)
    area = sum((lane.width + LANE_GAP) * (_floors([lane])[1] + LANE_GAP + TITLE) for lane in every)
    limits = [max(widest, sqrt(ASPECT * area) * factor) for factor in (0.7, 0.85, 1, 1.2, 1.5, 2)]
    return min((_shelves(every, limit) for limit in limits), key=_extent)


def _shelves(every: Iterable[Lane], limit: float) -> list[list[Lane]]:
    """Return the lanes of each shelf of at most this width."""
    shelves: list[list[Lane]] = []
    left = 0.0
    for lane in every:
        if not shelves or left + lane.width > limit:
            shelves.append([])
            left = 0.0
        shelves[-1].append(lane)
        left += lane.width + LANE_GAP
    return shelves


def _floors(shelf: Iterable[Lane]) -> tuple[dict[int, float], float]:
    """Return how high each layer of a shelf begins, and the height of the shelf."""
    tallest: dict[int, float] = {}
    for lane in shelf:
        for layer, height in lane.heights.items():
            tallest[layer] = max(tallest.get(layer, 0.0), height)
    floors = stacked(tallest)
    return floors, sum(tallest.values()) + LAYER_GAP * max(0, len(tallest) - 1)


def _extent(shelves: Iterable[Sequence[Lane]]) -> float:
    """Return the height of the screen that shows all shelves."""
    width = height = 0.0
    for shelf in shelves:
        width = max(width, sum(lane.width + LANE_GAP for lane in shelf))
        height += _floors(shelf)[1] + LANE_GAP + TITLE + 2 * PAD
    return max(width / ASPECT, height)
