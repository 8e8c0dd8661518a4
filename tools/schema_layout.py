"""Where the boxes of the schema picture are."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from tools.schema_boxes import (
    CONTAINER,
    ROW,
    Box,
    Layout,
    channels,
    columns_of,
    is_loop,
    rows_high,
    side_of,
)
from tools.schema_graph import Net, family_boxes, groups, nets, owners, used
from tools.schema_routes import ABOVE, TOP, TRACK, needs_spine, route

GAP = 16  # between boxes of a column
NEAR = 3  # lines of two nets are not nearer than this
LEAST = 26  # height of a box
BOX = (128, 154, 140, 182)  # width by column; in column 1 that of a family
INNER = 12  # from the border of the instance to the families, and between them
BEFORE = 118  # left of column 0
# Room for names beside the boxes: right of column 0, left of parts, right of parts, left of shared.
NAMES = {"A": (132, 12), "B": (16, 144), "C": (132, 98)}


def layout() -> Layout:
    """Place everything; equal declarations give an equal layout."""
    all_nets = nets()
    made = Layout(_boxes(all_nets), all_nets)
    made.lone = [k.label for k in groups()["administration"] if k.label not in used(all_nets)]
    _join_below(made)
    for net in all_nets:
        if net not in made.vertical:
            for label in dict.fromkeys((*net.sources, *net.targets)):
                box = made.boxes[label]
                (box.left if side_of(box, net, made) == "left" else box.right).append(net)
    _place(made)
    return made


def _boxes(all_nets: Sequence[Net]) -> dict[str, Box]:
    of = groups()
    joined = used(all_nets)
    left = [k.label for k in (*of["hierarchy"], *of["frames"], *of["administration"])
            if k.label != CONTAINER and k.label in joined]
    columns: list[tuple[int, Iterable[tuple[str, tuple[str, ...]]]]] = [
        (0, ((label, ()) for label in left)),
        (1, [(CONTAINER, ()), *((k, tuple(more)) for k, more in family_boxes().items())]),
        (2, ((k.label, ()) for k in of["parts"])),
        (3, ((k.label, ()) for k in of["shared"])),
    ]
    return {label: Box(label, column, also, width=BOX[column])
            for column, members in columns for label, also in members}


def _join_below(made: Layout) -> None:
    stack = [b.label for b in made.boxes.values() if b.column == 0]
    for pair in pairwise(stack):
        made.vertical += [n for n in made.nets if (*n.sources, *n.targets) == pair][:1]


def _place(made: Layout) -> None:
    boxes = list(made.boxes.values())
    for box in boxes:
        box.height = max(LEAST + 12 * bool(box.also),
                         max(rows_high(box.left), rows_high(box.right)) + 8)
    container = made.boxes[CONTAINER]
    over = [n for n in made.nets if len(channels(n, made)) > 1]
    high = [n for n in over if 0 in columns_of(n, made)]
    low = [n for n in over if n not in high]
    container.y = TOP + TRACK * len(high) + 8
    start = container.y + ABOVE + ROW * len(low)
    _stack((b for b in boxes if b.column == 2), start + 8)
    _stack((b for b in boxes if b.column == 0), container.y, gap=30)
    busy = [b for b in boxes if b.column == 1 and b.right and b is not container]
    quiet = [b for b in boxes if b.column == 1 and not b.right and b is not container]
    _stack(quiet, container.y + ABOVE + 20, gap=8)
    _beside(made, busy, start + 8)
    _spread(made, [b for b in boxes if b.column == 3])
    for box in boxes:
        if box is not container:
            _sort_rows(made, box)
    for members, column in (busy, 2), ([b for b in boxes if b.column == 3], 2):
        for box in members:
            _apart(made, box, column)
    container.height = max(b.bottom for b in (*busy, *quiet)) + INNER - container.y
    _across(made, busy, quiet)
    route(made, high, low, _starts(made))
    made.height = max(b.bottom for b in boxes)


def _apart(made: Layout, box: Box, column: int) -> None:
    """Move a box down until no row of it is at the height of one across the channel."""
    side, across = ("right", "left") if box.column < column else ("left", "right")
    others = [(net, b.row(net, across)) for b in made.boxes.values() if b.column == column
              for net in (b.left if across == "left" else b.right)]
    rows = box.left if side == "left" else box.right
    for _ in range(ROW):
        if not any(abs(box.row(net, side) - y) < NEAR and net is not other
                   for net in rows for other, y in others):
            return
        box.y += 1


def _sort_rows(made: Layout, box: Box) -> None:
    """Put the nets that lead up into the upper rows, and loops below all."""
    def down(net: Net) -> float:
        if is_loop(net):
            return float("inf")
        if len(channels(net, made)) > 1:
            return 0
        ends = [made.boxes[e] for e in (*net.sources, *net.targets) if e != box.label]
        return sum(_middle(b) for b in ends) / len(ends)

    box.left.sort(key=down)
    box.right.sort(key=down)


def _stack(members: Iterable[Box], y: float, gap: float = GAP) -> None:
    for box in members:
        box.y = y
        y = box.bottom + gap


def _middle(box: Box) -> float:
    return box.y + box.height / 2


def _beside(made: Layout, busy: list[Box], start: float) -> None:
    """Put families beside the parts that they hold, in the order of these."""
    wanted: dict[str, float] = {}
    for box in busy:
        near = [_middle(made.boxes[label]) for net in box.right for label in net.targets]
        own = [_middle(made.boxes[p.label]) for p in groups()["parts"]
               if owners(p.label)[0] == box.label]
        wanted[box.label] = sum(own or near) / len(own or near)
    busy.sort(key=lambda b: wanted[b.label])
    for box in busy:
        box.y = start = max(start, wanted[box.label] - box.height / 2)
        start = box.bottom + 8


def _spread(made: Layout, shared: list[Box]) -> None:
    """Put shared nodes in the order of what leads to them, over the height of the parts."""
    def height(box: Box) -> float:
        near = [made.boxes[label] for net in box.left for label in net.sources]
        return sum(b.column - 2 if b.column < 2 else _middle(b) for b in near) / max(len(near), 1)

    shared.sort(key=height)
    end = max(b.bottom for b in made.boxes.values() if b.column < 3)
    start = TOP + 22
    gap = (end - start - sum(b.height for b in shared)) / (len(shared) - 1)
    _stack(shared, start, min(gap, 34))


def _across(made: Layout, busy: Sequence[Box], quiet: Sequence[Box]) -> None:
    """Give every column its place; a channel is as wide as its names and spines."""
    x: float = BEFORE
    container = made.boxes[CONTAINER]
    container.width = 2 * BOX[1] + 3 * INNER
    for column, channel in enumerate((*NAMES, "")):
        for box in made.boxes.values():
            if box.column == column:
                box.x = x
        x += container.width if column == 1 else BOX[column]
        if channel:
            n = sum(1 for net in made.nets if needs_spine(net, channel, made))
            x += sum(NAMES[channel]) + TRACK * (n - 1)
    made.width = x
    for members, at in (quiet, INNER), (busy, 2 * INNER + BOX[1]):
        for box in members:
            box.x = container.x + at


def _starts(made: Layout) -> dict[str, float]:
    """Return where the first spine of each channel is."""
    column = {b.column: b.x for b in made.boxes.values() if b.label != CONTAINER}
    container = made.boxes[CONTAINER]
    n = sum(1 for net in made.nets if needs_spine(net, "L", made))
    return {"L": BEFORE - 20 - TRACK * n, "A": column[0] + BOX[0] + NAMES["A"][0],
            "B": container.x + container.width + NAMES["B"][0],
            "C": column[2] + BOX[2] + NAMES["C"][0]}
