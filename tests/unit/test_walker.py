"""References found by the walk along the table: one data set a case, and one for every row.

Objects are written and read again, so that the walk meets them as it does in a file. UIDs are
short words here: the walk keeps any text.
"""

import json
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom import uid as uids
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

import rtgraph
from rtgraph.ingest.headscan import scan
from rtgraph.ingest.items import Item
from rtgraph.ingest.plan import plan
from rtgraph.ingest.records import Target
from rtgraph.ingest.walker import References, is_stored, walk
from tests.data.items import code, item, private_sequence, ref

CT, STRUCT, PLAN = (str(u) for u in (
    uids.CTImageStorage, uids.RTStructureSetStorage, uids.RTPlanStorage))
DOSE, RECORD, REG, SEG, SR, KO = (str(u) for u in (
    uids.RTDoseStorage, uids.RTBeamsTreatmentRecordStorage, uids.SpatialRegistrationStorage,
    uids.SegmentationStorage, uids.ComprehensiveSRStorage, uids.KeyObjectSelectionDocumentStorage))
PRESENTATION = str(uids.GrayscaleSoftcopyPresentationStateStorage)
PRIVATE_CLASS = "1.3.12.2.1107.5.9.1"
STUDY_MANAGEMENT, PERFORMED_STEP = "1.2.840.10008.3.1.2.3.1", "1.2.840.10008.3.1.2.3.3"
WORKLIST_STEP, PRINT_SESSION = "1.2.840.10008.5.1.4.34.6.1", "1.2.840.10008.5.1.1.1"
PATHS: list[dict[str, Any]] = json.loads(
    (Path(rtgraph.__file__).parent / "graphmodel/references.json").read_text("utf-8"))["paths"]


def encoded(ds: Dataset, implicit: bool = True) -> bytes:
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = implicit, True
    write_dataset(stream, ds)
    return stream.getvalue()


def decoded(raw: bytes, implicit: bool = True) -> Item:
    """The data set as a scan finds it."""
    return scan(raw, 0, plan(), implicit=implicit).item


def from_file(ds: Dataset, implicit: bool = True) -> Item:
    return decoded(encoded(ds, implicit), implicit)


def found(ds: Dataset, sop_class: str) -> References:
    return walk(from_file(ds), sop_class)


def facts(targets: Iterable[Target]) -> list[tuple[str, str, str, int]]:
    return [(t.edge.removeprefix("REFERENCES"), t.role, t.uid, t.n) for t in targets]


# --- objects by family ---------------------------------------------------------------------------

def structure_set(listed: Sequence[Dataset], contours: Sequence[Dataset]) -> Dataset:
    images = item(SeriesInstanceUID="series", ContourImageSequence=list(listed))
    study = ref("study", STUDY_MANAGEMENT, RTReferencedSeriesSequence=[images])
    return item(
        FrameOfReferenceUID="module frame",
        ReferencedFrameOfReferenceSequence=[
            item(FrameOfReferenceUID="frame", RTReferencedStudySequence=[study])],
        StructureSetROISequence=[item(ROINumber=1, ReferencedFrameOfReferenceUID="roi frame")],
        ROIContourSequence=[item(ReferencedROINumber=1, ContourSequence=[
            item(ContourImageSequence=[contour], ContourData=["1", "2", "3"])
            for contour in contours])],
    )


OBJECTS: list[tuple[str, str, Dataset, list[tuple[str, str, str, int]], dict[str, str]]] = [
    # name, SOP class, data set, references as (edge, role, target, n), series of targets
    ("structure set", STRUCT, structure_set([ref("a"), ref("b")], [ref("a"), ref("a"), ref("b")]), [
        ("", "STRUCTURE_SET_IMAGE", "a", 1),
        ("", "STRUCTURE_SET_IMAGE", "b", 1),
        ("_FRAME", "STRUCTURE_SET_FRAME", "frame", 1),
        ("_SERIES", "STRUCTURE_SET_SERIES", "series", 1),
        ("_STUDY", "STRUCTURE_SET_STUDY", "study", 1),
    ], {"a": "series", "b": "series"}),
    ("contour images that are not listed", STRUCT,
     structure_set([ref("a")], [ref("c"), ref("a"), ref("c"), ref("d")]), [
         ("", "CONTOUR_IMAGE", "c", 2),
         ("", "CONTOUR_IMAGE", "d", 1),
         ("", "STRUCTURE_SET_IMAGE", "a", 1),
         ("_FRAME", "STRUCTURE_SET_FRAME", "frame", 1),
         ("_SERIES", "STRUCTURE_SET_SERIES", "series", 1),
         ("_STUDY", "STRUCTURE_SET_STUDY", "study", 1),
     ], {"a": "series"}),
    ("plan", PLAN, item(
        ReferencedStructureSetSequence=[ref("set", STRUCT)],
        ReferencedDoseSequence=[ref("dose", DOSE)],
        PatientSetupSequence=[item(ReferencedSetupImageSequence=[ref("setup")])],
        FractionGroupSequence=[item(ReferencedDoseSequence=[ref("group dose", DOSE)])],
        BeamSequence=[
            item(ReferencedReferenceImageSequence=[ref("drr", uids.RTImageStorage)],
                 ReferencedDoseSequence=[ref("beam dose", DOSE)]),
            item(ReferencedReferenceImageSequence=[ref("drr", uids.RTImageStorage)])],
    ), [
        ("", "BEAM_DOSE", "beam dose", 1),
        ("", "BEAM_REFERENCE_IMAGE", "drr", 2),
        ("", "FRACTION_GROUP_DOSE", "group dose", 1),
        ("", "PLAN_DOSE", "dose", 1),
        ("", "PLAN_STRUCTURE_SET", "set", 1),
        ("", "SETUP_REFERENCE_IMAGE", "setup", 1),
    ], {}),
    ("dose", DOSE, item(
        ReferencedRTPlanSequence=[ref("plan", PLAN), ref("other plan", PLAN)],
        ReferencedStructureSetSequence=[ref("set", STRUCT)],
        ReferencedTreatmentRecordSequence=[ref("record", RECORD)],
        ReferencedInstanceSequence=[ref("part", DOSE)],
        ReferencedSpatialRegistrationSequence=[ref("reg", REG)],
    ), [
        ("", "DOSE_PLAN", "other plan", 1),
        ("", "DOSE_PLAN", "plan", 1),
        ("", "DOSE_RECORD", "record", 1),
        ("", "DOSE_REGISTRATION", "reg", 1),
        ("", "DOSE_SOURCE", "part", 1),
        ("", "DVH_STRUCTURE_SET", "set", 1),
    ], {}),
    ("record", RECORD, item(
        ReferencedRTPlanSequence=[ref("plan", PLAN)],
        ReferencedTreatmentRecordSequence=[ref("record", RECORD)],
        TreatmentSessionBeamSequence=[
            item(ReferencedVerificationImageSequence=[ref("portal", uids.RTImageStorage)])],
    ), [
        ("", "RECORD_PLAN", "plan", 1),
        ("", "RELATED_RECORD", "record", 1),
        ("", "VERIFICATION_IMAGE", "portal", 1),
    ], {}),
    ("registration", REG, item(
        RegistrationSequence=[
            item(FrameOfReferenceUID="fixed", ReferencedImageSequence=[ref("a")]),
            item(FrameOfReferenceUID="moving", ReferencedImageSequence=[ref("b"), ref("c")])],
        ReferencedSeriesSequence=[
            item(SeriesInstanceUID="fixed series", ReferencedInstanceSequence=[ref("a")])],
        StudiesContainingOtherReferencedInstancesSequence=[item(
            StudyInstanceUID="other study", ReferencedSeriesSequence=[item(
                SeriesInstanceUID="moving series",
                ReferencedInstanceSequence=[ref("b"), ref("c")])])],
    ), [
        ("", "REGISTRATION_IMAGE", "a", 1),
        ("", "REGISTRATION_IMAGE", "b", 1),
        ("", "REGISTRATION_IMAGE", "c", 1),
        ("_FRAME", "REGISTRATION_FRAME", "fixed", 1),
        ("_FRAME", "REGISTRATION_FRAME", "moving", 1),
    ], {"a": "fixed series", "b": "moving series", "c": "moving series"}),
    ("segmentation", SEG, item(
        PerFrameFunctionalGroupsSequence=[
            item(DerivationImageSequence=[item(SourceImageSequence=[ref(uid)])])
            for uid in ("a", "a", "b")],
        SegmentSequence=[item(DefinitionSourceSequence=[ref("set", STRUCT)])],
        SharedFunctionalGroupsSequence=[item(ReferencedImageSequence=[ref("not foreseen")])],
    ), [
        ("", "DERIVED_FROM_IMAGE", "a", 2),
        ("", "DERIVED_FROM_IMAGE", "b", 1),
        ("", "OTHER_REFERENCE", "not foreseen", 1),
        ("", "SEGMENT_DEFINITION_SOURCE", "set", 1),
    ], {}),
    ("report with items four deep", SR, item(
        ContentSequence=[item(ContentSequence=[item(ContentSequence=[item(ContentSequence=[
            item(ValueType="IMAGE", ReferencedSOPSequence=[
                ref("a", ReferencedSOPSequence=[ref("state", PRESENTATION)])]),
            item(ValueType="UIDREF", UID="series",
                 ConceptNameCodeSequence=[code("112002")]),
            item(ValueType="UIDREF", UID="event",
                 ConceptNameCodeSequence=[code("113769")]),
            item(ValueType="UIDREF", UID="unknown",
                 ConceptNameCodeSequence=[code("999999")]),
        ])])])],
        CurrentRequestedProcedureEvidenceSequence=[item(
            StudyInstanceUID="study", ReferencedSeriesSequence=[item(
                SeriesInstanceUID="image series", ReferencedSOPSequence=[ref("a")])])],
    ), [
        ("", "SR_CONTENT", "a", 1),
        ("", "SR_PRESENTATION_STATE", "state", 1),
        ("_SERIES", "SR_SERIES", "series", 1),
    ], {"a": "image series"}),
    ("key object selection", KO, item(ContentSequence=[item(ReferencedSOPSequence=[ref("a")])]),
     [("", "KEY_OBJECT", "a", 1)], {}),
    ("image", CT, item(
        ReferencedImageSequence=[ref("localizer")],
        SourceImageSequence=[ref("source")],
        ReferencedStudySequence=[ref("other study", STUDY_MANAGEMENT)],
        ReferencedPerformedProcedureStepSequence=[ref("step", PERFORMED_STEP)],
    ), [
        ("", "REFERENCED_IMAGE", "localizer", 1),
        ("", "SOURCE_IMAGE", "source", 1),
    ], {}),
    ("private class", PRIVATE_CLASS, item(
        ReferencedFrameOfReferenceSequence=[item(
            FrameOfReferenceUID="frame", RTReferencedStudySequence=[ref("study", PRIVATE_CLASS)])],
        ReferencedRTPlanSequence=[ref("plan", PLAN)],
    ), [
        ("", "OTHER_REFERENCE", "plan", 1),
        ("_FRAME", "STRUCTURE_SET_FRAME", "frame", 1),
        ("_STUDY", "STRUCTURE_SET_STUDY", "study", 1),
    ], {}),
    ("no class", "", item(ReferencedRTPlanSequence=[ref("plan", PLAN)]),
     [("", "OTHER_REFERENCE", "plan", 1)], {}),
    ("nothing", PLAN, item(PatientID="x"), [], {}),
]


@pytest.mark.parametrize(
    ("sop_class", "ds", "wanted", "placements"),
    [pytest.param(*c[1:], id=c[0]) for c in OBJECTS])
def test_references(
    sop_class: str, ds: Dataset, wanted: list[tuple[str, str, str, int]],
    placements: dict[str, str],
) -> None:
    for implicit in (True, False):
        result = walk(from_file(ds, implicit), sop_class)
        assert facts(result.targets) == wanted
        assert result.placements == {uid: (series,) for uid, series in placements.items()}


def test_a_target_that_is_stated_in_two_series_has_both() -> None:
    listed = structure_set([ref("a")], [])
    study = listed.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    study.RTReferencedSeriesSequence.append(
        item(SeriesInstanceUID="another", ContourImageSequence=[ref("a")]))
    assert found(listed, STRUCT).placements == {"a": ("another", "series")}


RELATIONSHIPS = [
    # written in the item     role                  kept value
    ("PRIOR",                 "PRIOR_PLAN",         "PRIOR"),
    ("ALTERNATIVE",           "ALTERNATIVE_PLAN",   "ALTERNATIVE"),
    ("PREDECESSOR",           "PREDECESSOR_PLAN",   "PREDECESSOR"),
    ("VERIFIED_PLAN",         "VERIFIED_PLAN",      "VERIFIED_PLAN"),
    ("CONCURRENT",            "CONCURRENT_PLAN",    "CONCURRENT"),
    ("prior ",                "PRIOR_PLAN",         "PRIOR"),
    ("SOMETHING",             "RELATED_PLAN",       "SOMETHING"),
    ("other",                 "RELATED_PLAN",       "OTHER"),
    ("",                      "RELATED_PLAN",       None),
    (None,                    "RELATED_PLAN",       None),
]


@pytest.mark.parametrize(("written", "role", "kept"), RELATIONSHIPS,
                         ids=[str(c[0]) for c in RELATIONSHIPS])
def test_relationship_refines_the_role(written: str | None, role: str, kept: str | None) -> None:
    more = {} if written is None else {"RTPlanRelationship": written}
    (target,) = found(item(ReferencedRTPlanSequence=[ref("x", PLAN, **more)]), PLAN).targets
    assert (target.role, target.path_id) == (role, "RELATED_PLAN")
    assert dict(target.qualifiers).get("relationship") == kept


CLASSES = [
    # name                  SOP class                       is archived
    ("CT",                  CT,                             True),
    ("private",             PRIVATE_CLASS,                  True),
    ("delivery instruction", "1.2.840.10008.5.1.4.34.7",    True),
    ("brachy instruction",  "1.2.840.10008.5.1.4.34.10",    True),
    ("hanging protocol",    "1.2.840.10008.5.1.4.38.1",     True),
    ("study management",    STUDY_MANAGEMENT,               False),
    ("performed step",      PERFORMED_STEP,                 False),
    ("worklist step",       WORKLIST_STEP,                  False),
    ("print session",       PRINT_SESSION,                  False),
    ("patient management",  "1.2.840.10008.3.1.2.1.1",      False),
]


@pytest.mark.parametrize(("sop_class", "stored"), [c[1:] for c in CLASSES],
                         ids=[c[0] for c in CLASSES])
def test_only_archived_classes_make_edges(sop_class: str, stored: bool) -> None:
    ds = item(ReferencedRTPlanSequence=[ref("known", sop_class)],
              ReferencedWaveformSequence=[ref("unknown path", sop_class)])
    assert is_stored(sop_class) is stored
    made = {t.uid for t in found(ds, DOSE).targets}
    assert made == ({"known", "unknown path"} if stored else set())


# --- what the table does not know ----------------------------------------------------------------

def test_a_private_sequence_makes_an_other_reference_with_its_path() -> None:
    ds = private_sequence([item(BeamSequence=[ref("a", ReferencedFrameNumber=[2, 1])]), ref("b")])
    a, b = walk(from_file(ds, implicit=False), PLAN).targets
    assert a == Target("REFERENCES", "OTHER_REFERENCE", "a", "FALLBACK_INSTANCE", CT,
                       qualifiers=(("frames", (2, 1)), ("path", "(3287,1002)>BeamSequence")))
    assert (b.uid, b.role, b.qualifiers) == ("b", "OTHER_REFERENCE", (("path", "(3287,1002)"),))


def test_equal_other_references_keep_all_their_paths() -> None:
    ds = item(ReferencedWaveformSequence=[ref("a")], PertinentOtherEvidenceSequence=[ref("a")])
    (target,) = found(ds, PLAN).targets
    assert target.n == 2
    assert target.qualifiers == (
        ("path", "PertinentOtherEvidenceSequence|ReferencedWaveformSequence"),)


def test_an_unknown_series_is_referred_to_as_a_series() -> None:
    ds = item(SeriesInstanceUID="own", SourceSequence=[], ReferencedWaveformSequence=[
        item(SeriesInstanceUID="series")])
    (target,) = found(ds, PLAN).targets
    assert (target.edge, target.role, target.uid, target.path_id) == (
        "REFERENCES_SERIES", "OTHER_SERIES_REFERENCE", "series", "FALLBACK_SERIES")


def test_a_sequence_of_unknown_representation_is_walked() -> None:
    """A public sequence with VR UN holds its items in implicit VR (PS3.5 6.2.2)."""
    value = encoded(item(ReferencedRTPlanSequence=[ref("plan", PLAN)]))[8:]
    head = struct.pack("<HH2sHL", 0x300C, 0x0002, b"UN", 0, len(value))
    header = decoded(head + value, implicit=False)
    assert facts(walk(header, DOSE).targets) == [("", "DOSE_PLAN", "plan", 1)]


# --- merged items --------------------------------------------------------------------------------

def test_equal_targets_are_one_with_all_qualifiers() -> None:
    ds = item(SourceImageSequence=[
        ref("a", ReferencedFrameNumber=[3, 1],
            PurposeOfReferenceCodeSequence=[code("121322")]),
        ref("a", "9.9", ReferencedFrameNumber=2, ReferencedSegmentNumber=[7, 5],
            PurposeOfReferenceCodeSequence=[code("121324")]),
        ref("a", ReferencedSegmentNumber=5,
            PurposeOfReferenceCodeSequence=[code("121322")]),
    ])
    assert found(ds, CT).targets == [Target(
        "REFERENCES", "SOURCE_IMAGE", "a", "SOURCE_IMAGE", CT, n=3, qualifiers=(
            ("frames", (1, 2, 3)), ("segments", (5, 7)),
            ("purpose", ("DCM^121322", "DCM^121324"))))]


def test_one_target_in_two_roles_is_two_references() -> None:
    ds = item(SourceImageSequence=[ref("a")], ReferencedImageSequence=[ref("a")])
    assert [t.role for t in found(ds, CT).targets] == ["REFERENCED_IMAGE", "SOURCE_IMAGE"]


def test_odd_uids_are_kept_and_empty_ones_make_nothing() -> None:
    ds = item(ReferencedRTPlanSequence=[ref(" 1.02 "), ref(""), item(), item(PatientID="x")])
    assert [t.uid for t in found(ds, DOSE).targets] == ["1.02"]


# --- the order of items --------------------------------------------------------------------------

QUALIFIERS = st.fixed_dictionaries({}, optional={
    "ReferencedFrameNumber": st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True),
    "ReferencedSegmentNumber": st.integers(1, 3),
    "PurposeOfReferenceCodeSequence": st.sampled_from(
        [[code("1")], [code("2")]]),
})


@st.composite
def image_items(draw: st.DrawFn) -> list[Dataset]:
    """Items that name few targets, so that many are equal; a target has one series."""
    names = draw(st.lists(st.sampled_from("abc"), max_size=6))
    return [ref(n, draw(st.sampled_from([CT, "9.9"])), **draw(QUALIFIERS)) for n in names]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(image_items(), image_items(), st.randoms(use_true_random=False))
def test_the_order_of_items_changes_nothing(
    listed: list[Dataset], contours: list[Dataset], random: Any
) -> None:
    first = found(structure_set(listed, contours), STRUCT)
    random.shuffle(listed)
    random.shuffle(contours)
    again = found(structure_set(listed, contours), STRUCT)
    assert [sorted_lists(t) for t in first.targets] == [sorted_lists(t) for t in again.targets]
    assert first.placements == again.placements


def sorted_lists(target: Target) -> Target:
    """Numbers of a target that stands once keep the order of the file."""
    return replace(target, qualifiers=tuple(
        (name, tuple(sorted(value)) if isinstance(value, tuple) else value)
        for name, value in target.qualifiers))


def plans(items: list[Dataset]) -> Dataset:
    return item(ReferencedRTPlanSequence=items)


def all_series(items: list[Dataset]) -> Dataset:
    return item(ReferencedSeriesSequence=items)


CONFLICTS: list[tuple[str, str, Callable[[list[Dataset]], Dataset], list[Dataset]]] = [
    # name, SOP class, data set with the items, items that disagree about one target
    ("relationship", PLAN, plans, [
        ref("x", PLAN, RTPlanRelationship="ONE"), ref("x", PLAN, RTPlanRelationship="TWO"),
        ref("x", PLAN)]),
    ("series", REG, all_series, [
        item(SeriesInstanceUID="one", ReferencedInstanceSequence=[ref("x")]),
        item(SeriesInstanceUID="two", ReferencedInstanceSequence=[ref("x")])]),
    ("path", PLAN, private_sequence, [
        item(BeamSequence=[ref("x")]), item(DoseReferenceSequence=[ref("x")])]),
]


@pytest.mark.parametrize(
    ("sop_class", "build", "items"),
    [pytest.param(*c[1:], id=c[0]) for c in CONFLICTS])
def test_conflicting_items_give_the_same_in_either_order(
    sop_class: str, build: Callable[[list[Dataset]], Dataset], items: list[Dataset]
) -> None:
    assert found(build(items), sop_class) == found(build(items[::-1]), sop_class)


# --- every row of the table ----------------------------------------------------------------------

EDGES = {"REFERENCES", "REFERENCES_SERIES", "REFERENCES_STUDY", "REFERENCES_FRAME"}
# Rows for any path: the two fallbacks have their own tests above.
NOT_EXERCISED = {"FALLBACK_INSTANCE", "FALLBACK_SERIES"}
ROWS = [p for p in PATHS if p["edge"] in EDGES and p["source_sop_classes"]]


def holding(row: dict[str, Any], uid: str) -> Dataset:
    """A data set with exactly this path."""
    path = [step for name in row["path"] for step in (
        ["ContentSequence", "ContentSequence"] if name == "ContentSequence*" else [name])]
    ds = item(**{path[-1]: uid})
    if path[-1] == "ReferencedSOPInstanceUID":
        ds.ReferencedSOPClassUID = CT
    if row["id"].startswith("SR_UIDREF."):
        concept = row["id"].removeprefix("SR_UIDREF.")
        ds.ConceptNameCodeSequence = [code(concept)]
    for step in path[-2::-1]:
        ds = item(**{step: [ds]})
    return ds


def test_the_rows_that_are_not_exercised_are_known() -> None:
    assert {p["id"] for p in PATHS if p["edge"] in EDGES} - {p["id"] for p in ROWS} == NOT_EXERCISED
    assert len(ROWS) == sum(p["edge"] in EDGES for p in PATHS) - len(NOT_EXERCISED)


@pytest.mark.parametrize("row", ROWS, ids=[p["id"] for p in ROWS])
def test_a_row_makes_its_reference(row: dict[str, Any]) -> None:
    header = from_file(holding(row, "1.2.3"))
    for sop_class in {row["source_sop_classes"][0], row["source_sop_classes"][-1]}:
        (target,) = walk(header, sop_class).targets
        assert (target.edge, target.role, target.uid, target.path_id) == (
            row["edge"], row["role"], "1.2.3", row["id"])


# --- shared UIDs ---------------------------------------------------------------------------------

SHARED = [p for p in PATHS if p["missing"] == "hub_node"]
OF_OBJECTS = [p for p in SHARED if p["from"] in ("instance", "series", "by_source")]
# Parts state these: they are read with the part.
OF_PARTS = {"roi", "segment", "dose_reference"}


def test_every_shared_uid_starts_at_an_object_or_a_part() -> None:
    assert {p["from"] for p in SHARED} - {p["from"] for p in OF_OBJECTS} == OF_PARTS


@pytest.mark.parametrize("row", OF_OBJECTS, ids=[p["id"] for p in OF_OBJECTS])
def test_a_row_makes_its_link(row: dict[str, Any]) -> None:
    header = from_file(holding(row, "1.2.3"))
    for sop_class in {row["source_sop_classes"][0], row["source_sop_classes"][-1]}:
        result = walk(header, sop_class)
        (link,) = result.links
        assert (link.type, link.source, link.target) == (row["edge"], "", "1.2.3")
        assert link.target_label.lower() == {
            "synchronization_frame": "syncframe"}.get(
                row["target_level"], row["target_level"].replace("_", ""))
        assert dict(link.values).get("role") == (
            row["role"] if row["edge"] in ("STATES_UID", "PART_OF_STEP") else None)
        assert [t.edge for t in result.targets if t.uid == "1.2.3"] == []


def test_every_value_of_a_shared_uid_is_a_link() -> None:
    ds = item(IrradiationEventUID=["1.2", " 1.3 ", "1.2"])
    assert [link.target for link in found(ds, CT).links] == ["1.2", "1.3"]


# --- qualifiers of enclosing items, and of what stands below -------------------------------------

def groups(*beams: int) -> list[Dataset]:
    return [item(ReferencedFractionGroupNumber=2, ReferencedBeamSequence=[
        item(ReferencedBeamNumber=b) for b in beams])]


QUALIFIED = [
    # name, SOP class, data set, role, qualifiers
    ("beams of a dose", DOSE, item(DoseSummationType="BEAM", ReferencedRTPlanSequence=[
        ref("x", PLAN, ReferencedFractionGroupSequence=groups(4, 3))]), "DOSE_PLAN",
     {"beam_numbers": (4, 3), "fraction_groups": (2,), "summation": "BEAM"}),
    ("control points", DOSE, item(ReferencedRTPlanSequence=[
        ref("x", PLAN, ReferencedFractionGroupSequence=[item(ReferencedBeamSequence=[
            item(ReferencedBeamNumber=1, ReferencedControlPointSequence=[item(
                ReferencedStartControlPointIndex=2, ReferencedStopControlPointIndex=3)])])])]),
     "DOSE_PLAN", {"beam_numbers": (1,), "control_points": (2, 3)}),
    ("dose of a beam", PLAN, item(BeamSequence=[
        item(BeamNumber=7, ReferencedDoseSequence=[ref("x", DOSE)])]), "BEAM_DOSE",
     {"beam_numbers": (7,)}),
    ("dose of a control point", PLAN, item(BeamSequence=[item(BeamNumber=7, ControlPointSequence=[
        item(ReferencedDoseSequence=[ref("x", DOSE)])])]), "CONTROL_POINT_DOSE",
     {"beam_numbers": (7,)}),
    ("image of a beam", str(uids.RTImageStorage), item(
        ReferencedBeamNumber=3, ReferencedFractionGroupNumber=1,
        ReferencedRTPlanSequence=[ref("x", PLAN)]), "RTIMAGE_PLAN",
     {"beam_numbers": (3,), "fraction_groups": (1,)}),
    ("verification of a beam", RECORD, item(TreatmentSessionBeamSequence=[
        item(ReferencedBeamNumber=5, ReferencedVerificationImageSequence=[
            ref("x", uids.RTImageStorage)])]), "VERIFICATION_IMAGE", {"beam_numbers": (5,)}),
    ("fixed and moving", REG, item(FrameOfReferenceUID="fixed", RegistrationSequence=[
        item(FrameOfReferenceUID="moving", ReferencedImageSequence=[ref("x")]),
        item(FrameOfReferenceUID="fixed", ReferencedImageSequence=[ref("y")])]),
     "REGISTRATION_IMAGE", {"items": (1,), "side": "SOURCE"}),
    ("derivation", SEG, item(PerFrameFunctionalGroupsSequence=[item(DerivationImageSequence=[
        item(DerivationCodeSequence=[code("113076")], SourceImageSequence=[
            ref("x", PurposeOfReferenceCodeSequence=[code("121322")])])])]),
     "DERIVED_FROM_IMAGE", {"purpose": ("DCM^121322",), "derivation": ("DCM^113076",)}),
    ("concept of a content item", SR, item(ContentSequence=[item(
        ConceptNameCodeSequence=[code("121191")], ReferencedSOPSequence=[
            ref("x", SEG, ReferencedSegmentNumber=[2])])]), "SR_CONTENT",
     {"segments": (2,), "concept": ("DCM^121191",)}),
    ("evidence that is cited", SR, item(
        ContentSequence=[item(ReferencedSOPSequence=[ref("x")])],
        CurrentRequestedProcedureEvidenceSequence=[item(ReferencedSeriesSequence=[
            item(SeriesInstanceUID="s", ReferencedSOPSequence=[ref("x")])])]),
     "SR_CONTENT", {"in_evidence": True}),
    ("part of another set", STRUCT, item(StructureSetROISequence=[item(
        ROINumber=1, DefinitionSourceSequence=[ref("x", SEG, ReferencedSegmentNumber=[4])])]),
     "ROI_DEFINITION_SOURCE", {"segments": (4,)}),
    ("ROI of a registration", REG, item(RegistrationSequence=[item(UsedRTStructureSetROISequence=[
        ref("x", STRUCT, ReferencedROINumber=9)])]), "REGISTRATION_ROI",
     {"roi_numbers": (9,), "items": (1,), "side": "SOURCE"}),
]


@pytest.mark.parametrize(
    ("sop_class", "ds", "role", "wanted"), [pytest.param(*c[1:], id=c[0]) for c in QUALIFIED])
def test_qualifiers(sop_class: str, ds: Dataset, role: str, wanted: dict[str, object]) -> None:
    (target,) = [t for t in found(ds, sop_class).targets if t.uid == "x"]
    assert target.role == role
    assert dict(target.qualifiers) == wanted


# --- the Common Instance Reference ---------------------------------------------------------------

def test_what_only_the_index_names_is_an_other_reference() -> None:
    ds = item(SOPInstanceUID="self", ReferencedRTPlanSequence=[ref("plan", PLAN)],
              ReferencedSeriesSequence=[item(SeriesInstanceUID="s", ReferencedInstanceSequence=[
                  ref("plan", PLAN), ref("alone", STRUCT), ref("self", DOSE)])])
    result = found(ds, DOSE)
    assert result.common == frozenset({"plan", "alone"})
    assert {(t.role, t.uid) for t in result.targets} == {
        ("DOSE_PLAN", "plan"), ("OTHER_REFERENCE", "alone")}
    (alone,) = [t for t in result.targets if t.uid == "alone"]
    assert alone.stated_sop_class == STRUCT
    assert dict(alone.qualifiers) == {
        "path": "ReferencedSeriesSequence>ReferencedInstanceSequence"}
    assert result.placements == {"plan": ("s",), "alone": ("s",), "self": ("s",)}


def test_without_an_index_there_is_nothing_to_compare() -> None:
    assert found(item(ReferencedRTPlanSequence=[ref("plan", PLAN)]), DOSE).common is None
