"""What the schema picture consists of: boxes with rows at their sides, in four columns.

Column 0 holds hierarchy, frames and administration, 1 the instance with the families in it, 2 the
parts, 3 the shared nodes. A relationship type is one net: a row at the side of each box that it
joins, and a spine in the channel that joins the rows. Channels are L, A, B, C from left to right;
nets that pass a column run above it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.schema_graph import Net

ROW = 14
LOOP_ROW = 20  # of a net that leads back to its box
CONTAINER = "Instance"


@dataclass
class Box:
    """A label at its place; `left` and `right` are the nets with a row at that side."""

    label: str
    column: int
    also: tuple[str, ...] = ()
    left: list[Net] = field(default_factory=list)
    right: list[Net] = field(default_factory=list)
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height

    def row(self, net: Net, side: str) -> float:
        """Return the height of the row of a net."""
        rows = self.left if side == "left" else self.right
        before = rows[: rows.index(net)]
        return self.y + (self.height - rows_high(rows)) / 2 + rows_high(before) + rows_high(
            [net]) / 2


def rows_high(rows: Sequence[Net]) -> float:
    """Return how high rows are together."""
    return sum(LOOP_ROW if is_loop(net) else ROW for net in rows)


def is_loop(net: Net) -> bool:
    """Tell whether a net joins the nodes of one label."""
    return len({*net.sources, *net.targets}) == 1


@dataclass(frozen=True)
class Pin:
    """The end of a net at a box: where, and whether it is a target."""

    box: Box
    side: str
    x: float
    y: float
    is_target: bool


@dataclass
class Layout:
    """All boxes by label, the pins and spines of the nets, and the size of the picture.

    `vertical` are nets between a box and the next one below it, `lone` the labels that no
    relationship joins. `spines` and `tracks` hold places by (channel, net) and by net.
    """

    boxes: dict[str, Box]
    nets: list[Net]
    vertical: list[Net] = field(default_factory=list)
    lone: list[str] = field(default_factory=list)
    pins: dict[int, list[Pin]] = field(default_factory=dict)
    spines: dict[tuple[str, int], float] = field(default_factory=dict)
    tracks: dict[int, float] = field(default_factory=dict)
    width: float = 0
    height: float = 0


def columns_of(net: Net, made: Layout) -> set[int]:
    """Return the columns that a net joins."""
    return {made.boxes[label].column for label in (*net.sources, *net.targets)}


def side_of(box: Box, net: Net, made: Layout) -> str:
    """Return the side of a box at which a net has its row."""
    columns = columns_of(net, made)
    left = {
        0: columns == {0},
        1: max(columns) <= 1,
        2: min(columns) < 2 and 3 not in columns,
        3: True,
    }[box.column]
    return "left" if left else "right"


def channels(net: Net, made: Layout) -> list[str]:
    """Return the channels in which a net has rows: L, A, B, C from left to right."""
    found = {
        "LABC"[box.column + (side == "right")]
        for label in (*net.sources, *net.targets)
        for box in [made.boxes[label]] for side in [side_of(box, net, made)]}
    return sorted(found, key="LABC".index)
