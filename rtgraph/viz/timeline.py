"""The course of a patient in time: what was made when, planned and delivered fractions.

Long times in which nothing happened are cut short, else a scan of years ago would leave no room
for the course. Only what objects state is used.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from rtgraph.viz.boxes import Box
from rtgraph.viz.subgraph import Edge

LONGEST_GAP = 30  # days without an object above which the axis is cut
CUT = 6.0  # width of a cut, in days
CHAINED = frozenset({"RTPLAN", "RTSTRUCT"})
ROWS = ("Images", "Registrations, structures", "Plans", "Doses", "Treatment images")
OTHER, RECORDS = "Other", "Records"


@dataclass(frozen=True, slots=True)
class Mark:
    """A box on the axis: the number of its row, and days from the left end."""

    box: str
    row: int
    x: float


@dataclass(frozen=True, slots=True)
class TimeRow:
    """A row; that of a plan says how many fractions are planned and which were delivered.

    `fractions` are the distinct numbers that records state; `n_records` counts these.
    """

    name: str
    plan: str | None = None
    planned: int | None = None
    fractions: tuple[int, ...] = ()
    n_records: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """Marks, rows, ticks and cuts of an axis of `width` days; `undated` have no mark.

    `chains` are pairs of boxes in the order of time: a plan or structure set and the one that
    names it as the one before.
    """

    rows: tuple[TimeRow, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    cuts: tuple[tuple[float, str], ...]
    width: float
    chains: tuple[tuple[str, str], ...]
    undated: tuple[str, ...]


def timeline(boxes: Sequence[Box], edges: Iterable[Edge]) -> Timeline:
    """Return the timeline of boxes; what is missing has no date."""
    edges = [e for e in edges if e.kind == "REFERENCES"]
    dated = {b.id: _moment(b.when) for b in boxes if b.when is not None}
    axis = Axis(dated.values())
    rows, row_of = _rows(boxes, edges)
    by_id = {b.id: b for b in boxes}
    chains = sorted({
        (e.target, e.source) for e in edges
        if e.source in dated and e.target in dated and by_id[e.source].modality in CHAINED
        and by_id[e.source].modality == by_id[e.target].modality})
    return Timeline(
        rows=tuple(rows),
        marks=tuple(Mark(b.id, row_of[b.id], axis.x(dated[b.id])) for b in boxes if b.id in dated),
        ticks=tuple(axis.ticks()), cuts=tuple(axis.cuts()), width=axis.width,
        chains=tuple(chains),
        undated=tuple(b.id for b in boxes if b.id not in dated),
    )


def _rows(boxes: Sequence[Box], edges: Iterable[Edge]) -> tuple[list[TimeRow], dict[str, int]]:
    """Return the rows that hold something, and the row of each box."""
    plan_of: dict[str, str] = {}
    by_id = {b.id: b for b in boxes}
    for e in sorted(edges, key=lambda e: (e.source, e.target)):
        if e.role == "RECORD_PLAN" and by_id[e.source].modality == "RTRECORD":
            plan_of.setdefault(e.source, e.target)
    members: dict[tuple[int, str], list[Box]] = defaultdict(list)
    order = sorted(boxes, key=lambda b: (_moment(b.when) if b.when else datetime.max, b.id))
    for box in order:
        members[_row(box, plan_of)].append(box)
    # the rows of plans follow the time of their first record
    first = {key: i for i, key in enumerate(members)}
    keys = sorted(members, key=lambda k: (k[0], first[k]))
    rows = [_named(key, members[key], by_id) for key in keys]
    return rows, {b.id: i for i, key in enumerate(keys) for b in members[key]}


def _row(box: Box, plan_of: dict[str, str]) -> tuple[int, str]:
    if box.modality == "RTRECORD":
        return len(ROWS), plan_of.get(box.id, "")
    if box.modality == "RTIMAGE":
        return ROWS.index("Treatment images"), ""
    return (box.layer, "") if box.layer < ROWS.index("Treatment images") else (len(ROWS) + 1, "")


def _named(key: tuple[int, str], members: Sequence[Box], by_id: dict[str, Box]) -> TimeRow:
    if key[0] != len(ROWS):
        return TimeRow(ROWS[key[0]] if key[0] < len(ROWS) else OTHER)
    records = [b for b in members if b.status == "present"]
    numbers = tuple(sorted({n for b in records for n in b.fractions}))
    plan = by_id.get(key[1])
    return TimeRow(
        name=f"{RECORDS}: {plan.title}" if plan else f"{RECORDS} without a plan",
        plan=plan.id if plan else None,
        planned=plan.n_fractions_planned if plan else None,
        fractions=numbers, n_records=sum(b.n_instances for b in records),
    )


class Axis:
    """Days in their order, with long empty times cut short."""

    def __init__(self, moments: Iterable[datetime]) -> None:
        days = sorted({m.date() for m in moments})
        self._spans: list[tuple[date, date, float]] = []  # first and last day, x of the first
        for day in days:
            if not self._spans:
                self._spans.append((day, day, 0.0))
                continue
            first, last, x = self._spans[-1]
            if (day - last).days > LONGEST_GAP:
                self._spans.append((day, day, x + (last - first).days + 1 + CUT))
            else:
                self._spans[-1] = first, day, x

    @property
    def width(self) -> float:
        """Length of the axis in days, cuts included."""
        if not self._spans:
            return 0.0
        first, last, x = self._spans[-1]
        return x + (last - first).days + 1

    def x(self, moment: datetime) -> float:
        """Return the place of a moment that is among those of the axis."""
        first, _, x = next(s for s in reversed(self._spans) if s[0] <= moment.date())
        return x + (moment - datetime.combine(first, datetime.min.time())) / timedelta(days=1)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Yield the first day of each span, and Mondays or first days of months between."""
        monthly = self.width > 200
        for first, last, x in self._spans:
            yield x, first.isoformat()
            for n in range(1, (last - first).days + 1):
                day = first + timedelta(days=n)
                if day.day == 1 if monthly else day.weekday() == 0:
                    yield x + n, day.isoformat()

    def cuts(self) -> Iterator[tuple[float, str]]:
        """Yield the middle of each cut and how long it is."""
        for (_, last, _), (first, _, x) in pairwise(self._spans):
            days = (first - last).days
            text = f"{days} days" if days < 90 else f"{days / 30.44:.0f} months"
            yield x - CUT / 2, text


def _moment(when: date | datetime) -> datetime:
    """Return a moment; a day without a time stands at noon."""
    if isinstance(when, datetime):
        return when.replace(tzinfo=None)
    return datetime.combine(when, datetime.min.time().replace(hour=12))
