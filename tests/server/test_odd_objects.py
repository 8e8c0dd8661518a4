"""Objects as no standard foresees them, in the graph of a real Neo4j: nothing is lost or invented.

One folder holds all of them, a patient for each kind; it is read in one run. What concerns the
identity of objects has runs of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.config import disable_value_validation
from pydicom.uid import (
    ComprehensiveSRStorage,
    CTImageStorage,
    DeformableSpatialRegistrationStorage,
    RTBeamsTreatmentRecordStorage,
    RTDoseStorage,
    RTPlanStorage,
    RTStructureSetStorage,
    SegmentationStorage,
    SpatialRegistrationStorage,
)

from rtgraph.cypher.library import bind, checks, queries
from rtgraph.cypher.validate import run_checks
from rtgraph.demo.objects import save
from tests.data.items import item, put, ref
from tests.data.small import new, uid
from tests.server.conftest import State, TestGraph, check_invariants

pytestmark = pytest.mark.server

CLASSES = {
    "CT": CTImageStorage, "RTSTRUCT": RTStructureSetStorage, "RTPLAN": RTPlanStorage,
    "RTDOSE": RTDoseStorage, "REG": SpatialRegistrationStorage, "SR": ComprehensiveSRStorage,
    "SEG": SegmentationStorage, "RTRECORD": RTBeamsTreatmentRecordStorage,
    "DEFORMABLE": DeformableSpatialRegistrationStorage,
}
N_CONTOURS, N_IMAGES, N_LISTED = 20_000, 125, 100


def made(
    name: str, kind: str, of: str, *, frame: str | None = None, series: str | None = None,
    **elements: Any,
) -> Dataset:
    """Return an object of a patient, in a series of its own unless one is named."""
    ds = new(name, patient=of, study=f"study of {of}", series=series or f"series of {name}",
             frame=frame, modality="REG" if kind == "DEFORMABLE" else kind,
             sop_class=CLASSES[kind])
    return put(ds, **elements)


def to(name: str, kind: str = "CT", **more: Any) -> Dataset:
    """Return an item that refers to an object by its name."""
    return ref(uid(name), CLASSES[kind], **more)


# --- the objects, by patient ---------------------------------------------------------------------

def cycles(of: str) -> Iterator[Dataset]:
    yield made("plan", "RTPLAN", of, ReferencedDoseSequence=[to("dose", "RTDOSE")])
    yield made("dose", "RTDOSE", of, ReferencedRTPlanSequence=[to("plan", "RTPLAN")])
    for name, other in (("first", "second"), ("second", "first")):
        yield made(name, "RTPLAN", of, series="chain", ReferencedRTPlanSequence=[
            to(other, "RTPLAN", RTPlanRelationship="PREDECESSOR")])
    for name, other in pairwise(("set 1", "set 2", "set 3", "set 1")):
        yield made(name, "RTSTRUCT", of, PredecessorStructureSetSequence=[to(other, "RTSTRUCT")])


def selves(of: str) -> Iterator[Dataset]:
    yield made("own plan", "RTPLAN", of, ReferencedRTPlanSequence=[
        to("own plan", "RTPLAN", RTPlanRelationship="PREDECESSOR")])
    yield made("own set", "RTSTRUCT", of,
               PredecessorStructureSetSequence=[to("own set", "RTSTRUCT")])
    yield made("own report", "SR", of, ContentSequence=[
        item(ReferencedSOPSequence=[to("own report", "SR")])])
    yield made("own image", "CT", of, ReferencedImageSequence=[to("own image")],
               RelatedSeriesSequence=[item(SeriesInstanceUID=uid("series of own image"))])


def chains(of: str) -> Iterator[Dataset]:
    """A plan with forty records, each of which names the one before."""
    yield made("treated", "RTPLAN", of)
    for n in range(40):
        before = [to(f"record {n - 1}", "RTRECORD")] if n else []
        yield made(f"record {n}", "RTRECORD", of, series="records",
                   ReferencedRTPlanSequence=[to("treated", "RTPLAN")],
                   ReferencedTreatmentRecordSequence=before)


def structure_sets(of: str) -> Iterator[Dataset]:
    images = [made(f"slice {n}", "CT", of, series="slices", frame="slices") for n in range(2)]
    yield from images
    yield made(
        "odd set", "RTSTRUCT", of, frame="slices",
        StructureSetROISequence=[
            item(ROINumber=1, ROIName="PTV"), item(ROINumber=1, ROIName="Bladder"),
            item(ROINumber=2, ROIName="Rectum"), item(ROIName="Nobody"),
            item(ROINumber="1.5", ROIName="Odd")],
        ROIContourSequence=[
            item(ReferencedROINumber=1, ContourSequence=[contour(4, "slice 0"),
                                                         contour(6, "slice 1")]),
            item(ReferencedROINumber=2, ContourSequence=[contour(3), contour(5), contour(7)]),
            item(ReferencedROINumber=8, ContourSequence=[contour(4, "slice 0")])],
        RTROIObservationsSequence=[
            item(ReferencedROINumber=1, RTROIInterpretedType="PTV"),
            item(ReferencedROINumber=9, RTROIInterpretedType="ORGAN"),
            item(RTROIInterpretedType="ORGAN")])
    yield made("empty set", "RTSTRUCT", of, frame="slices", StructureSetROISequence=[])


def contour(n_points: int, *images: str) -> Dataset:
    ds = item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=n_points,
              ContourData=["1.5"] * 3 * n_points)
    return put(ds, ContourImageSequence=[to(name) for name in images]) if images else ds


def many_contours(of: str) -> Iterator[Dataset]:
    """All contours of five ROIs; the header lists the first hundred images only."""
    names = [f"image {n}" for n in range(N_IMAGES)]
    contours = [contour(3 + n % 3, name) for n, name in enumerate(names)]
    study = ref(uid(f"study of {of}"), RTReferencedSeriesSequence=[item(
        SeriesInstanceUID=uid("many images"),
        ContourImageSequence=[to(name) for name in names[:N_LISTED]])])
    yield made(
        "many contours", "RTSTRUCT", of, frame="many",
        ReferencedFrameOfReferenceSequence=[
            item(FrameOfReferenceUID=uid("many"), RTReferencedStudySequence=[study])],
        StructureSetROISequence=[item(ROINumber=n, ROIName=f"ROI {n}") for n in range(1, 6)],
        ROIContourSequence=[
            item(ReferencedROINumber=n, ContourSequence=contours * (N_CONTOURS // N_IMAGES // 5))
            for n in range(1, 6)])


def plans(of: str) -> Iterator[Dataset]:
    yield made("no beams", "RTPLAN", of, FractionGroupSequence=[item(
        FractionGroupNumber=1, NumberOfFractionsPlanned=5, NumberOfBeams=1,
        ReferencedBeamSequence=[item(ReferencedBeamNumber=3, BeamMeterset="100")])])
    yield made("empty plan", "RTPLAN", of, BeamSequence=[], FractionGroupSequence=[])


def registrations(of: str) -> Iterator[Dataset]:
    for name in ("fixed", "moving", "third"):
        yield made(f"{name} image", "CT", of, frame=name)
    yield made("unframed image", "CT", of)
    for name, items in (
        ("one item", [mapped("moving", "moving image")]),
        ("three items", [mapped("fixed", "fixed image"), mapped("moving", "moving image"),
                         mapped("third", "third image")]),
        ("no items", []),
        ("items without a frame", [mapped(None, "moving image"), mapped(None, "unframed image"),
                                   mapped(None), mapped(None, "moving image", "third image")]),
    ):
        yield made(name, "REG", of, frame="fixed", RegistrationSequence=items)
    yield made("no sequence", "REG", of, frame="fixed")
    yield made("no frame", "REG", of, RegistrationSequence=[mapped("fixed"), mapped("moving")])
    yield made("no deformable items", "DEFORMABLE", of, frame="fixed",
               DeformableRegistrationSequence=[])


def mapped(frame: str | None, *images: str) -> Dataset:
    """Return an item of a registration: data and a matrix, 1 mm along x."""
    ds = item(MatrixRegistrationSequence=[item(MatrixSequence=[item(
        FrameOfReferenceTransformationMatrixType="RIGID",
        FrameOfReferenceTransformationMatrix=["1", "0", "0", "1", "0", "1", "0", "0",
                                              "0", "0", "1", "0", "0", "0", "0", "1"])])])
    if images:
        put(ds, ReferencedImageSequence=[to(name) for name in images])
    return put(ds, FrameOfReferenceUID=uid(frame)) if frame else ds


def doses(of: str) -> Iterator[Dataset]:
    for name in ("part 1", "part 2"):
        yield made(name, "RTDOSE", of, frame="dose frame")
    yield made(
        "sum", "RTDOSE", of, frame="dose frame", DoseSummationType="MULTI_PLAN",
        ReferencedInstanceSequence=[to("part 1", "RTDOSE"), to("part 2", "RTDOSE")],
        ReferencedRTPlanSequence=[],
        ReferencedSeriesSequence=[item(
            SeriesInstanceUID=uid(f"series of {name}"),
            ReferencedInstanceSequence=[to(name, "RTDOSE")]) for name in ("part 1", "part 2")])


DEEP = ("ReferencedImageSequence", "SourceImageSequence", "DerivationImageSequence",
        "RequestAttributesSequence", "ReferencedSeriesSequence", "BeamSequence",
        "ConversionSourceAttributesSequence", "ReferencedInstanceSequence", "ROIContourSequence",
        "DVHSequence")


def nested(of: str) -> Iterator[Dataset]:
    below = to("deep target", "RTDOSE")
    for step in DEEP[:0:-1]:
        below = item(**{step: [below]})
    outermost: dict[str, Any] = {DEEP[0]: [below]}
    yield made("deep", "SEG", of, **outermost)
    content = item(ReferencedSOPSequence=[to("cited deep")])
    for _ in range(10):
        content = item(ContentSequence=[content])
    yield made("deep report", "SR", of, **{"ContentSequence": content.ContentSequence})


ODD_UIDS = [
    # name              as an object states its own UID     as another object refers to it
    ("blanks around",   " 1.2.3.1 ",                         "1.2.3.1\0"),
    ("blank within",    "1.2. 3.2",                          "1.2. 3.2 "),
    ("leading zero",    "1.2.03.3",                          " 1.2.03.3"),
    ("letters",         "1.2.abc.4",                         "1.2.abc.4"),
    ("80 characters",   "1." + "5" * 78,                     "1." + "5" * 78 + "  "),
]
# What looks like one of them and is another object.
LOOKALIKES = ["1.2.3.2", "1.2.3.3", "1.2.ABC.4", "1." + "5" * 77]


def odd_uids(of: str) -> Iterator[Dataset]:
    for name, own, stated in ODD_UIDS:
        yield made(name, "RTPLAN", of, SOPInstanceUID=own, SeriesInstanceUID=f"{own.rstrip()}.1",
                   FrameOfReferenceUID=f"{own.rstrip()}.2")
        yield made(f"dose of {name}", "RTDOSE", of, FrameOfReferenceUID=f"{stated.strip()}.2",
                   ReferencedRTPlanSequence=[ref(stated, RTPlanStorage)],
                   RelatedSeriesSequence=[item(SeriesInstanceUID=f"{stated.strip(chr(0)).strip()}.1")])
    yield made("dose of others", "RTDOSE", of,
               ReferencedRTPlanSequence=[ref(u, RTPlanStorage) for u in LOOKALIKES])


OBJECTS: dict[str, Callable[[str], Iterator[Dataset]]] = {
    "cycles": cycles, "selves": selves, "chains": chains, "structure sets": structure_sets,
    "many contours": many_contours, "plans": plans, "registrations": registrations,
    "doses": doses, "nested": nested, "odd UIDs": odd_uids,
}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def odd(session_graph: TestGraph, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGraph]:
    folder = tmp_path_factory.mktemp("odd")
    n = 0
    with disable_value_validation():
        for of, objects in OBJECTS.items():
            for ds in objects(of):
                save(ds, folder / f"{n:03}.dcm")
                n += 1
    session_graph.wipe()
    assert session_graph.ingest(folder).progress.states == {State.INDEXED: n}
    yield session_graph
    check_invariants(session_graph)


# --- questions -----------------------------------------------------------------------------------

def named(*names: str) -> dict[str, str]:
    return {uid(name): name for name in names}


def references(graph: TestGraph, *names: str) -> set[tuple[str, str, str]]:
    """(source, role, target) of what objects, or the series of images, refer to, by name."""
    of_uid = named(*names) | {uid(f"series of {name}"): name for name in names}
    rows = graph.read(
        "MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance) "
        "WITH coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS a, r.role AS role, "
        "b.SOPInstanceUID AS b WHERE a IN $uids RETURN a, role, b", uids=list(of_uid))
    return {(of_uid[r["a"]], str(r["role"]), str(of_uid.get(r["b"], r["b"]))) for r in rows}


def instance(graph: TestGraph, name: str) -> Row:
    """Return the properties of an object."""
    found: Row = graph.one("MATCH (i:Instance {SOPInstanceUID: $uid}) RETURN i {.*}",
                           uid=uid(name))
    return found


def parts(graph: TestGraph, name: str, *properties: str) -> list[tuple[Any, ...]]:
    """Return the suffixes of the keys of the parts of an object, and some of their properties."""
    rows = graph.read(
        "MATCH (i:Instance {SOPInstanceUID: $uid})-[h]->(p) WHERE type(h) STARTS WITH 'HAS_' "
        "RETURN split(p.key, '#')[1] AS key, [k IN $keys | p[k]] AS values ORDER BY h.index, key",
        uid=uid(name), keys=properties)
    return [(r["key"], *r["values"]) for r in rows]


# --- cycles --------------------------------------------------------------------------------------

def test_cycles_are_kept_as_they_are(odd: TestGraph) -> None:
    assert references(odd, "plan", "dose", "first", "second", "set 1", "set 2", "set 3") == {
        ("plan", "PLAN_DOSE", "dose"), ("dose", "DOSE_PLAN", "plan"),
        ("first", "PREDECESSOR_PLAN", "second"), ("second", "PREDECESSOR_PLAN", "first"),
        ("set 1", "PREDECESSOR_STRUCTURE_SET", "set 2"),
        ("set 2", "PREDECESSOR_STRUCTURE_SET", "set 3"),
        ("set 3", "PREDECESSOR_STRUCTURE_SET", "set 1")}


def test_cycles_between_series(odd: TestGraph) -> None:
    names = {uid(f"series of {n}"): n for n in ("plan", "dose", "set 1", "set 2", "set 3")}
    rows = odd.read("MATCH (:Patient {PatientID: 'cycles'})-[:HAS_STUDY]->()-[:HAS_SERIES]->"
                    "(a:Series)-[r:REFERENCES]->(b:Series) RETURN a.SeriesInstanceUID AS a, "
                    "r.role AS role, b.SeriesInstanceUID AS b, r.n_targets AS n, "
                    "r.complete AS complete")
    assert {(names[r["a"]], r["role"], names[r["b"]], r["n"], r["complete"]) for r in rows} == {
        ("plan", "PLAN_DOSE", "dose", 1, True), ("dose", "DOSE_PLAN", "plan", 1, True),
        *((a, "PREDECESSOR_STRUCTURE_SET", b, 1, True)
          for a, b in (("set 1", "set 2"), ("set 2", "set 3"), ("set 3", "set 1")))}


def test_a_cycle_within_a_series_makes_no_loop(odd: TestGraph) -> None:
    assert odd.read("MATCH (s:Series {SeriesInstanceUID: $uid}) RETURN s.internal_roles AS roles, "
                    "s.n_instances AS n, EXISTS { (s)-[:REFERENCES]->() } AS edges",
                    uid=uid("chain")) == [
        {"roles": ["PREDECESSOR_PLAN"], "n": 2, "edges": False}]


@pytest.mark.parametrize("of", ["cycles", "selves", "chains"])
def test_walks_end(odd: TestGraph, of: str) -> None:
    key = odd.one("MATCH (p:Patient {PatientID: $id}) RETURN p.patient_key", id=of)
    for query in queries():
        values = {p.name: key if p.name == "patient" else "1.2.3" for p in query.params
                  if p.name == "patient" or p.required}
        rows = odd.read(query.statement, **bind(query, values))
        if query.name == "course-timeline":
            assert sorted(r["n_records"] for r in rows) == {
                "cycles": [0, 0, 0], "selves": [0], "chains": [40]}[of]


# --- objects that refer to themselves ------------------------------------------------------------

def test_an_object_may_refer_to_itself(odd: TestGraph) -> None:
    assert references(odd, "own plan", "own set", "own report", "own image") == {
        ("own plan", "PREDECESSOR_PLAN", "own plan"),
        ("own set", "PREDECESSOR_STRUCTURE_SET", "own set"),
        ("own report", "SR_CONTENT", "own report"),
        ("own image", "REFERENCED_IMAGE", "own image")}
    rows = odd.read(
        "MATCH (:Patient {PatientID: 'selves'})-[:HAS_STUDY]->()-[:HAS_SERIES]->(s:Series)"
        "-[:HAS_INSTANCE]->(i) RETURN i:Missing AS missing, s.internal_roles AS roles, "
        "s.n_unresolved_refs AS unresolved, EXISTS { (s)-[:REFERENCES]->(:Series) } AS loop")
    assert rows == [{"missing": False, "roles": [], "unresolved": 0, "loop": False}] * 4


# --- structure sets ------------------------------------------------------------------------------

def test_rois_with_one_number_are_all_kept(odd: TestGraph) -> None:
    assert parts(odd, "odd set", "ROIName", "ROINumber", "RTROIInterpretedType", "n_contours",
                 "n_points", "n_images", "n_observations") == [
        ("1", "PTV", 1, "PTV", 2, 10, 2, 1),
        ("1.2", "Bladder", 1, None, 0, 0, 0, 0),
        ("2", "Rectum", 2, None, 3, 15, 0, 0),
        ("?4", "Nobody", None, None, 0, 0, 0, 0),
        ("?5", "Odd", None, None, 0, 0, 0, 0)]


def test_what_names_no_roi_is_listed(odd: TestGraph) -> None:
    facts = instance(odd, "odd set")
    assert {k: facts.get(k) for k in (
        "n_rois", "n_rois_with_contours", "duplicate_roi_numbers", "orphan_observations",
        "orphan_contours", "roi_names")} == {
        "n_rois": 5, "n_rois_with_contours": 2, "duplicate_roi_numbers": [1],
        "orphan_observations": [9], "orphan_contours": [8],
        "roi_names": ["PTV", "Bladder", "Rectum", "Nobody", "Odd"]}
    assert odd.one("MATCH (x:Issue {keyword: 'ROINumber'})-[:ABOUT]->(:Series {SeriesInstanceUID: "
                   "$uid}) RETURN x.raw", uid=uid("series of odd set")) == "1.5"


def test_contours_without_images_and_those_of_no_roi(odd: TestGraph) -> None:
    assert references(odd, "odd set", "slice 0", "slice 1") == {
        ("odd set", "CONTOUR_IMAGE", "slice 0"), ("odd set", "CONTOUR_IMAGE", "slice 1")}
    assert odd.read("MATCH (:Instance {SOPInstanceUID: $uid})-[r:REFERENCES]->() "
                    "RETURN r.n AS n ORDER BY n", uid=uid("odd set")) == [{"n": 1}, {"n": 2}]
    # the file states no series for these images, so no ROI is known to be drawn on one
    assert odd.read("MATCH (:Instance {SOPInstanceUID: $uid})-[:HAS_ROI]->()-[r:CONTOURED_ON]->() "
                    "RETURN r", uid=uid("odd set")) == []


def test_an_empty_structure_set(odd: TestGraph) -> None:
    facts = instance(odd, "empty set")
    assert (facts["n_rois"], facts["n_rois_with_contours"], facts["frame_source"]) == (
        0, 0, "MODULE")
    assert parts(odd, "empty set") == []


def test_twenty_thousand_contours(odd: TestGraph) -> None:
    each, by_image = N_CONTOURS // 5, N_CONTOURS // N_IMAGES
    found = parts(odd, "many contours", "n_contours", "n_images", "n_points", "contour_types")
    points = sum(3 + n % 3 for n in range(N_IMAGES)) * (each // N_IMAGES)
    assert found == [(str(n), each, N_IMAGES, points, ["CLOSED_PLANAR"]) for n in range(1, 6)]
    assert odd.read(
        "MATCH (:Instance {SOPInstanceUID: $uid})-[r:REFERENCES]->(b:Missing:CTImage) RETURN "
        "r.role AS role, count(b) AS images, collect(DISTINCT r.n) AS n ORDER BY role",
        uid=uid("many contours")) == [
        {"role": "CONTOUR_IMAGE", "images": N_IMAGES - N_LISTED, "n": [by_image]},
        {"role": "STRUCTURE_SET_IMAGE", "images": N_LISTED, "n": [1]}]
    # the images that only contours name are in no series that is known
    assert odd.read(
        "MATCH (:Instance {SOPInstanceUID: $uid})-[:HAS_ROI]->()-[r:CONTOURED_ON]->(s:Series) "
        "RETURN s.SeriesInstanceUID AS series, r.n_contours AS contours, r.n_images AS images, "
        "count(*) AS rois", uid=uid("many contours")) == [
        {"series": uid("many images"), "contours": each * N_LISTED // N_IMAGES,
         "images": N_LISTED, "rois": 5}]


# --- plans and doses -----------------------------------------------------------------------------

def test_a_plan_without_beams(odd: TestGraph) -> None:
    facts = instance(odd, "no beams")
    assert {k: facts.get(k) for k in (
        "n_beams", "n_treatment_beams", "n_fraction_groups", "n_fractions_planned", "technique",
        "total_mu", "prescription_source", "machines")} == {
        "n_beams": 0, "n_treatment_beams": 0, "n_fraction_groups": 1, "n_fractions_planned": 5,
        "technique": None, "total_mu": None, "prescription_source": "NONE", "machines": []}
    assert parts(odd, "no beams", "unresolved_beam_numbers") == [("F1", [3])]
    assert parts(odd, "empty plan") == []
    assert instance(odd, "empty plan").get("n_fractions_planned") is None


def test_a_dose_without_a_plan(odd: TestGraph) -> None:
    assert references(odd, "sum", "part 1", "part 2") == {
        ("sum", "DOSE_SOURCE", "part 1"), ("sum", "DOSE_SOURCE", "part 2")}
    facts = instance(odd, "sum")
    assert (facts["frame_uid"], facts["frame_source"]) == (uid("dose frame"), "MODULE")
    assert (facts["n_common_refs"], facts["n_refs_not_in_common"]) == (2, 0)
    assert "unresolved_sub_refs" not in facts
    assert odd.read("MATCH (:RTDose {SOPInstanceUID: $uid})-[r:DOSE_OF]->() RETURN r",
                    uid=uid("sum")) == []
    assert odd.one("MATCH (p:Patient {PatientID: 'doses'})-[:HAS_STUDY]->()-[:HAS_SERIES]->()"
                   "-[:HAS_INSTANCE]->(i) RETURN collect(DISTINCT labels(i))") == [
        ["Instance", "RTDose"]]


# --- registrations -------------------------------------------------------------------------------

FIXED, MOVING, THIRD = uid("fixed"), uid("moving"), uid("third")
IMPLICIT = f"image:{uid('unframed image')}"
REGISTRATIONS = [
    # name                    parts: item, side, frame it states        frames they lead from, to
    ("one item",              [("R1", "SOURCE", MOVING)],               {(MOVING, FIXED)}),
    ("three items",           [("R1", "REGISTERED", FIXED), ("R2", "SOURCE", MOVING),
                               ("R3", "SOURCE", THIRD)],
     {(MOVING, FIXED), (THIRD, FIXED)}),
    ("no items",              [],                                       set()),
    ("no sequence",           [],                                       set()),
    ("no deformable items",   [],                                       set()),
    ("no frame",              [("R1", "SOURCE", FIXED), ("R2", "SOURCE", MOVING)], set()),
    # the frame of the images stands for that of the item, when there is one
    ("items without a frame", [(f"R{n}", "SOURCE", None) for n in range(1, 5)],
     {(MOVING, FIXED), (IMPLICIT, FIXED)}),
]


@pytest.mark.parametrize(("name", "items", "edges"), REGISTRATIONS,
                         ids=[r[0] for r in REGISTRATIONS])
def test_registrations(
    odd: TestGraph, name: str, items: list[tuple[str, str, str | None]],
    edges: set[tuple[str, str]],
) -> None:
    assert parts(odd, name, "side", "item_frame_uid") == items
    rows = odd.read(
        "MATCH (a:FrameOfReference)-[r:REGISTERED_TO {reg_uid: $uid}]->(b:FrameOfReference) "
        "RETURN a.FrameOfReferenceUID AS a, b.FrameOfReferenceUID AS b, r.tx AS tx, "
        "r.matrix_type AS kind, r.direction AS direction", uid=uid(name))
    assert {(r["a"], r["b"]) for r in rows} == edges
    assert len(rows) == len(edges)
    assert all((r["tx"], r["kind"], r["direction"]) == (1.0, "RIGID", "SOURCE_TO_REGISTERED")
               for r in rows)


def test_a_registration_without_a_frame_is_in_none(odd: TestGraph) -> None:
    assert odd.read("MATCH (s:Series {SeriesInstanceUID: $uid})-[r:IN_FRAME|SHARES_FOR]-() "
                    "RETURN r", uid=uid("series of no frame")) == []
    assert odd.read("MATCH (:Instance {SOPInstanceUID: $uid})-[:HAS_TRANSFORM]->(t)"
                    "-[r:FROM_FRAME|TO_FRAME]->() RETURN type(r) AS type, count(*) AS n",
                    uid=uid("no frame")) == [{"type": "FROM_FRAME", "n": 2}]


def test_an_image_without_a_frame_stands_for_one(odd: TestGraph) -> None:
    assert odd.read("MATCH (f:FrameOfReference {FrameOfReferenceUID: $uid}) RETURN f.kind AS kind, "
                    "f.share_mode AS mode, f.n_series AS n", uid=IMPLICIT) == [
        {"kind": "IMAGE_IMPLICIT", "mode": "NONE", "n": 0}]


def test_items_apply_to_the_series_of_their_images(odd: TestGraph) -> None:
    rows = odd.read(
        "MATCH (:Instance {SOPInstanceUID: $uid})-[:HAS_TRANSFORM]->(t)-[a:APPLIES_TO]->(s) "
        "RETURN t.item AS item, s.SeriesInstanceUID AS series, a.n_images AS n",
        uid=uid("items without a frame"))
    of = {uid(f"series of {n} image"): n for n in ("moving", "third", "unframed")}
    assert {(r["item"], of[r["series"]], r["n"]) for r in rows} == {
        (1, "moving", 1), (2, "unframed", 1), (4, "moving", 1), (4, "third", 1)}


# --- depth ---------------------------------------------------------------------------------------

def test_ten_sequences_deep(odd: TestGraph) -> None:
    assert odd.read(
        "MATCH (:Segmentation {SOPInstanceUID: $uid})-[r:REFERENCES]->(b:Missing) "
        "RETURN r.role AS role, r.path AS path, b.SOPInstanceUID AS target, b:RTDose AS dose",
        uid=uid("deep")) == [{"role": "OTHER_REFERENCE", "path": ">".join(DEEP),
                              "target": uid("deep target"), "dose": True}]
    assert references(odd, "deep report", "cited deep") == {
        ("deep report", "SR_CONTENT", "cited deep")}


# --- UIDs ----------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "own"), [(u[0], u[1].strip()) for u in ODD_UIDS],
                         ids=[u[0] for u in ODD_UIDS])
def test_an_odd_uid_is_kept_and_found(odd: TestGraph, name: str, own: str) -> None:
    assert odd.read(
        "MATCH (d:RTDose {SOPInstanceUID: $dose})-[r:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan) "
        "MATCH (t)-[:HAS_INSTANCE]->(p), (t)-[:IN_FRAME]->(f)<-[:IN_FRAME]-(s)-[:HAS_INSTANCE]->(d)"
        " RETURN p.SOPInstanceUID AS uid, p:Missing AS missing, t.SeriesInstanceUID AS series, "
        "f.FrameOfReferenceUID AS frame, EXISTS { (s)-[:SHARES_FOR]-(t) } AS shares, "
        "COLLECT { MATCH (d)-[:REFERENCES_SERIES]->(x) RETURN x.SeriesInstanceUID } AS related",
        dose=uid(f"dose of {name}")) == [
        {"uid": own, "missing": False, "series": f"{own}.1", "frame": f"{own}.2", "shares": True,
         "related": [f"{own}.1"]}]


def test_no_odd_uid_is_taken_for_another(odd: TestGraph) -> None:
    assert sorted(odd.one("MATCH (:Instance {SOPInstanceUID: $uid})-[:REFERENCES]->(b:Missing) "
                          "RETURN collect(b.SOPInstanceUID)", uid=uid("dose of others"))
                  ) == sorted(LOOKALIKES)


def test_odd_uids_are_found_by_their_check(odd: TestGraph) -> None:
    report = odd.run(run_checks(odd.store, [c for c in checks() if c.id == "VAL-02"]))
    wrong = [own for name, own, _ in ODD_UIDS if name != "blanks around"]
    assert {(f.subject, f.detail["kind"]) for f in report.results[0].findings} == {
        *((own, "instance") for own in wrong), *((f"{own}.1", "series") for own in wrong),
        *((f"{own}.2", "frame") for own in wrong), ("1.2.ABC.4", "instance"),
        ("1." + "5" * 77, "instance")}


# --- identity ------------------------------------------------------------------------------------

def written(folder: Path, objects: Sequence[tuple[str, Dataset]]) -> Path:
    for path, ds in objects:
        save(ds, folder / path)
    return folder


def found_by_checks(graph: TestGraph, *ids: str) -> set[tuple[str, str | None]]:
    report = graph.run(run_checks(graph.store, [c for c in checks() if c.id in ids]))
    return {(r.check.id, f.subject) for r in report.results for f in r.findings}


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_one_uid_with_other_content(graph: TestGraph, tmp_path: Path, order: str) -> None:
    """The smaller path is the object, whole; nothing of the other file is in it."""
    written(tmp_path, [
        ("a.dcm", put(new("twice", modality="RTPLAN", sop_class=RTPlanStorage, RTPlanLabel="A"),
                      ReferencedStructureSetSequence=[to("set of a", "RTSTRUCT")],
                      BeamSequence=[item(BeamNumber=1)])),
        ("b.dcm", put(new("twice", modality="RTPLAN", sop_class=RTPlanStorage, RTPlanLabel="B",
                          series="series of b"),
                      ReferencedStructureSetSequence=[to("set of b", "RTSTRUCT")],
                      BeamSequence=[item(BeamNumber=1), item(BeamNumber=2)]))])
    for name in order:
        graph.ingest(tmp_path / f"{name}.dcm")
    (row,) = graph.read(
        "MATCH (s:Series)-[:HAS_INSTANCE]->(i:RTPlan)-[:STORED_AS]->(f:File) RETURN "
        "i.SOPInstanceUID AS uid, i.RTPlanLabel AS label, i.n_beams AS n, i.file_path AS path, "
        "s.SeriesInstanceUID AS series, f.path AS copy, f.status AS status, f.differs AS differs, "
        "f.series_uid AS series_of_copy, i.header_digest <> f.header_digest AS digests")
    assert {k: v for k, v in row.items() if k not in ("path", "copy")} == {
        "uid": uid("twice"), "label": "A", "n": 1, "series": uid("series"), "status": "COPY",
        "differs": True, "series_of_copy": uid("series of b"), "digests": True}
    assert (row["path"].rpartition("/")[2].rpartition(":")[2],
            row["copy"].rpartition("/")[2].rpartition(":")[2]) == ("a.dcm", "b.dcm")
    assert graph.one("MATCH (b:Missing) RETURN collect(b.SOPInstanceUID)") == [uid("set of a")]
    assert graph.one("MATCH (b:Beam) RETURN collect(b.key)") == [f"{uid('twice')}#B1"]
    assert found_by_checks(graph, "HIE-03", "HIE-04") == {
        ("HIE-03", uid("twice")), ("HIE-04", uid("twice"))}


def test_a_study_under_two_patients_is_kept_under_both(graph: TestGraph, tmp_path: Path) -> None:
    written(tmp_path, [
        ("a.dcm", new("image a", patient="PAT-1", series="series a", frame="frame")),
        ("b.dcm", new("image b", patient="PAT-2", series="series b", frame="frame"))])
    graph.ingest(tmp_path)
    assert graph.read("MATCH (p:Patient)-[:HAS_STUDY]->(t:Study) WITH t, p.PatientID AS id "
                      "ORDER BY id RETURN t.StudyInstanceUID AS study, collect(id) AS ids, "
                      "t.n_series AS n") == [
        {"study": uid("study"), "ids": ["PAT-1", "PAT-2"], "n": 2}]
    assert found_by_checks(graph, "HIE-01", "HIE-02", "FOR-05") == {("HIE-02", uid("study"))}
    assert graph.one("MATCH (f:FrameOfReference) RETURN f.share_mode + ' ' + f.n_patients"
                     ) == "NONE 2"


def test_a_series_under_two_patients_is_kept_under_both(graph: TestGraph, tmp_path: Path) -> None:
    written(tmp_path, [
        ("a.dcm", new("image a", patient="PAT-1", study="study a")),
        ("b.dcm", new("image b", patient="PAT-2", study="study b"))])
    graph.ingest(tmp_path)
    assert graph.read(
        "MATCH (p:Patient)-[:HAS_STUDY]->(t)-[:HAS_SERIES]->(s:Series) RETURN p.PatientID AS id, "
        "t.StudyInstanceUID AS study, s.SeriesInstanceUID AS series, s.n_instances AS n "
        "ORDER BY id") == [
        {"id": "PAT-1", "study": uid("study a"), "series": uid("series"), "n": 2},
        {"id": "PAT-2", "study": uid("study b"), "series": uid("series"), "n": 2}]
    assert found_by_checks(graph, "HIE-01", "HIE-02") == {("HIE-01", uid("series"))}


PATIENTS = [
    # name                            PatientID, IssuerOfPatientID of two objects    patients
    ("equal",                         [("A1", None), ("A1", None)],                  1),
    ("blanks around",                 [("A1", None), (" A1 ", None)],                1),
    ("other case",                    [("A1", None), ("a1", None)],                  2),
    ("two issuers",                   [("A1", "X"), ("A1", "Y")],                    2),
    ("issuer of one only",            [("A1", "X"), ("A1", None)],                   2),
    ("leading zero",                  [("1", None), ("01", None)],                   2),
    ("none, in one study",            [("", None), ("", None)],                      1),
]


@pytest.mark.parametrize(("ids", "n"), [c[1:] for c in PATIENTS], ids=[c[0] for c in PATIENTS])
def test_patients_are_told_apart_by_id_and_issuer(
    graph: TestGraph, tmp_path: Path, ids: list[tuple[str, str | None]], n: int
) -> None:
    for at, (patient, issuer) in enumerate(ids):
        ds = put(new(f"image {at}", series=f"series {at}"), PatientID=patient)
        save(put(ds, IssuerOfPatientID=issuer) if issuer else ds, tmp_path / f"{at}.dcm")
    graph.ingest(tmp_path)
    assert graph.one("MATCH (p:Patient) RETURN count(p)") == n
    assert graph.one("MATCH (:Patient)-[:HAS_STUDY]->(t) RETURN count(DISTINCT t)") == 1
