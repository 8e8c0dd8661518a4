"""Folding of hand-written rows to boxes, edges and series edges."""

import random
from collections.abc import Callable
from datetime import datetime

import pytest

from bench.rows import Rows
from rtgraph.graphmodel.schema import MAX_CLIQUE
from rtgraph.graphmodel.tables import Tables
from rtgraph.viz.subgraph import Edge, SeriesEdge, fold
from tests.page.example import patient

IF_ALONE = frozenset({"STRUCTURE_SET_SERIES"})


def planned(missing: int = 0) -> Rows:
    """CT of three images and a structure set on all of them."""
    rows = Rows()
    rows.study("1")
    rows.series("ct", "CT", SeriesDescription="Planning")
    rows.series("ss", "RTSTRUCT")
    images = rows.images("ct", "CT", 3, missing)
    rows.instance("ss.1", "ss", "RTSTRUCT", title="Pelvis")
    for image in images:
        rows.refer("ss.1", image, "STRUCTURE_SET_IMAGE")
    return rows


def complete() -> Tables:
    return planned().tables


def partial() -> Tables:
    return planned(missing=1).tables


def all_missing() -> Tables:
    rows = Rows()
    rows.series("ss", "RTSTRUCT")
    rows.series("ct", None, study=None)
    rows.instance("ss.1", "ss", "RTSTRUCT")
    for image in rows.images("ct", "CT", 3, missing=3):
        rows.refer("ss.1", image, "STRUCTURE_SET_IMAGE")
    return rows.tables


def some_images_only() -> Tables:
    rows = planned()
    del rows.tables["references"][0]
    return rows.tables


def also_by_series() -> Tables:
    rows = planned()
    rows.refer("ss.1", "ct", "STRUCTURE_SET_SERIES", target_level="series")
    rows.refer("ss.1", "ct", "SR_SOURCE_SERIES", target_level="series")
    return rows.tables


def by_series_alone() -> Tables:
    rows = planned()
    rows.tables["references"].clear()
    rows.series("gone", None, study=None)
    for target in ("ct", "gone"):
        rows.refer("ss.1", target, "STRUCTURE_SET_SERIES", target_level="series")
    rows.refer("ss.1", "1", "STUDY_OF_IT", target_level="study")
    return rows.tables


def by_series_in_two_roles() -> Tables:
    rows = planned()
    rows.tables["references"].clear()
    for role in ("STRUCTURE_SET_SERIES", "SR_SOURCE_SERIES"):
        rows.refer("ss.1", "ct", role, target_level="series")
    return rows.tables


def from_image_series() -> Tables:
    rows = planned()
    rows.series("pet", "PT")
    rows.images("pet", "PT", 2)
    rows.refer("pet", "ct.1", "DERIVED_FROM", source_level="series")
    rows.refer("pet", "pet.1", "LOCALIZER", source_level="series")
    rows.refer("pet", "pet", "WHOLE", source_level="series", target_level="series")
    return rows.tables


def inside_one_series() -> Tables:
    rows = Rows()
    rows.series("plans", "RTPLAN")
    for uid in ("plan.1", "plan.2"):
        rows.instance(uid, "plans", "RTPLAN")
    rows.refer("plan.2", "plan.1", "PLAN_PREDECESSOR")
    rows.refer("plan.2", "plan.2", "PLAN_SELF")
    return rows.tables


def without_series() -> Tables:
    rows = planned()
    rows.instance("ss.2", "ss", "RTSTRUCT")
    for image in rows.images(None, "CT", 3, missing=3):
        rows.refer("ss.1", image, "CONTOUR_IMAGE")
        rows.refer("ss.2", image, "CONTOUR_IMAGE")
    rows.instance("mr", None, "MR", missing=True)
    rows.refer("ss.1", "mr", "CONTOUR_IMAGE")
    rows.instance("plan", None, "RTPLAN", missing=True)
    rows.refer("ss.2", "plan", "PLAN_OF")
    return rows.tables


def stub_under_two_series() -> Tables:
    rows = planned()
    rows.series("other", None, study=None)
    for series in ("ct", "other"):
        rows.instance("stub", series, "CT", missing=True)
    rows.refer("ss.1", "stub", "STRUCTURE_SET_IMAGE")
    return rows.tables


IMAGES = "STRUCTURE_SET_IMAGE"
SERIES_EDGES: list[tuple[Callable[[], Tables], list[SeriesEdge]]] = [
    (complete, [SeriesEdge("ss", "ct", IMAGES, 1, 3, 3, 0, True)]),
    (partial, [SeriesEdge("ss", "ct", IMAGES, 1, 3, 2, 1, False)]),
    (all_missing, [SeriesEdge("ss", "ct", IMAGES, 1, 3, 0, 3, False)]),
    (some_images_only, [SeriesEdge("ss", "ct", IMAGES, 1, 2, 2, 0, False)]),
    (also_by_series, [
        SeriesEdge("ss", "ct", "SR_SOURCE_SERIES", 1, None, None, None, None),
        SeriesEdge("ss", "ct", IMAGES, 1, 3, 3, 0, True),
    ]),
    (by_series_alone, [
        SeriesEdge("ss", "ct", "STRUCTURE_SET_SERIES", 1, None, None, None, None),
        SeriesEdge("ss", "gone", "STRUCTURE_SET_SERIES", 1, None, None, None, None),
    ]),
    (by_series_in_two_roles, [
        SeriesEdge("ss", "ct", "SR_SOURCE_SERIES", 1, None, None, None, None),
    ]),
    (from_image_series, [
        SeriesEdge("pet", "ct", "DERIVED_FROM", 1, 1, 1, 0, False),
        SeriesEdge("ss", "ct", IMAGES, 1, 3, 3, 0, True),
    ]),
    (inside_one_series, []),
    (without_series, [SeriesEdge("ss", "ct", IMAGES, 1, 3, 3, 0, True)]),
    (stub_under_two_series, [
        SeriesEdge("ss", "ct", IMAGES, 1, 4, 3, 1, False),
        SeriesEdge("ss", "other", IMAGES, 1, 1, 0, 1, False),
    ]),
]
# id: kind, status, present, missing, modality, caption, tally
BOXES: list[tuple[Callable[[], Tables], dict[str, tuple[str, str, int, int, str, str, str]]]] = [
    (complete, {
        "ct": ("series", "present", 3, 0, "CT", "Planning", "3 images"),
        "ss.1": ("object", "present", 1, 0, "RTSTRUCT", "Pelvis", ""),
    }),
    (partial, {
        "ct": ("series", "partial", 2, 1, "CT", "Planning", "2 of 3 images"),
        "ss.1": ("object", "present", 1, 0, "RTSTRUCT", "Pelvis", ""),
    }),
    (all_missing, {
        "ct": ("series", "missing", 0, 3, "CT", "", "3 images missing"),
        "ss.1": ("object", "present", 1, 0, "RTSTRUCT", "", ""),
    }),
    (by_series_alone, {
        "ct": ("series", "present", 3, 0, "CT", "Planning", "3 images"),
        "gone": ("series", "missing", 0, 0, "unknown", "", "missing"),
        "ss.1": ("object", "present", 1, 0, "RTSTRUCT", "Pelvis", ""),
    }),
    (without_series, {
        "ct": ("series", "present", 3, 0, "CT", "Planning", "3 images"),
        "loose.1": ("series", "missing", 0, 3, "CT", "", "3 images missing"),
        "mr": ("series", "missing", 0, 1, "MR", "", "1 image missing"),
        "plan": ("object", "missing", 0, 1, "RTPLAN", "", "missing"),
        "ss.1": ("object", "present", 1, 0, "RTSTRUCT", "Pelvis", ""),
        "ss.2": ("object", "present", 1, 0, "RTSTRUCT", "", ""),
    }),
    (stub_under_two_series, {
        "ct": ("series", "partial", 3, 1, "CT", "Planning", "3 of 4 images"),
        "other": ("series", "missing", 0, 1, "CT", "", "1 image missing"),
        "ss.1": ("object", "present", 1, 0, "RTSTRUCT", "Pelvis", ""),
    }),
]
EDGES: list[tuple[Callable[[], Tables], list[Edge]]] = [
    (partial, [Edge("ss.1", "ct", IMAGES, "REFERENCES", 3, 1)]),
    (also_by_series, [
        Edge("ss.1", "ct", "SR_SOURCE_SERIES", "REFERENCES", None, None),
        Edge("ss.1", "ct", IMAGES, "REFERENCES", 3, 0),
    ]),
    (by_series_alone, [
        Edge("ss.1", "ct", "STRUCTURE_SET_SERIES", "REFERENCES", None, None),
        Edge("ss.1", "gone", "STRUCTURE_SET_SERIES", "REFERENCES", None, None),
    ]),
    (from_image_series, [
        Edge("pet", "ct", "DERIVED_FROM", "REFERENCES", 1, 0),
        Edge("ss.1", "ct", IMAGES, "REFERENCES", 3, 0),
    ]),
    (inside_one_series, [Edge("plan.2", "plan.1", "PLAN_PREDECESSOR", "REFERENCES", 1, 0)]),
    (without_series, [
        Edge("ss.1", "ct", IMAGES, "REFERENCES", 3, 0),
        Edge("ss.1", "loose.1", "CONTOUR_IMAGE", "REFERENCES", 3, 3),
        Edge("ss.1", "mr", "CONTOUR_IMAGE", "REFERENCES", 1, 1),
        Edge("ss.2", "loose.1", "CONTOUR_IMAGE", "REFERENCES", 3, 3),
        Edge("ss.2", "plan", "PLAN_OF", "REFERENCES", 1, 1),
    ]),
    (stub_under_two_series, [
        Edge("ss.1", "ct", IMAGES, "REFERENCES", 4, 1),
        Edge("ss.1", "other", IMAGES, "REFERENCES", 1, 1),
    ]),
]


def name_of(value: object) -> str:
    """Name a case after the function that makes its rows."""
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("rows", "expected"), SERIES_EDGES, ids=name_of)
def test_series_edges(rows: Callable[[], Tables], expected: list[SeriesEdge]) -> None:
    assert list(fold(rows(), IF_ALONE).series_edges) == expected


@pytest.mark.parametrize(("rows", "expected"), BOXES, ids=name_of)
def test_boxes(
    rows: Callable[[], Tables], expected: dict[str, tuple[str, str, int, int, str, str, str]]
) -> None:
    found = {
        b.id: (b.kind, b.status, b.n_instances, b.n_missing, b.modality, b.caption, b.tally)
        for b in fold(rows(), IF_ALONE).boxes
    }
    assert found == expected
    assert list(found) == sorted(expected)


@pytest.mark.parametrize(("rows", "expected"), EDGES, ids=name_of)
def test_edges(rows: Callable[[], Tables], expected: list[Edge]) -> None:
    assert list(fold(rows(), IF_ALONE).edges) == expected


def test_details_are_named_as_in_the_graph() -> None:
    rows = Rows()
    rows.study("1", StudyDescription="RT")
    rows.series("sets", "RTSTRUCT", SeriesDescription="two\nlines\x1b[31m", SeriesNumber=4)
    rows.instance("set.1", "sets", "RTSTRUCT", InstanceNumber=7, file_path="root:a  b.dcm",
                  datetime=datetime(2025, 3, 4, 5, 6, 7), ApprovalStatus="APPROVED",
                  roi_names=["PTV", "Blad\x07der"])
    rows.frame("sets", "frame")
    (box,) = fold(rows.tables, IF_ALONE).boxes
    assert (box.modality, box.caption, box.tally) == ("RTSTRUCT", "two lines[31m", "")
    assert (box.study_uid, box.series_uid, box.layer) == ("1", "sets", 1)
    assert box.when == datetime(2025, 3, 4, 5, 6, 7)
    assert box.details == (
        ("SeriesDescription", "two\nlines[31m"),
        ("SeriesNumber", "4"),
        ("StudyDescription", "RT"),
        ("datetime", "2025-03-04 05:06:07"),
        ("ApprovalStatus", "APPROVED"),
        ("roi_names", "PTV, Bladder"),
        ("InstanceNumber", "7"),
        ("SOPInstanceUID", "set.1"),
        ("SeriesInstanceUID", "sets"),
        ("StudyInstanceUID", "1"),
        ("FrameOfReferenceUID", "frame"),
        ("file_path", "root:a  b.dcm"),
    )


DAY = datetime(2025, 3, 4, 9)
CAPTIONS = [
    # name                  modality    title        number  when  objects   caption          title
    ("label of a plan",     "RTPLAN",   "Plan 1",    1,      DAY,  1, "Plan 1",        "Plan 1"),
    ("plan without label",  "RTPLAN",   None,        2,      None, 1, "Series",        "Series"),
    ("plans without label", "RTPLAN",   None,        2,      None, 2, "no. 2",
     "Series, no. 2"),
    ("one dose",            "RTDOSE",   "PLAN",      1,      DAY,  1, "PLAN · Series",
     "PLAN · Series"),
    ("one of the doses",    "RTDOSE",   "BEAM",      2,      DAY,  2, "BEAM · no. 2",
     "Series, BEAM · no. 2"),
    ("registration",        "REG",      "REGISTRATION", 1,   DAY,  1, "Series",        "Series"),
    ("record with a day",   "RTRECORD", None,        3,      DAY,  2, "no. 3 · 2025-03-04",
     "Series, no. 3 · 2025-03-04"),
    ("record without",      "RTRECORD", None,        None,   None, 2, "Series",        "Series"),
]


@pytest.mark.parametrize(
    ("modality", "label", "number", "when", "objects", "caption", "title"),
    [c[1:] for c in CAPTIONS], ids=[c[0] for c in CAPTIONS])
def test_captions(
    modality: str, label: str | None, number: int | None, when: datetime | None, objects: int,
    caption: str, title: str,
) -> None:
    rows = Rows()
    rows.series("s", modality, SeriesDescription="Series")
    for i in range(objects):
        rows.instance(f"{i}", "s", modality, title=label, InstanceNumber=number, datetime=when)
    box = fold(rows.tables, IF_ALONE).boxes[0]
    assert (box.caption, box.title) == (caption, title)


def test_a_box_for_each_series_gathers_its_objects() -> None:
    rows = planned()
    rows.series("doses", "RTDOSE", SeriesDescription="Doses")
    for i in (1, 2):
        rows.instance(f"dose.{i}", "doses", "RTDOSE", missing=i == 2)
        rows.refer(f"dose.{i}", "ss.1", "DVH_STRUCTURE_SET")
    rows.instance("lost", None, "RTPLAN", missing=True)
    rows.refer("dose.1", "lost", "DOSE_PLAN")
    graph = fold(rows.tables, IF_ALONE, per="series")
    assert {b.id: (b.kind, b.layer, b.tally) for b in graph.boxes} == {
        "ct": ("series", 0, "3 images"), "ss": ("series", 1, "1 object"),
        "doses": ("series", 3, "1 of 2 objects"), "lost": ("series", 2, "1 object missing"),
    }
    assert [(e.source, e.target, e.role, e.n_targets) for e in graph.edges] == [
        ("doses", "lost", "DOSE_PLAN", 1), ("doses", "ss", "DVH_STRUCTURE_SET", 1),
        ("ss", "ct", IMAGES, 3),
    ]


AMBIGUOUS: list[tuple[Callable[[], Tables], set[str]]] = [
    (complete, set()),
    (stub_under_two_series, {"ct", "other"}),
]


@pytest.mark.parametrize(("rows", "expected"), AMBIGUOUS, ids=name_of)
def test_what_is_stated_in_two_places_is_ambiguous(
    rows: Callable[[], Tables], expected: set[str]
) -> None:
    assert {b.id for b in fold(rows(), IF_ALONE).boxes if b.ambiguous} == expected


def test_a_series_of_two_studies_is_ambiguous() -> None:
    rows = planned()
    rows.series("ct", "CT", "2")
    assert {b.id for b in fold(rows.tables, IF_ALONE).boxes if b.ambiguous} == {"ct"}


def test_inferred_links_are_edges_of_their_own_kind() -> None:
    rows = planned()
    inferred = [
        {"source_level": "instance", "source_uid": "ss.1", "target_level": level,
         "target_uid": uid, "method": "BY_DATE", "confidence": 0.5}
        for level, uid in (("series", "ct"), ("instance", "ct.2"), ("instance", "elsewhere"))
    ]
    edges = fold(rows.tables, IF_ALONE, inferred=inferred).edges
    assert [e for e in edges if e.kind == "INFERRED_LINK"] == [
        Edge("ss.1", "ct", "BY_DATE (0.5)", "INFERRED_LINK", None, None)]


def test_one_uid_for_a_series_and_an_object_makes_two_boxes() -> None:
    rows = planned()
    rows.series("plans", "RTPLAN")
    rows.instance("ct", "plans", "RTPLAN")
    rows.refer("ss.1", "ct", "PLAN_OF")
    graph = fold(rows.tables, IF_ALONE)
    assert [box.id for box in graph.boxes] == ["ct", "object ct", "ss.1"]
    assert Edge("ss.1", "object ct", "PLAN_OF", "REFERENCES", 1, 0) in graph.edges


def test_a_series_without_images_is_referred_to_in_its_objects() -> None:
    rows = inside_one_series()
    more = Rows()
    more.tables = rows
    more.series("sr", "REG")
    more.instance("reg", "sr", "REG")
    more.refer("reg", "plans", "WHOLE", target_level="series")
    ends = [(e.source, e.target) for e in fold(rows, IF_ALONE).edges if e.role == "WHOLE"]
    assert ends == [("reg", "plan.1"), ("reg", "plan.2")]


def shared(n: int, kind: str = "PATIENT", n_patients: int = 1) -> list[tuple[str, str]]:
    """Fold n CT series in one frame, and return the pairs that are linked."""
    rows = Rows()
    for i in range(n):
        rows.series(f"s{i:02}", "CT")
        rows.images(f"s{i:02}", "CT", 1)
        rows.frame(f"s{i:02}", "frame", kind, n_patients)
    edges = fold(rows.tables, IF_ALONE).edges
    assert {e.kind for e in edges} <= {"SHARES_FOR"}
    return [(e.source, e.target) for e in edges]


def test_series_of_one_patient_frame_are_linked() -> None:
    assert shared(3) == [("s00", "s01"), ("s00", "s02"), ("s01", "s02")]
    assert shared(3, kind="WELL_KNOWN") == []
    assert shared(3, n_patients=2) == []


def test_many_series_in_a_frame_make_a_star() -> None:
    assert len(shared(MAX_CLIQUE)) == MAX_CLIQUE * (MAX_CLIQUE - 1) / 2
    assert shared(MAX_CLIQUE + 1) == [("s00", f"s{i:02}") for i in range(1, MAX_CLIQUE + 1)]


def test_boxes_of_a_series_share_its_frame_with_others_but_not_with_each_other() -> None:
    rows = planned()
    rows.series("doses", "RTDOSE")
    for uid in ("dose.1", "dose.2"):
        rows.instance(uid, "doses", "RTDOSE")
    rows.instance("dose.3", "doses", "RTDOSE", missing=True)
    for series in ("ct", "doses"):
        rows.frame(series, "frame")
    links = [e for e in fold(rows.tables, IF_ALONE).edges if e.kind == "SHARES_FOR"]
    assert [(e.source, e.target) for e in links] == [("ct", "dose.1"), ("ct", "dose.2")]


def test_the_order_of_rows_does_not_matter() -> None:
    expected = fold(patient(), IF_ALONE)
    shuffled = patient()
    for rows in shuffled.values():
        random.Random(7).shuffle(rows)
    assert fold(shuffled, IF_ALONE) == expected
