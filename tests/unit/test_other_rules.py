"""Records, RT Images, segments, reports, prescriptions; and that no rule raises on any header."""

from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import uid as uids
from pydicom.datadict import dictionary_VR
from pydicom.uid import RTPhysicianIntentStorage, RTRadiationSetStorage

from rtgraph.graphmodel.families import FAMILIES, STORAGE
from rtgraph.graphmodel.parts import PARTS
from rtgraph.ingest.families import NEEDED
from tests.data import scans
from tests.data.items import code, item
from tests.data.rt import IMAGE, RECORD, SEG, SR, facts, links, made, parts, read
from tests.data.scans import Element

ION_RECORD, BRACHY_RECORD, DOCUMENT, KEY_OBJECT, INTENT, RADIATION_SET = map(str, (
    uids.RTIonBeamsTreatmentRecordStorage, uids.RTBrachyTreatmentRecordStorage,
    uids.EncapsulatedPDFStorage, uids.KeyObjectSelectionDocumentStorage,
    RTPhysicianIntentStorage, RTRadiationSetStorage))


# --- delivery ------------------------------------------------------------------------------------

KINDS = [
    # name                   kind         ImageType
    ("DRR",                  "DRR",       ["DERIVED", "SECONDARY", "DRR"]),
    ("portal, of four",      "PORTAL",    ["ORIGINAL", "PRIMARY", "PORTAL", "ACQUIRED_DOSE"]),
    ("lower case",           "DRR",       b"DERIVED\\SECONDARY\\drr "),
    ("two values",           None,        ["ORIGINAL", "PRIMARY"]),
    ("third value empty",    None,        b"ORIGINAL\\PRIMARY\\\\X"),
    ("not stated",           None,        None),
]


@pytest.mark.parametrize(("expected", "kinds"), [k[1:] for k in KINDS], ids=[k[0] for k in KINDS])
def test_kind_of_an_rt_image(expected: str | None, kinds: object) -> None:
    assert facts(made(IMAGE, ImageType=kinds)).get("image_kind") == expected


SESSIONS: list[tuple[str, str, str, dict[str, Any]]] = [
    # name            class          sequence                                     what it names
    ("beams",         RECORD,        "TreatmentSessionBeamSequence",
     {"ReferencedBeamNumber": 2}),
    ("ion beams",     ION_RECORD,    "TreatmentSessionIonBeamSequence",
     {"ReferencedBeamNumber": 2}),
    ("brachytherapy", BRACHY_RECORD, "TreatmentSessionApplicationSetupSequence",
     {"ReferencedBrachyApplicationSetupNumber": 2}),
]


@pytest.mark.parametrize(
    ("sop_class", "sequence", "named"), [s[1:] for s in SESSIONS], ids=[s[0] for s in SESSIONS])
def test_deliveries(sop_class: str, sequence: str, named: dict[str, Any]) -> None:
    sessions = [item(CurrentFractionNumber=4, TreatmentTerminationStatus="NORMAL", **named), item()]
    of_session: dict[str, Any] = {sequence: sessions}
    found = read(made(sop_class, **of_session,
                      TreatmentMachineSequence=[item(TreatmentMachineName="LINAC1")],
                      TreatmentDate="20240205", TreatmentTime="0815"))
    assert parts(found, "BeamDelivery") == {
        "#T1": {"CurrentFractionNumber": 4, "TreatmentTerminationStatus": "NORMAL",
                "TreatmentMachineName": "LINAC1", **named},
        "#T2": {"TreatmentMachineName": "LINAC1"}}
    of_record = found.values["Instance"]
    assert of_record["n_beams_delivered"] == 2
    assert of_record["treatment_datetime"].isoformat() == "2024-02-05T08:15:00"


# --- segments, reports ---------------------------------------------------------------------------

def test_segments() -> None:
    organ, liver = code("123037004", "SCT", "Body structure"), code("10200004", "SCT", "Liver")
    found = read(made(SEG, SegmentationType="BINARY", SegmentSequence=[
        item(SegmentNumber=2, SegmentLabel="Liver", TrackingUID="1.2.66",
             SegmentedPropertyCategoryCodeSequence=[organ],
             SegmentedPropertyTypeCodeSequence=[liver], AnatomicRegionSequence=[liver]),
        item(SegmentNumber=2, SegmentLabel="again"), item(SegmentLabel="no number")]))
    segments = parts(found, "Segment")
    assert {s: (v["SegmentLabel"], v["codes"]) for s, v in segments.items()} == {
        "#S2": ("Liver", ["SCT^10200004", "SCT^123037004"]), "#S2.2": ("again", []),
        "#S?3": ("no number", [])}
    assert links(found, "CODED_AS") == {
        ("#S2", "SCT^123037004", "SegmentedPropertyCategoryCodeSequence", "Body structure"),
        ("#S2", "SCT^10200004", "SegmentedPropertyTypeCodeSequence", "Liver"),
        ("#S2", "SCT^10200004", "AnatomicRegionSequence", "Liver")}
    assert links(found, "TRACKS") == {("#S2", "1.2.66")}


@pytest.mark.parametrize("sop_class", [SR, KEY_OBJECT, DOCUMENT])
def test_titles(sop_class: str) -> None:
    found = read(made(
        sop_class, ConceptNameCodeSequence=[code("113701", "DCM", "Dose Report")],
        ContentTemplateSequence=[item(TemplateIdentifier="10011")]))
    of_report = found.values["Instance"]
    assert (of_report["title_code"], of_report["title_meaning"]) == ("DCM^113701", "Dose Report")
    assert of_report["template_id"] == "10011"
    assert links(found, "CODED_AS") == {
        ("", "DCM^113701", "ConceptNameCodeSequence", "Dose Report")}


def test_a_report_without_a_title() -> None:
    found = facts(made(SR))
    assert [found.get(n) for n in ("title_code", "title_meaning", "template_id")] == [None] * 3


# --- second generation ---------------------------------------------------------------------------

def test_prescriptions() -> None:
    def objective(uid: str, value: object, unit: str = "Gy") -> object:
        return item(
            DosimetricObjectiveUID=uid,
            DosimetricObjectiveTypeCodeSequence=[code("130040", "DCM")],
            DosimetricObjectiveParameterSequence=[item(
                NumericValue=value, MeasurementUnitsCodeSequence=[code(unit, "UCUM")])])

    found = read(made(
        INTENT,
        RTPhysicianIntentSequence=[
            item(RTPhysicianIntentIndex=1, RTTreatmentIntentType="CURATIVE")],
        DosimetricObjectiveSequence=[
            objective("1.2.1", ["60"]), objective("1.2.2", ["50"], "%"), objective("1.2.3", None)],
        RTPrescriptionSequence=[
            item(RTPrescriptionIndex=1, RTPrescriptionLabel="Boost",
                 ReferencedRTPhysicianIntentIndex=1, NumberOfFractions=30,
                 ReferencedDosimetricObjectivesSequence=[
                     item(ReferencedDosimetricObjectiveUID=f"1.2.{n}") for n in (2, 1, 3, 9)]),
            item(RTPrescriptionIndex=2, ReferencedRTPhysicianIntentIndex=5)]))
    assert parts(found, "Prescription") == {
        "#P1": {"index": 1, "label": "Boost", "intent": "CURATIVE", "n_fractions": 30,
                "objective_types": ["DCM^130040"] * 3, "objective_doses_gy": [-1, 60, -1]},
        "#P2": {"index": 2, "objective_types": [], "objective_doses_gy": []}}


def test_radiation_set() -> None:
    found = facts(made(
        RADIATION_SET, RTRadiationSequence=[item()] * 3,
        TreatmentPositionGroupSequence=[item(TreatmentPositionGroupUID="1.2.8")]))
    assert (found["n_radiations"], found["n_position_groups"]) == (3, 1)


# --- whatever a file holds -----------------------------------------------------------------------

PATHS = [*NEEDED, *((*where, p.name) for part in PARTS for where, properties in part.stated
                    for p in properties if p.stated)]
CLASSES = [root if root.startswith("1.2.840") else STORAGE + root for kind in FAMILIES
           for root in kind.roots if not root.endswith(".")]
VALUES = (b"", b"0 ", b"1 ", b"2 ", b"-1", b"1\\2\\3 ", b"NaN ", b"1e999 ", b"abc ", b"\\ ",
          b"1.2.3 ", b"TARGET", b"MLCX", b"CW", b"99999999999999999999", b"\xff\xfe")


@cache
def below(prefix: tuple[str, ...]) -> dict[str, bool]:
    """Return the keywords right below a path, and whether they are sequences."""
    n = len(prefix)
    return {path[n]: dictionary_VR(path[n]) == "SQ" for path in sorted(PATHS)
            if path[:n] == prefix and len(path) > n}


def content(chance: Random, prefix: tuple[str, ...] = ()) -> list[Element]:
    """Return the elements of an item: any bytes, in any of the attributes that rules read."""
    known = below(prefix)
    return [
        (keyword, "SQ", [content(chance, (*prefix, keyword)) for _ in range(chance.randint(0, 3))])
        if known[keyword] else
        (keyword, dictionary_VR(keyword), chance.choice((*VALUES, chance.randbytes(8))))
        for keyword in chance.sample(sorted(known), chance.randint(0, min(6, len(known))))]


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(CLASSES), st.integers(0, 2**32))
def test_no_rule_raises(sop_class: str, seed: int) -> None:
    elements = content(Random(seed))
    stated = {name for name, _, _ in elements}
    common = [e for e in scans.common(sop_class, "OT") if e[0] not in stated]
    found = read(scans.file([*common, *elements]))
    assert found.sop_class == sop_class
    assert len({(p.label, p.suffix) for p in found.parts}) == len(found.parts)
