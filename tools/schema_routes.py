"""Where the lines of the schema picture run: spines of channels, tracks above the columns."""

from collections.abc import Sequence

from tools.schema_boxes import (
    CONTAINER,
    ROW,
    Box,
    Layout,
    Pin,
    channels,
    columns_of,
    is_loop,
    side_of,
)
from tools.schema_graph import Net

TRACK = 9  # between neighbouring lines
TOP = 78  # of the tracks above everything
ABOVE = 24  # from the border of the instance to the first row in it


def needs_spine(net: Net, channel: str, made: Layout) -> bool:
    """Tell whether a net has a spine in a channel; some lines are straight."""
    if net in made.vertical or is_loop(net) or channel not in channels(net, made):
        return False
    straight = channel == "A" and columns_of(net, made) == {0, 1} and (
        CONTAINER in net.sources + net.targets and len(_outer(net, made)) == 1)
    to_border = channel == "B" and _by_container(net, made)
    return not straight and not to_border


def _outer(net: Net, made: Layout) -> list[Box]:
    """Return the boxes of column 0 that a net joins."""
    return [b for label in dict.fromkeys((*net.sources, *net.targets))
            for b in [made.boxes[label]] if b.column == 0]


def _by_container(net: Net, made: Layout) -> bool:
    """Tell whether a net leaves the instance for what is behind the parts."""
    return CONTAINER in net.sources and 3 in columns_of(net, made)


def route(made: Layout, high: list[Net], low: list[Net], starts: dict[str, float]) -> None:
    """Give every net its spines, its track and its pins.

    `high` are the nets that pass above the instance, `low` those that leave it above the parts,
    `starts` the first spine of each channel.
    """
    container = made.boxes[CONTAINER]
    left = [n for n in made.nets if needs_spine(n, "L", made)]
    in_b = _ordered([n for n in made.nets if needs_spine(n, "B", made)], "B", made)
    in_c = _ordered([n for n in made.nets if needs_spine(n, "C", made)], "C", made)
    # the net with the outermost spine takes the outermost track, so that they do not cross
    high.sort(key=lambda n: (n not in in_c, -(in_c if n in in_c else in_b).index(n)))
    low.sort(key=lambda n: -in_c.index(n))
    in_a = [n for n in (*high, *(n for n in made.nets if n not in high))
            if needs_spine(n, "A", made)]
    for at, net in enumerate(high):
        made.tracks[made.nets.index(net)] = TOP + TRACK * at
    for at, net in enumerate(low):
        made.tracks[made.nets.index(net)] = container.y + ABOVE + ROW * at
    for channel, members in ("L", left), ("A", in_a), ("B", in_b), ("C", in_c):
        for at, net in enumerate(members):
            made.spines[channel, made.nets.index(net)] = starts[channel] + TRACK * at
    for at, net in enumerate(made.nets):
        made.pins[at] = [] if net in made.vertical else _pins(made, net, at)


def _pins(made: Layout, net: Net, at: int) -> list[Pin]:
    found = []
    for label in dict.fromkeys((*net.sources, *net.targets)):
        box = made.boxes[label]
        side = side_of(box, net, made)
        y = box.row(net, side) if label != CONTAINER else made.tracks.get(at, 0)
        if label == CONTAINER and columns_of(net, made) == {0, 1}:
            y = _outer(net, made)[-1].row(net, "right")
        x = box.x if side == "left" else box.x + box.width
        found.append(Pin(box, side, x, y, label in net.targets))
    return found


def _ordered(members: list[Net], channel: str, made: Layout) -> list[Net]:
    """Order the spines of a channel so that few lines cross, by moving one at a time."""
    cost = {(a, b): _crossings(a, b, channel, made) for a in members for b in members}

    def total(order: Sequence[Net]) -> int:
        return sum(cost[a, b] for i, a in enumerate(order) for b in order[i + 1 :])

    best, least, better = members, total(members), True
    while better:
        better = False
        for net in members:
            rest = [n for n in best if n is not net]
            for at in range(len(best)):
                order = [*rest[:at], net, *rest[at:]]
                if (found := total(order)) < least:
                    best, least, better = order, found, True
    return best


def _crossings(first: Net, second: Net, channel: str, made: Layout) -> int:
    """Count how often two nets cross in a channel when the first has the left spine."""
    (_, right_of_first), (left_of_second, _) = (
        _rows(n, channel, made) for n in (first, second))
    low, high = _reach(second, channel, made)
    over, under = _reach(first, channel, made)
    return (sum(low < y < high for y in right_of_first)
            + sum(over < y < under for y in left_of_second))


def _rows(net: Net, channel: str, made: Layout) -> tuple[list[float], list[float]]:
    """Return the heights at which a net leaves a channel to the left and to the right."""
    left: list[float] = []
    right: list[float] = []
    for label in dict.fromkeys((*net.sources, *net.targets)):
        box = made.boxes[label]
        side = side_of(box, net, made)
        if "LABC"[box.column + (side == "right")] == channel and label != CONTAINER:
            (left if side == "right" else right).append(box.row(net, side))
    if len(channels(net, made)) > 1:
        left.append(0)
    return left, right


def _reach(net: Net, channel: str, made: Layout) -> tuple[float, float]:
    rows = [y for side in _rows(net, channel, made) for y in side]
    return min(rows), max(rows)
