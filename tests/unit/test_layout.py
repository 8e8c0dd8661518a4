"""Positions of the figure."""

import random
from collections.abc import Iterable
from itertools import combinations

import pytest

from rtgraph.viz.layout import ASPECT, BOX_HEIGHT, BOX_WIDTH, PER_ROW, Points, positions
from rtgraph.viz.subgraph import Box, Edge, fold
from tests.page.example import patient


def box(uid: str, layer: int, label: str = "") -> Box:
    return Box(uid, "object", "M", layer, label, "", "present", None, None, 1, 0, ())


def edge(source: str, target: str) -> Edge:
    return Edge(source, target, "ROLE", "REFERENCES", 1, 0)


def overlapping(points: Points) -> list[tuple[str, str]]:
    """Return the pairs of boxes that cover each other, by a walk from left to right."""
    found = []
    ordered = sorted(points.items(), key=lambda item: item[1])
    for i, (a, (ax, ay)) in enumerate(ordered):
        for b, (bx, by) in ordered[i + 1:]:
            if bx - ax >= BOX_WIDTH:
                break
            if abs(ay - by) < BOX_HEIGHT:
                found.append((a, b))
    return found


def made(n: int, seed: int) -> tuple[list[Box], list[Edge]]:
    """Make courses of 25 boxes; references go to a box of the same or a lower layer."""
    chance = random.Random(seed)
    boxes = sorted((box(f"{i}", chance.randrange(5)) for i in range(n)), key=lambda b: b.layer)
    courses = [boxes[i::max(1, n // 25)] for i in range(max(1, n // 25))]
    edges = [
        edge(source.id, chance.choice(course[:i]).id)
        for course in courses for i, source in enumerate(course) if i
        for _ in range(2)
    ]
    chance.shuffle(boxes)
    return boxes, edges


@pytest.mark.parametrize("seed", range(5))
def test_boxes_lie_apart_and_references_point_down(seed: int) -> None:
    boxes, edges = made(200, seed)
    points = positions(boxes, edges)
    assert set(points) == {b.id for b in boxes}
    assert overlapping(points) == []
    assert all(points[e.source][1] < points[e.target][1] for e in edges)


def test_layers_stand_in_order_and_images_lowest() -> None:
    graph = fold(patient(), frozenset({"STRUCTURE_SET_SERIES"}))
    points = positions(graph.boxes, graph.edges)
    assert overlapping(points) == []
    for a, b in combinations(graph.boxes, 2):
        low, high = sorted((a, b), key=lambda item: item.layer)
        if low.layer < high.layer:
            assert points[high.id][1] < points[low.id][1]


def test_a_layer_wraps() -> None:
    points = positions([box(f"{i}", 0) for i in range(2 * PER_ROW + 1)], [])
    by_row: dict[float, int] = {}
    for _, y in points.values():
        by_row[y] = by_row.get(y, 0) + 1
    assert len(by_row) == 3
    assert max(by_row.values()) <= PER_ROW


def test_what_is_not_connected_stands_side_by_side() -> None:
    boxes = [box("a", 0), box("b", 2), box("c", 0), box("d", 1)]
    points = positions(boxes, [edge("b", "a"), edge("d", "c")])
    (first, second) = ({points[uid][0] for uid in lane} for lane in ("ab", "cd"))
    assert max(first) < min(second)
    assert points["a"][1] == points["c"][1]  # images lie on one line


def test_a_box_stands_above_what_it_refers_to() -> None:
    boxes = [box(uid, layer) for layer, uids in enumerate(("abc", "xyz")) for uid in uids]
    points = positions(boxes, [edge("x", "c"), edge("y", "b"), edge("z", "a"), edge("y", "a"),
                               edge("y", "c")])
    assert [points[uid][0] for uid in "xyz"] == [points[uid][0] for uid in "cba"]


def test_numbers_in_labels_are_in_order() -> None:
    boxes = [box(f"{i}", 0, f"no. {i}") for i in (10, 2, 1)]
    points = positions(boxes, [])
    assert sorted(points, key=lambda uid: points[uid]) == ["1", "2", "10"]


@pytest.mark.parametrize("edges", [
    [("a", "b"), ("b", "a")],
    [("a", "b"), ("b", "c"), ("c", "a")],
    [("a", "a"), ("a", "b")],
    [("a", "elsewhere"), ("elsewhere", "b")],
], ids=["pair", "ring", "loop", "unknown end"])
def test_odd_references_are_tolerated(edges: Iterable[tuple[str, str]]) -> None:
    points = positions([box(uid, 2) for uid in "abc"], [edge(a, b) for a, b in edges])
    assert set(points) == set("abc")
    assert overlapping(points) == []


def test_shared_frames_do_not_count() -> None:
    boxes = [box("a", 0), box("b", 1)]
    shared = Edge("a", "b", "", "SHARES_FOR", None, None)
    assert positions(boxes, [shared]) == positions(boxes, [])


def test_nothing_has_no_positions() -> None:
    assert positions([], []) == {}


def test_the_same_boxes_get_the_same_places() -> None:
    boxes, edges = made(300, seed=1)
    assert positions(boxes, edges) == positions(boxes[::-1], edges[::-1])


def test_a_large_patient_has_the_shape_of_a_screen() -> None:
    boxes, edges = made(5000, seed=3)
    points = positions(boxes, edges)
    assert overlapping(points) == []
    width, height = (max(v) - min(v) for v in zip(*points.values(), strict=True))
    assert 0.5 < width / height / ASPECT < 2
