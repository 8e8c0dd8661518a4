"""The course in time: rows, cuts of the axis, fractions, chains."""

from datetime import date, datetime, timedelta

import pytest

from bench.patients import adaptive, dangling, single_course
from bench.rows import Rows, at
from rtgraph.graphmodel.tables import Tables
from rtgraph.viz.subgraph import fold
from rtgraph.viz.timeline import CUT, LONGEST_GAP, Axis, Timeline, timeline
from tests.page.example import titled

START = datetime(2025, 3, 3)


def days(*numbers: float) -> list[datetime]:
    return [START + timedelta(days=n) for n in numbers]


def of(tables: Tables) -> Timeline:
    graph = fold(tables, frozenset())
    return timeline(graph.boxes, graph.edges)


AXES = [
    # name             days              width            x of each            cuts
    ("one moment",     [0.5],            1,               [0.5],                0),
    ("three days",     [0, 1, 2.25],     3,               [0, 1, 2.25],         0),
    ("longest gap",    [0, LONGEST_GAP], LONGEST_GAP + 1, [0, LONGEST_GAP],     0),
    ("one day longer", [0, LONGEST_GAP + 1], 2 + CUT,     [0, 1 + CUT],         1),
    ("years between",  [0, 1, 1000.5, 3000], 4 + 2 * CUT,
     [0, 1, 2 + CUT + 0.5, 3 + 2 * CUT], 2),
]


@pytest.mark.parametrize(("moments", "width", "places", "n_cuts"), [c[1:] for c in AXES],
                         ids=[c[0] for c in AXES])
def test_long_empty_times_are_cut(
    moments: list[float], width: float, places: list[float], n_cuts: int
) -> None:
    axis = Axis(days(*moments))
    assert axis.width == pytest.approx(width)
    assert [axis.x(m) for m in days(*moments)] == pytest.approx(places)
    assert len(list(axis.cuts())) == n_cuts


def test_ticks_are_mondays_and_first_days_of_spans() -> None:
    ticks = list(Axis(days(2, 9, 60)).ticks())
    assert ticks == [(0, "2025-03-05"), (5, "2025-03-10"), (8 + CUT, "2025-05-02")]
    assert list(Axis(days(2, 9, 60)).cuts()) == [(8 + CUT / 2, "51 days")]


def test_an_axis_of_nothing_is_empty() -> None:
    axis = Axis([])
    assert (axis.width, list(axis.ticks()), list(axis.cuts())) == (0, [], [])
    empty = timeline((), ())
    assert (empty.rows, empty.marks, empty.undated) == ((), (), ())


def test_rows_of_an_adaptive_course() -> None:
    tables = adaptive().tables
    line = of(tables)
    plans = titled(tables, "HN 35Fx"), titled(tables, "HN adapted 26Fx")
    sets = titled(tables, "HN initial"), titled(tables, "HN adapted")
    assert [(r.name, r.plan, r.planned, len(r.fractions), r.n_records) for r in line.rows] == [
        ("Images", None, None, 0, 0), ("Registrations, structures", None, None, 0, 0),
        ("Plans", None, None, 0, 0), ("Doses", None, None, 0, 0),
        ("Records: HN 35Fx", plans[0], 35, 9, 9),
        ("Records: HN adapted 26Fx", plans[1], 26, 22, 22),
    ]
    assert set(line.chains) == {plans, sets}
    assert line.undated == ()
    first = min(line.marks, key=lambda m: m.x)
    assert line.rows[first.row].name == "Images"
    assert first.x == pytest.approx(7 / 24)


def test_delivered_fractions_are_the_distinct_numbers_that_records_state() -> None:
    rows = single_course()
    records = [r for r in rows.tables["instances"] if r["family"] == "RTRecord"]
    for row in records:
        row["fraction_numbers"] = []
    for row, numbers in zip(records, ([1], [2], [2], [3, 4]), strict=False):
        row["fraction_numbers"] = numbers
    (of_plan,) = [r for r in of(rows.tables).rows if r.plan]
    assert (of_plan.planned, of_plan.fractions, of_plan.n_records) == (30, (1, 2, 3, 4), 30)


def test_records_of_a_missing_plan_have_a_row_of_their_own() -> None:
    line = of(dangling().tables)
    names = [r.name for r in line.rows if r.n_records]
    assert names == ["Records: RTPLAN", "Records: BREAST 15Fx"]
    assert len(line.undated) == 3  # two plans and a series that are missing


WHEN = [
    # name                     instance         series datetime   series date       x of the mark
    ("the object's own time",  at(1, 6),        at(0, 12),        at(0).date(),     1.25),
    ("that of the series",     None,            at(1, 12),        at(0).date(),     1.5),
    ("the day of the series",  None,            None,             at(1).date(),     1.5),
]


@pytest.mark.parametrize(("own", "of_series", "day", "x"), [c[1:] for c in WHEN],
                         ids=[c[0] for c in WHEN])
def test_the_time_of_a_box(
    own: datetime | None, of_series: datetime | None, day: date, x: float
) -> None:
    rows = Rows()
    rows.series("first", "CT", series_datetime=at(0, 0))
    rows.images("first", "CT", 1)
    rows.series("plans", "RTPLAN", series_datetime=of_series, SeriesDate=day)
    rows.instance("plan", "plans", "RTPLAN", datetime=own)
    (mark,) = [m for m in of(rows.tables).marks if m.box == "plan"]
    assert mark.x == pytest.approx(x)


def test_times_with_a_zone_are_taken_as_they_stand() -> None:
    from datetime import UTC

    rows = Rows()
    rows.series("s", "RTPLAN")
    rows.instance("plan", "s", "RTPLAN", datetime=datetime(2025, 3, 3, 12, tzinfo=UTC))
    rows.instance("other", "s", "RTPLAN", datetime=datetime(2025, 3, 3, 18))
    assert sorted(m.x for m in of(rows.tables).marks) == [0.5, 0.75]
