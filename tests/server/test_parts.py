"""Parts of objects and the links between them, end to end: a course that has all of them."""

import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rtgraph.store.bolt import Row
from tests.data import course
from tests.data.course import key, named
from tests.data.items import item, ref
from tests.data.rt import MR, PLAN, REG, STRUCT, beam, point
from tests.server.conftest import TestGraph
from tests.server.test_ingest import assert_same, read_in

pytestmark = pytest.mark.server

_EDGES = """\
MATCH (a)-[r:$type]->(b)
RETURN coalesce(a.key, a.uid, a.SOPInstanceUID, a.SeriesInstanceUID, a.FrameOfReferenceUID) AS a,
       coalesce(b.key, b.uid, b.SOPInstanceUID, b.SeriesInstanceUID, b.FrameOfReferenceUID, b.name)
       AS b, properties(r) AS properties"""


def edges(graph: TestGraph, kind: str) -> set[str]:
    """Return the edges of a type as text: from > to, and properties by name."""
    return {_text(row) for row in graph.read(_EDGES.replace("$type", kind))}


def _text(row: Row) -> str:
    values = " ".join(f"{name}={_value(value)}" for name, value in sorted(row["properties"].items())
                      if value is not None)
    return named(f"{row['a']} > {row['b']} {values}".strip())


def _value(value: object) -> str:
    return json.dumps(value) if isinstance(value, list | bool) else str(value)


def lists(graph: TestGraph, name: str) -> dict[str, Any]:
    """Return a property of every node that has it, by the name of the node."""
    rows = graph.read(f"MATCH (n) WHERE n.{name} IS NOT NULL "
                      f"RETURN coalesce(n.key, n.SOPInstanceUID) AS key, n.{name} AS value")
    return {named(row["key"]): row["value"] for row in rows}


# --- the whole course ----------------------------------------------------------------------------

EXPECTED: dict[str, set[str]] = {
    "HAS_ROI": {*(f"structures > structures#{n} index={n}" for n in range(1, 7)),
                "older > older#5 index=1"},
    "HAS_BEAM": {"plan > plan#B1 index=1", "plan > plan#B2 index=2"},
    "HAS_FRACTION_GROUP": {"plan > plan#F1 index=1", "plan > plan#F2 index=2",
                           "brachy > brachy#F1 index=1"},
    "HAS_DOSE_REFERENCE": {*(f"plan > plan#D{n} index={n}" for n in (1, 2, 3)),
                           "brachy > brachy#D1 index=1"},
    "HAS_APPLICATION_SETUP": {"brachy > brachy#A1 index=1"},
    "HAS_DVH": {f"dose of plan > dose of plan#V{n} index={n}" for n in (1, 2)},
    "HAS_DELIVERY": {*(f"record > record#T{n} index={n}" for n in (1, 2, 3)),
                     "brachy record > brachy record#T1 index=1"},
    "HAS_TRANSFORM": {*(f"rigid > rigid#R{n} index={n}" for n in (1, 2, 3)),
                      "to atlas > to atlas#R1 index=1", "deformed > deformed#R1 index=1",
                      "older > older#R1 index=1"},
    "HAS_SEGMENT": {"segments > segments#S1 index=1", "segments > segments#S2 index=2"},
    "HAS_PRESCRIPTION": set(),
    "INCLUDES_BEAM": {"plan#F1 > plan#B1 BeamDose=1.2 BeamMeterset=100.0",
                      "plan#F1 > plan#B2 BeamDose=0.8 BeamMeterset=80.0",
                      "plan#F2 > plan#B1 BeamDose=2.0 BeamMeterset=150.0"},
    "INCLUDES_SETUP": {"brachy#F1 > brachy#A1 BrachyApplicationSetupDose=7.0"},
    "FOR_DOSE_REFERENCE": {"plan#B1 > plan#D1", "plan#B2 > plan#D1"},
    "TARGETS": {"plan#D1 > structures#1"},
    "USES_ROI": {"plan#B1 > structures#3 use=BOLUS", "plan#B2 > structures#3 use=BOLUS",
                 "brachy#A1 > structures#6 use=CHANNEL"},
    "OF_ROI": {"dose of plan#V1 > structures#1 contribution=INCLUDED",
               "dose of plan#V1 > structures#2 contribution=EXCLUDED",
               "dose of plan#V2 > structures#2 contribution=INCLUDED"},
    "DOSE_OF": {"dose of beam > plan#B1", "dose of group > plan#F2",
                "dose of points > plan#B2 control_points=[0, 3]",
                "dose of setup > brachy#A1"},
    "DELIVERY_OF": {"record#T1 > plan#B2", "record#T2 > plan#B1",
                    "brachy record#T1 > brachy#A1"},
    "IMAGES": {"portal > plan#B2 fraction_number=3"},
    "CONTOURED_ON": {"structures#1 > ct n_contours=4 n_images=3",
                     "structures#2 > ct n_contours=1 n_images=1"},
    "DEFINED_IN": {"structures#6 > of applicator"},
    "DERIVED_FROM": {"structures#2 > segments#S1", "structures#3 > older#5",
                     "structures#4 > marker", "segments#S2 > segments#S1"},
    "RELATED_ROI": {"structures#1 > structures#2 relationship=ENCLOSED",
                    "structures#1 > structures#3 relationship=SAME"},
    "CODED_AS": {
        "segments#S1 > SCT^10200004 attribute=SegmentedPropertyTypeCodeSequence meaning=Liver",
        "structures#2 > SCT^10200004 attribute=AnatomicRegionSequence meaning=Liver"},
    "REPRESENTS": {"structures#1 > volume", "structures#2 > volume"},
    "TRACKS": {"segments#S1 > finding"},
    "IN_SESSION": {"cbct > session", "record > session", "brachy record > session"},
    "STATES_UID": {"plan#D1 > prescribed role=DOSE_REFERENCE_GROUP",
                   "brachy#D1 > prescribed role=DOSE_REFERENCE_GROUP",
                   "structures > marker role=FIDUCIAL"},
    "FROM_FRAME": {"rigid#R1 > planning", "rigid#R2 > of cbct",
                   f"rigid#R3 > image:{min('mr1', 'mr2', key=key)}",
                   f"to atlas#R1 > {course.TALAIRACH}", "deformed#R1 > of cbct",
                   "older#R1 > related"},
    "TO_FRAME": {*(f"rigid#R{n} > planning" for n in (1, 2, 3)), "to atlas#R1 > planning",
                 "deformed#R1 > planning", "older#R1 > planning"},
    "APPLIES_TO": {"rigid#R1 > ct n_images=3", "rigid#R2 > cbct n_images=2",
                   "rigid#R3 > mr n_images=2", "deformed#R1 > cbct n_images=1"},
    "ACQUIRED_ON": {
        *(f"{series} > MAKER|Scanner|1" for series in ("ct", "mr")),
        *(f"{series} series > MAKER|Planning|TPS1"
          for series in ("seg", "rtstruct", "rtplan", "rtdose", "reg")),
        *(f"{series} > OTHER|TrueBeam|7"
          for series in ("cbct", "rtrecord series", "rtimage series", "ot series"))},
    "NAMED_AS": {"structures#2 > Bladder exact=true method=EXACT score=1.0"},
}


def test_every_link_of_a_course(graph: TestGraph, tmp_path: Path) -> None:
    course.write_all(tmp_path)
    graph.ingest(tmp_path)
    found = {kind: edges(graph, kind) for kind in EXPECTED}
    names = found.pop("NAMED_AS")
    assert found == {kind: rows for kind, rows in EXPECTED.items() if kind != "NAMED_AS"}
    assert EXPECTED["NAMED_AS"] <= names
    # the other names are standard ones in other letters, or none
    assert {row.split(" exact")[0] for row in names - EXPECTED["NAMED_AS"]
            if not row.startswith("structures#1 ")} == {
        "structures#3 > Bladder", "older#5 > Bladder"}
    _registered(graph)
    _frames(graph)
    _unresolved(graph)
    _shared(graph)


def _registered(graph: TestGraph) -> None:
    """Edges lead to the registered frame; the stored mapping of deformable ones leads back."""
    rows = graph.read(
        "MATCH (a:FrameOfReference)-[r:REGISTERED_TO]->(b:FrameOfReference) RETURN "
        "a.FrameOfReferenceUID AS a, b.FrameOfReferenceUID AS b, properties(r) AS r")
    implicit = f"image:{min('mr1', 'mr2', key=key)}"
    forward, back = "SOURCE_TO_REGISTERED", "REGISTERED_TO_SOURCE"
    assert {(named(r["a"]), named(r["b"]), named(r["r"]["transform_key"]),
             named(r["r"]["reg_uid"]), r["r"]["direction"], r["r"]["matrix_type"],
             tuple(r["r"].get(f"t{axis}") for axis in "xyz"), r["r"].get("is_identity"),
             str(r["r"]["content_date"]), r["r"].get("legacy")) for r in rows} == {
        ("of cbct", "planning", "rigid#R2", "rigid", forward, "RIGID", (10, -20, 30), False,
         "2024-02-13", None),
        (implicit, "planning", "rigid#R3", "rigid", forward, "RIGID", (10, -20, 30), False,
         "2024-02-13", None),
        (course.TALAIRACH, "planning", "to atlas#R1", "to atlas", forward, "RIGID", (0, 0, 0), True,
         "2024-02-14", None),
        ("of cbct", "planning", "deformed#R1", "deformed", back, "DEFORMABLE", (None,) * 3, None,
         "2024-02-15", None),
        ("related", "planning", "older#R1", "older", forward, "AFFINE", (10, -20, 30), False,
         "2024-01-01", True)}
    sides = graph.read("MATCH (t:Transform) RETURN t.key AS key, t.side AS side")
    assert {named(r["key"]) for r in sides if r["side"] == "REGISTERED"} == {"rigid#R1"}


def _frames(graph: TestGraph) -> None:
    """Kinds of frames, and that only frames of patients are shared."""
    rows = graph.read("MATCH (f:FrameOfReference) RETURN f.FrameOfReferenceUID AS uid, "
                      "f.kind AS kind, f.share_mode AS mode")
    assert {named(r["uid"]): (r["kind"], r["mode"]) for r in rows} == {
        "planning": ("PATIENT", "CLIQUE"), "of cbct": ("PATIENT", "NONE"),
        "of applicator": ("PATIENT", "NONE"), "related": ("PATIENT", "NONE"),
        course.TALAIRACH: ("WELL_KNOWN", "NONE"), "machine": ("EQUIPMENT", "NONE"),
        f"image:{min('mr1', 'mr2', key=key)}": ("IMAGE_IMPLICIT", "NONE")}
    shared = graph.read("MATCH (a:Series)-[r:SHARES_FOR]->(b:Series) RETURN a.SeriesInstanceUID "
                        "AS a, b.SeriesInstanceUID AS b, r.FrameOfReferenceUID AS uid")
    members = ("ct", "seg series", "rtstruct series", "rtdose series", "reg series")
    assert {frozenset((named(r["a"]), named(r["b"]))) for r in shared} == {
        frozenset((a, b)) for a in members for b in members if a != b}
    assert {named(r["uid"]) for r in shared} == {"planning"}
    inherited = graph.read("MATCH (i:Instance {frame_source: 'INHERITED'}) RETURN "
                           "i.SOPInstanceUID AS uid, i.frame_uid AS frame")
    assert {(named(r["uid"]), named(r["frame"])) for r in inherited} == {
        (name, "planning") for name in ("plan", "brachy", "portal", "record", "brachy record")}


def _unresolved(graph: TestGraph) -> None:
    """Numbers that name nothing, where the other object is there."""
    assert lists(graph, "unresolved_beam_numbers") == {
        "plan#F1": [], "plan#F2": [8], "brachy#F1": []}
    assert lists(graph, "unresolved_roi_numbers") == {
        "plan#D1": [], "plan#D2": [99], "plan#B1": [77], "plan#B2": [], "brachy#A1": [77],
        "dose of plan#V1": [], "dose of plan#V2": [55]}
    assert lists(graph, "unresolved_sub_refs") == {
        "dose of plan": [], "dose of beam": [], "dose of group": [], "dose of points": [],
        "dose of setup": [], "dose of lost": ["Beam:7"]}


def _shared(graph: TestGraph) -> None:
    """Members of hubs, codes, and what equipment is."""
    members = graph.read("MATCH (h) WHERE h.uid IS NOT NULL RETURN head(labels(h)) AS label, "
                         "h.uid AS uid, h.n_members AS n")
    assert {(r["label"], named(r["uid"]), r["n"]) for r in members} == {
        ("ConceptualVolume", "volume", 2), ("TreatmentSession", "session", 3),
        ("DoseReferenceGroup", "prescribed", 2), ("Tracking", "finding", 1),
        ("Fiducial", "marker", 1)}
    assert graph.read("MATCH (c:Code) RETURN c.key AS key, c.scheme AS scheme, c.value AS value, "
                      "c.meaning AS meaning") == [
        {"key": "SCT^10200004", "scheme": "SCT", "value": "10200004", "meaning": "Liver"}]
    equipment = graph.read("MATCH (q:Equipment) RETURN q.key AS key, q.kind AS kind, "
                           "labels(q) AS labels, q.StationName AS station")
    assert {(r["key"], r["kind"], frozenset(r["labels"]), r["station"]) for r in equipment} == {
        (name, kind, frozenset(("Equipment", kind)), station) for name, kind, station in (
            ("MAKER|Scanner|1", "Scanner", None), ("OTHER|TrueBeam|7", "TreatmentMachine", None),
            ("MAKER|Planning|TPS1", "PlanningSystem", "TPS1"))}
    assert graph.one("MATCH (s:CTSeries {SeriesInstanceUID: $uid}) RETURN s.is_cbct",
                     uid=key("cbct")) is True


# --- objects that come, change and go ------------------------------------------------------------

ABSENT: list[tuple[str, Callable[[Path], None], str, set[str], dict[str, set[str]]]] = [
    # name, what is absent, list, nodes without it, links that are missing
    ("structure set", course.structures, "unresolved_roi_numbers",
     {"plan#D1", "plan#D2", "plan#B1", "plan#B2", "brachy#A1", "dose of plan#V1",
      "dose of plan#V2"},
     {kind: EXPECTED[kind] for kind in ("TARGETS", "USES_ROI", "OF_ROI")}),
    ("plans", course.plans, "unresolved_sub_refs",
     {"dose of plan", "dose of beam", "dose of group", "dose of points", "dose of setup",
      "dose of lost"},
     {kind: EXPECTED[kind] for kind in ("DOSE_OF", "DELIVERY_OF", "IMAGES")}),
]


@pytest.mark.parametrize(("absent", "name", "without", "missing"), [a[1:] for a in ABSENT],
                         ids=[a[0] for a in ABSENT])
def test_what_is_not_there_cannot_be_verified(
    graph: TestGraph, tmp_path: Path, absent: Callable[[Path], None], name: str,
    without: set[str], missing: dict[str, set[str]],
) -> None:
    for step in course.STEPS:
        if step is not absent:
            step(tmp_path / step.__name__)
    graph.ingest(tmp_path)
    assert without.isdisjoint(lists(graph, name))
    assert {kind: edges(graph, kind) for kind in missing} == {kind: set() for kind in missing}
    assert edges(graph, "CONTOURED_ON") == (
        set() if absent is course.structures else EXPECTED["CONTOURED_ON"])

    absent(tmp_path / absent.__name__)
    graph.ingest(tmp_path)
    assert without <= lists(graph, name).keys()
    assert {kind: edges(graph, kind) for kind in missing} == missing
    _unresolved(graph)

    for path in (tmp_path / absent.__name__).iterdir():
        path.unlink()
    graph.ingest(tmp_path, prune=True)
    assert without.isdisjoint(lists(graph, name))
    assert {kind: edges(graph, kind) for kind in missing} == {kind: set() for kind in missing}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_arrival_does_not_matter(
    graph: TestGraph, tmp_path: Path, seed: int
) -> None:
    course.write_all(tmp_path)
    read_in(graph, tmp_path)
    whole = graph.content()
    graph.wipe()
    files = sorted(tmp_path.rglob("*.dcm"))
    random.Random(seed).shuffle(files)
    for part in (files[:8], files[8:16], files[16:]):
        read_in(graph, tmp_path, *part)
    assert_same(graph.content(), whole)


def test_a_changed_plan_takes_its_parts_along(graph: TestGraph, tmp_path: Path) -> None:
    course.write_all(tmp_path)
    graph.ingest(tmp_path)
    course.write(tmp_path / "plans", "plan", PLAN, **course.SYSTEM,
                 BeamSequence=[beam(point(10), number=1, BeamName="new")])
    graph.ingest(tmp_path)
    assert edges(graph, "HAS_BEAM") == {"plan > plan#B1 index=1"}
    assert edges(graph, "DOSE_OF") == {"dose of beam > plan#B1", "dose of setup > brachy#A1"}
    assert edges(graph, "DELIVERY_OF") == {"record#T2 > plan#B1", "brachy record#T1 > brachy#A1"}
    assert edges(graph, "TARGETS") == set()
    assert lists(graph, "unresolved_sub_refs")["dose of group"] == ["FractionGroup:2"]
    assert lists(graph, "unresolved_sub_refs")["dose of points"] == [
        "Beam:2", "FractionGroup:1"]
    assert graph.one("MATCH (h:DoseReferenceGroup) RETURN h.n_members") == 1
    assert graph.one("MATCH (b:Beam) RETURN b.BeamName") == "new"


def test_hubs_count_who_is_left(graph: TestGraph, tmp_path: Path) -> None:
    """Two structure sets are made from one fiducial; one of them changes, then goes."""
    def structures(name: str, source: str | None) -> Path:
        return course.write(
            tmp_path, name, STRUCT, series=name, StructureSetROISequence=[item(
                ROINumber=1, ROIName="Marker", DefinitionSourceSequence=[ref(
                    key("marks"), "1.2.840.10008.5.1.4.1.1.66.2",
                    ReferencedFiducialUID=key(source))] if source else None)])

    def members() -> list[tuple[str, int]]:
        rows = graph.read("MATCH (h:Fiducial) RETURN h.uid AS uid, h.n_members AS n")
        return [(named(r["uid"]), r["n"]) for r in rows]

    first = structures("first", "marker")
    structures("second", "marker")
    graph.ingest(tmp_path)
    assert members() == [("marker", 2)]
    structures("first", None)
    graph.ingest(tmp_path)
    assert members() == [("marker", 1)]
    structures("first", "marker")
    graph.ingest(tmp_path)
    assert members() == [("marker", 2)]
    first.unlink()
    graph.ingest(tmp_path, prune=True)
    assert members() == [("marker", 1)]


def test_implicit_frames_follow_the_images(graph: TestGraph, tmp_path: Path) -> None:
    """The frame of images is that of an item without one, once their series states one."""
    course.registrations(tmp_path / "reg")
    graph.ingest(tmp_path / "reg")
    assert "rigid#R3" not in {row.split(" >")[0] for row in edges(graph, "FROM_FRAME")}
    for n in (1, 2):
        course.write(tmp_path / "mr", f"mr{n}", MR, series="mr", frame="of mr")
    graph.ingest(tmp_path)
    assert "rigid#R3 > of mr" in edges(graph, "FROM_FRAME")
    for n in (1, 2):
        course.write(tmp_path / "mr", f"mr{n}", MR, series="mr", ContentDate="20240101")
    graph.ingest(tmp_path)
    implicit = f"image:{min('mr1', 'mr2', key=key)}"
    assert f"rigid#R3 > {implicit}" in edges(graph, "FROM_FRAME")
    assert {row.split(" ")[0] for row in edges(graph, "REGISTERED_TO")} == {
        "of", implicit, course.TALAIRACH}
    assert graph.one("MATCH (f:FrameOfReference {FrameOfReferenceUID: $uid}) RETURN count(f)",
                     uid=key("of mr")) == 0


def test_two_registrations_of_one_pair_are_two_edges(graph: TestGraph, tmp_path: Path) -> None:
    for name, day in (("first", "20240101"), ("second", "20240201")):
        course.write(tmp_path, name, REG, frame="planning", ContentDate=day,
                     RegistrationSequence=[course.moved("of cbct", course.SHIFT)])
    course.write(tmp_path, "backwards", REG, frame="of cbct", series="other reg",
                 RegistrationSequence=[course.moved("planning", course.SHIFT)])
    graph.ingest(tmp_path)
    rows = graph.read("MATCH (a:FrameOfReference)-[r:REGISTERED_TO]->(b:FrameOfReference) RETURN "
                      "a.FrameOfReferenceUID AS a, b.FrameOfReferenceUID AS b, r.reg_uid AS uid, "
                      "r.content_date AS day")
    assert {(named(r["a"]), named(r["b"]), named(r["uid"])) for r in rows} == {
        ("of cbct", "planning", "first"), ("of cbct", "planning", "second"),
        ("planning", "of cbct", "backwards")}
    assert {r["day"].to_native() if hasattr(r["day"], "to_native") else r["day"] for r in rows
            if named(r["uid"]) == "second"} == {date(2024, 2, 1)}
