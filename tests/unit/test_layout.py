"""Positions of the figure: layers, lanes, frames of studies, few crossings."""

import random
from collections.abc import Iterable, Mapping
from itertools import combinations

import pytest

from bench.patients import TYPICAL, generated
from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.tables import Tables
from rtgraph.viz.boxes import Box
from rtgraph.viz.collapse import Drawn, Line, collapse
from rtgraph.viz.crossings import crossings, hidden, length, overlaps
from rtgraph.viz.layout import ASPECT, Frame, Layout, layout
from rtgraph.viz.ordering import BEND, BOX_HEIGHT, BOX_WIDTH, PER_ROW
from rtgraph.viz.routes import LABEL_LINE, broken, label_places, point_at, words
from rtgraph.viz.subgraph import fold

Points = Mapping[str, tuple[float, float]]


def drawn(uid: str, layer: int, caption: str = "", study: str | None = None,
          modality: str = "M") -> Drawn:
    box = Box(
        id=uid, kind="object", modality=modality, layer=layer, caption=caption, tally="",
        title="", status="present", ambiguous=False, study_uid=study, series_uid=None, when=None,
        n_instances=1, n_missing=0, n_fractions_planned=None, fractions=(), summation="",
        details=())
    return Drawn(uid, (box,))


def line(source: str, target: str, role: str = "ROLE") -> Line:
    return Line(source, target, "REFERENCES", (role,), 1, False)


def of(tables: Tables) -> tuple[list[Drawn], list[Line], Layout]:
    """Collapse and place a patient."""
    boxes, lines = collapse(fold(tables, locating_roles()), lambda box: False)
    return boxes, lines, layout(boxes, lines)


def links(lines: Iterable[Line]) -> list[tuple[str, str]]:
    return [(e.source, e.target) for e in lines if e.kind == "REFERENCES"]


def made(n: int, seed: int) -> tuple[list[Drawn], list[Line]]:
    """Make courses of 10 boxes; references go to a box of the same or a lower layer."""
    chance = random.Random(seed)
    boxes = sorted((drawn(f"{i}", chance.randrange(5), study=f"{chance.randrange(3)}")
                    for i in range(n)), key=lambda d: d.first.layer)
    courses = [boxes[i::n // 10] for i in range(n // 10)]
    lines = {
        (source.id, chance.choice(course[:i]).id)
        for course in courses for i, source in enumerate(course) if i
        for _ in range(2)
    }
    chance.shuffle(boxes)
    return boxes, [line(a, b) for a, b in sorted(lines)]


def meet(a: Frame, b: Frame) -> bool:
    return (a.left < b.right and b.left < a.right) and (a.top < b.bottom and b.top < a.bottom)


@pytest.mark.parametrize("seed", range(3))
def test_boxes_lie_apart_and_references_point_down(seed: int) -> None:
    boxes, lines = made(100, seed)
    points = layout(boxes, lines).points
    assert set(points) == {d.id for d in boxes}
    assert overlaps(points, BOX_WIDTH, BOX_HEIGHT) == 0
    assert all(points[e.source][1] < points[e.target][1] for e in lines)
    upside_down = layout(boxes, lines, up=True).points
    assert all(upside_down[e.source][1] > upside_down[e.target][1] for e in lines)


@pytest.mark.parametrize("name", TYPICAL)
def test_typical_patients(name: str) -> None:
    boxes, lines, placed = of(TYPICAL[name]().tables)
    points = placed.points
    layers = {d.id: d.first.layer for d in boxes}
    assert overlaps(points, BOX_WIDTH, BOX_HEIGHT) == 0
    assert hidden(points, links(lines), BOX_WIDTH, BOX_HEIGHT, BEND) == 0
    assert all(points[a][1] < points[b][1] for a, b in links(lines))
    for a, b in combinations(points, 2):  # of one lane, since shelves stand on each other
        if layers[a] < layers[b] and abs(points[a][1] - points[b][1]) < BOX_HEIGHT:
            pytest.fail(f"{a} and {b} are of different layers and stand side by side")


@pytest.mark.parametrize("name", TYPICAL)
def test_frames_hold_the_boxes_of_their_study_and_no_others(name: str) -> None:
    boxes, _, placed = of(TYPICAL[name]().tables)
    for frame in placed.frames:
        inside = {d.id for d in boxes for x, y in (placed.points[d.id],)
                  if frame.left < x < frame.right and frame.top < y < frame.bottom}
        assert inside == {d.id for d in boxes if tuple(sorted(d.studies)) == frame.study}
    assert not any(meet(a, b) for a, b in combinations(placed.frames, 2))


def test_frames_of_large_patients_do_not_meet() -> None:
    _, _, placed = of(generated(500, broken=3))
    assert not any(meet(a, b) for a, b in combinations(placed.frames, 2))


def test_a_layer_wraps() -> None:
    points = layout([drawn(f"{i}", 0, study="1") for i in range(2 * PER_ROW + 1)], []).points
    by_row: dict[float, int] = {}
    for _, y in points.values():
        by_row[y] = by_row.get(y, 0) + 1
    assert len(by_row) == 3
    assert max(by_row.values()) <= PER_ROW


def test_what_is_not_connected_stands_side_by_side() -> None:
    boxes = [drawn(f"{study}{i}", i, study=study) for study in "abc" for i in range(5)]
    lines = [line(f"{study}{i + 1}", f"{study}{i}") for study in "abc" for i in range(4)]
    points = layout(boxes, lines).points
    a, b, c = ({points[f"{study}{layer}"][0] for layer in range(5)}
               for study in "abc")
    assert max(a) < min(b) <= max(b) < min(c)
    assert points["a0"][1] == points["b0"][1] == points["c0"][1]  # images lie on one line


def test_few_boxes_of_a_study_stand_with_the_others_of_it() -> None:
    boxes = [drawn(f"{i}", i % 4, study="1") for i in range(8)]
    boxes += [drawn("alone", 0, study="1"), drawn("a", 3, study="1"), drawn("lost", 2)]
    placed = layout(boxes, [line(f"{i + 1}", f"{i}") for i in range(7)] + [line("a", "lost")])
    assert len(placed.frames) == 1


def test_a_box_stands_above_what_it_refers_to() -> None:
    boxes = [drawn(uid, layer, study="1")
             for layer, uids in enumerate(("abc", "xyz")) for uid in uids]
    points = layout(boxes, [line("x", "c"), line("y", "b"), line("z", "a"), line("y", "a"),
                            line("y", "c")]).points
    assert [points[uid][0] for uid in "xyz"] == [points[uid][0] for uid in "cba"]


def test_a_long_line_runs_past_the_boxes_between() -> None:
    boxes = [drawn("top", 2, study="1"), drawn("between", 1, study="1"),
             drawn("bottom", 0, study="1")]
    lines = [line("top", "between"), line("between", "bottom"), line("top", "bottom")]
    points = layout(boxes, lines).points
    assert hidden(points, links(lines), BOX_WIDTH, BOX_HEIGHT, BEND) == 0


def test_numbers_in_captions_are_in_order() -> None:
    points = layout([drawn(f"{i}", 0, f"no. {i}", "1") for i in (10, 2, 1)], []).points
    assert sorted(points, key=lambda uid: points[uid]) == ["1", "2", "10"]


@pytest.mark.parametrize("edges", [
    [("a", "b"), ("b", "a")],
    [("a", "b"), ("b", "c"), ("c", "a")],
    [("a", "a"), ("a", "b")],
    [("a", "elsewhere"), ("elsewhere", "b")],
], ids=["pair", "ring", "loop", "unknown end"])
def test_odd_references_are_tolerated(edges: Iterable[tuple[str, str]]) -> None:
    points = layout([drawn(uid, 2) for uid in "abc"], [line(a, b) for a, b in edges]).points
    assert set(points) == set("abc")
    assert overlaps(points, BOX_WIDTH, BOX_HEIGHT) == 0


def test_shared_frames_do_not_count() -> None:
    boxes = [drawn("a", 0), drawn("b", 1)]
    shared = Line("a", "b", "SHARES_FOR", (), 1, False)
    assert layout(boxes, [shared]) == layout(boxes, [])


def test_nothing_has_no_positions() -> None:
    assert layout([], []) == Layout({}, ())


def test_the_same_boxes_get_the_same_places() -> None:
    boxes, lines = made(100, seed=1)
    assert layout(boxes, lines) == layout(boxes[::-1], lines[::-1])


def test_a_large_patient_has_the_shape_of_a_screen() -> None:
    points = of(generated(5000))[2].points
    assert overlaps(points, BOX_WIDTH, BOX_HEIGHT) == 0
    width, height = (max(v) - min(v) for v in zip(*points.values(), strict=True))
    assert 0.5 < width / height / ASPECT < 2


# --- measures ------------------------------------------------------------------------------------

SQUARE = {"a": (0.0, 0.0), "b": (4.0, 0.0), "c": (0.0, 3.0), "d": (4.0, 3.0), "m": (2.0, 1.5)}
MEASURES = [
    # name                lines                     crossings  length  behind boxes of 1 by 1
    ("diagonals",         ["ad", "bc"],             1,         10.0,   2),
    ("sides",             ["ac", "bd"],             0,         6.0,    0),
    ("one end",           ["ad", "ab"],             0,         9.0,    1),
    ("to the middle",     ["am", "bc"],             0,         7.5,    1),
    ("three",             ["ad", "bc", "bd"],       1,         13.0,   2),
    ("a loop",            ["aa"],                   0,         0.0,    0),
    ("nothing",           [],                       0,         0.0,    0),
]


@pytest.mark.parametrize(("ends", "n_crossings", "total", "behind"), [c[1:] for c in MEASURES],
                         ids=[c[0] for c in MEASURES])
def test_measures(ends: list[str], n_crossings: int, total: float, behind: int) -> None:
    pairs = [(e[0], e[1]) for e in ends]
    assert crossings(SQUARE, pairs) == n_crossings
    assert length(SQUARE, pairs) == total
    assert hidden(SQUARE, pairs, 1, 1) == behind


def test_boxes_overlap_when_nearer_than_their_size() -> None:
    assert overlaps(SQUARE, 4, 3) == 4  # each corner covers the middle
    assert overlaps(SQUARE, 2, 1.5) == 0


# --- roles on lines ------------------------------------------------------------------------------

@pytest.mark.parametrize(("role", "expected"), [
    ("DOSE_PLAN", ["DOSE_PLAN"]),
    ("STRUCTURE_SET_IMAGE", ["STRUCTURE_", "SET_IMAGE"]),
    ("NAMEWITHOUTUNDERSCORE", ["NAMEWITHOUTUNDERSCORE"]),
])
def test_long_roles_are_broken(role: str, expected: list[str]) -> None:
    assert broken(role) == expected


def test_many_roles_are_counted() -> None:
    many = Line("a", "b", "REFERENCES", ("A", "B", "C", "D", "E"), 5, False)
    assert words(many) == ["A", "B", "C", "and 2 more"]


@pytest.mark.parametrize("name", TYPICAL)
def test_roles_cover_no_box_of_a_typical_patient(name: str) -> None:
    _, lines, placed = of(TYPICAL[name]().tables)
    at = label_places(placed.points, lines)
    assert set(at) == {(e.source, e.target, e.kind) for e in lines if e.kind == "REFERENCES"}
    for (source, target, _), t in at.items():
        x, y = point_at(placed.points[source], placed.points[target], t)
        for box_x, box_y in placed.points.values():
            assert abs(x - box_x) > BOX_WIDTH / 2 or abs(y - box_y) > (BOX_HEIGHT + LABEL_LINE) / 2
