"""From a file to an object: recognition, identity, damage, privacy and derived facts.

Files are made here byte by byte or with pydicom, small enough to be cut at many places.
"""

import pickle
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from gzip import compress
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import DataElement, Dataset, dcmwrite
from pydicom import uid as uids
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileMetaDataset

from rtgraph.demo.objects import Device, Patient, Series, Study, fill, item, new_object
from rtgraph.ingest.parse import Plan, parse, parse_many
from rtgraph.ingest.records import Found, Instance, Reason, Rejected
from rtgraph.ingest.tags import parse_line
from tests.data import scans
from tests.data.small import with_value

KEY = "0f" * 32
PLAN = Plan(KEY)
WHEN = datetime(2024, 2, 5, 8, 30)
STUDY_UID, SERIES_UID, SOP_UID, FRAME = "1.2.826.1", "1.2.826.2", "1.2.826.3", "1.2.826.4"
PATIENT = Patient("ID-4711", "CANARY^ANNE", date(1950, 1, 2), "F")
SERIES = Series(SERIES_UID, Study(STUDY_UID, PATIENT, WHEN, "Pelvis"), "RTSTRUCT", 3, WHEN,
                "Contours", Device("VENDOR", "MODEL", "SN", "STATION"))
EXPLICIT, IMPLICIT, BIG, DEFLATED = (
    uids.ExplicitVRLittleEndian, uids.ImplicitVRLittleEndian, uids.ExplicitVRBigEndian,
    uids.DeflatedExplicitVRLittleEndian)


def new(sop_class: str = uids.RTStructureSetStorage, /, **elements: object) -> Dataset:
    return fill(new_object(SERIES, sop_class, SOP_UID, number=7, when=WHEN), **elements)


def structure_set(images: int = 6, rois: int = 4) -> Dataset:
    refs = [item(ReferencedSOPClassUID=uids.CTImageStorage, ReferencedSOPInstanceUID=f"1.2.5.{n}")
            for n in range(images)]
    listed = item(SeriesInstanceUID="1.2.826.9", ContourImageSequence=refs)
    study = item(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
                 ReferencedSOPInstanceUID=STUDY_UID, RTReferencedSeriesSequence=[listed])
    frame = item(FrameOfReferenceUID=FRAME, RTReferencedStudySequence=[study])
    return new(
        StructureSetLabel="Pelvis", StructureSetDate="20240205", StructureSetTime="0900",
        ReferencedFrameOfReferenceSequence=[frame],
        StructureSetROISequence=[
            item(ROINumber=n, ROIName=f"ROI {n}", ReferencedFrameOfReferenceUID=FRAME)
            for n in range(rois)],
        ROIContourSequence=[
            item(ReferencedROINumber=n, ContourSequence=[
                item(ContourImageSequence=[ref], ContourData=["1.5", "2", "3"]) for ref in refs])
            for n in range(rois)],
        ApprovalStatus="UNAPPROVED")


def with_open_lengths(ds: Dataset) -> Dataset:
    """Sequences and items of undefined length, as most systems write them."""
    for element in ds:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for child in element.value:
                child.is_undefined_length_sequence_item = True
                with_open_lengths(child)
    return ds


def encoded(ds: Dataset, syntax: str = EXPLICIT) -> bytes:
    """The bytes of a file."""
    ds.file_meta.TransferSyntaxUID = uids.UID(syntax)
    stream = BytesIO()
    dcmwrite(stream, ds, enforce_file_format=True)
    return stream.getvalue()


def without_meta(raw: bytes) -> bytes:
    """The data set of a file alone."""
    return raw[132 + 12 + int.from_bytes(raw[140:144], "little"):]


Read = Callable[..., Instance | Rejected]


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parse") / "file"


@pytest.fixture(scope="session")
def read(file: Path) -> Read:
    """Write bytes or a data set to a file and parse it."""

    def of(content: bytes | Dataset, plan: Plan = PLAN) -> Instance | Rejected:
        raw = content if isinstance(content, bytes) else encoded(content)
        file.write_bytes(raw)
        return parse(Found(str(file), "root:file", len(raw), 1), plan)

    return of


def instance(found: Instance | Rejected) -> Instance:
    assert isinstance(found, Instance), found
    assert (found.sop_uid, found.series_uid, found.study_uid) == (SOP_UID, SERIES_UID, STUDY_UID)
    return found


# --- recognition ---------------------------------------------------------------------------------

WHOLE = encoded(structure_set())
DIRECTORY = Dataset()
DIRECTORY.file_meta = FileMetaDataset()
fill(DIRECTORY.file_meta, MediaStorageSOPClassUID=uids.MediaStorageDirectoryStorage,
     MediaStorageSOPInstanceUID="1.2.3")
fill(DIRECTORY, FileSetID="SET", DirectoryRecordSequence=[])


def zipped(raw: bytes) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("file.dcm", raw)
    return stream.getvalue()


RECOGNITION = [
    # name                  bytes                                             reason, None if read
    ("explicit",            WHOLE,                                            None),
    ("implicit",            encoded(structure_set(), IMPLICIT),               None),
    ("big endian",          encoded(structure_set(), BIG),                    None),
    ("deflated",            encoded(structure_set(), DEFLATED),               None),
    ("open lengths",        encoded(with_open_lengths(structure_set())),      None),
    ("junk in preamble",    b"II*\0" * 32 + WHOLE[128:],                      None),
    ("no preamble",         WHOLE[132:],                                      None),
    ("mark, no meta",       WHOLE[:132] + without_meta(WHOLE),                None),
    ("no meta, explicit",   without_meta(WHOLE),                              None),
    ("no meta, implicit",   without_meta(encoded(structure_set(), IMPLICIT)), None),
    ("no meta, big endian", without_meta(encoded(structure_set(), BIG)),      None),
    ("zeros at the end",    WHOLE + b"\0" * 300,                              None),
    ("empty",               b"",                                              Reason.EMPTY_FILE),
    ("three bytes",         b"\x08\0\x05",                                    Reason.NOT_DICOM),
    ("text",                b"Dear colleague,\n" * 20,                        Reason.NOT_DICOM),
    ("zip",                 zipped(WHOLE),                                    Reason.NOT_DICOM),
    ("gzip",                compress(WHOLE),                                  Reason.NOT_DICOM),
    ("picture",             b"\x89PNG\r\n\x1a\n" + b"\0" * 200,               Reason.NOT_DICOM),
    ("XML",                 b"<?xml version='1.0'?><a/>" * 9,                 Reason.NOT_DICOM),
    ("zeros",               b"\0" * 500,                                      Reason.NOT_DICOM),
    ("preamble, no mark",   b"\0" * 128 + b"NONE" + WHOLE[132:],              Reason.NOT_DICOM),
    ("preamble only",       b"\0" * 128 + b"DICM",                            Reason.NO_DATA_SET),
    ("meta only",           WHOLE[: -len(without_meta(WHOLE))],               Reason.NO_DATA_SET),
    ("directory",           encoded(DIRECTORY),                               Reason.NOT_AN_OBJECT),
]


@pytest.mark.parametrize(("raw", "reason"), [c[1:] for c in RECOGNITION],
                         ids=[c[0] for c in RECOGNITION])
def test_recognition(read: Read, raw: bytes, reason: Reason | None) -> None:
    found = read(raw)
    if reason is None:
        found = instance(found)
        assert len(found.references) == 9
        assert found.invalid == []
        assert not found.truncated
    else:
        assert isinstance(found, Rejected)
        assert found.reason is reason


def test_what_cannot_be_opened_is_rejected(tmp_path: Path) -> None:
    files = [Found(str(tmp_path / "absent"), "root:absent"), Found(str(tmp_path), "root:folder")]
    for rejected in parse_many(files, PLAN):
        assert isinstance(rejected, Rejected)
        assert rejected.reason is Reason.UNREADABLE
        assert str(tmp_path) not in rejected.detail


# --- identity ------------------------------------------------------------------------------------

TAGS = {"SOPClassUID": (0x0008, 0x0016), "SOPInstanceUID": (0x0008, 0x0018),
        "StudyInstanceUID": (0x0020, 0x000D), "SeriesInstanceUID": (0x0020, 0x000E)}


def span(raw: bytes, keyword: str) -> tuple[int, int]:
    """Where an identifier stands in an explicit file: its first byte and the one behind it."""
    start = raw.index(struct.pack("<HH2s", *TAGS[keyword], b"UI"))
    return start, start + 8 + int.from_bytes(raw[start + 6 : start + 8], "little")


def with_identifier(keyword: str, text: bytes | None) -> bytes:
    """A file with other bytes in an identifier, or without it."""
    start, end = span(WHOLE, keyword)
    value = b"" if text is None else text + b"\0" * (len(text) % 2)
    head = b"" if text is None else WHOLE[start : start + 6] + struct.pack("<H", len(value))
    return WHOLE[:start] + head + value + WHOLE[end:]


IDENTITY = [
    # name            keyword              text             reason
    ("no class",      "SOPClassUID",       None,            Reason.NO_SOP_CLASS_UID),
    ("no object",     "SOPInstanceUID",    None,            Reason.NO_SOP_INSTANCE_UID),
    ("no series",     "SeriesInstanceUID", None,            Reason.NO_SERIES_INSTANCE_UID),
    ("no study",      "StudyInstanceUID",  None,            Reason.NO_STUDY_INSTANCE_UID),
    ("empty object",  "SOPInstanceUID",    b"",             Reason.NO_SOP_INSTANCE_UID),
    ("blank series",  "SeriesInstanceUID", b" \0",          Reason.NO_SERIES_INSTANCE_UID),
    ("long object",   "SOPInstanceUID",    b"1." * 128 + b"1", Reason.IDENTIFIER_TOO_LONG),
    ("long study",    "StudyInstanceUID",  b"1." * 200,     Reason.IDENTIFIER_TOO_LONG),
]


@pytest.mark.parametrize(("keyword", "text", "reason"), [c[1:] for c in IDENTITY],
                         ids=[c[0] for c in IDENTITY])
def test_identity(read: Read, keyword: str, text: bytes | None, reason: Reason) -> None:
    found = read(with_identifier(keyword, text))
    assert isinstance(found, Rejected)
    assert found.reason is reason
    assert found.detail in ("", keyword)


KEPT = [
    # name                 keyword              text               identifier in the graph
    ("padded",             "SOPInstanceUID",    b" 1.2.826.3 \0",   SOP_UID),
    ("several values",     "SeriesInstanceUID", b"1.2.826.2\\1.9", SERIES_UID),
    ("zero first",         "SOPInstanceUID",    b"1.02.003",       "1.02.003"),
    ("letters",            "StudyInstanceUID",  b"not a uid",      "not a uid"),
    ("longer than 64",     "SOPInstanceUID",    b"1." + b"2" * 80, "1." + "2" * 80),
]


@pytest.mark.parametrize(("keyword", "text", "kept"), [c[1:] for c in KEPT],
                         ids=[c[0] for c in KEPT])
def test_odd_identifiers_are_kept(read: Read, keyword: str, text: bytes, kept: str) -> None:
    found = read(with_identifier(keyword, text))
    assert isinstance(found, Instance)
    assert kept in (found.sop_uid, found.series_uid, found.study_uid)


# --- damage --------------------------------------------------------------------------------------

ENCODINGS = {
    "explicit": WHOLE,
    "implicit": encoded(structure_set(), IMPLICIT),
    "explicit, open lengths": encoded(with_open_lengths(structure_set())),
    "implicit, open lengths": encoded(with_open_lengths(structure_set()), IMPLICIT),
    "big endian": encoded(structure_set(), BIG),
    "no meta": without_meta(WHOLE),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_file_that_was_cut(read: Read, name: str) -> None:
    raw = ENCODINGS[name]
    start = raw.index(SERIES_UID.encode())
    for length in range(64, len(raw), 64):
        found = read(raw[:length])
        if length >= start + len(SERIES_UID) + 1:
            assert instance(found).values["Patient"]["PatientID"] == "ID-4711"
        elif length <= start:
            assert isinstance(found, Rejected)


def label_cut_in_half() -> bytes:
    end = WHOLE.index(b"Pelvis", WHOLE.index(struct.pack("<HH2s", 0x3006, 2, b"SH"))) + 3
    return WHOLE[:end]


def behind_sequence(n_bytes: int) -> bytes:
    """The file up to these bytes of the header of StructureSetROISequence."""
    return WHOLE[: WHOLE.index(struct.pack("<HH2s", 0x3006, 0x0020, b"SQ")) + n_bytes]


CUTS: list[tuple[str, bytes, bool, bool]] = [
    # the file ends in         bytes                                      read?  marked as cut?
    ("nothing",                WHOLE,                                     True,  False),
    ("a sequence",             behind_sequence(60),                       True,  True),
    ("length of a sequence",   behind_sequence(10),                       True,  True),
    ("a header",               behind_sequence(5),                        True,  True),
    ("a value",                label_cut_in_half(),                       True,  True),
    ("an identifier",          WHOLE[: span(WHOLE, "SeriesInstanceUID")[1] - 4], False, True),
]


@pytest.mark.parametrize(("raw", "is_read", "truncated"), [c[1:] for c in CUTS],
                         ids=[c[0] for c in CUTS])
def test_what_is_left_of_a_cut_file(read: Read, raw: bytes, is_read: bool, truncated: bool) -> None:
    found = read(raw)
    if is_read:
        found = instance(found)
        assert found.truncated is truncated
        assert found.values["Instance"].get("truncated", False) is truncated
        assert [reason for _, reason, _ in found.invalid] == ["TRUNCATED"] * truncated
        assert found.values["Instance"].get("StructureSetLabel") in (None, "Pelvis")
    else:
        assert isinstance(found, Rejected)
        assert found.reason is Reason.TRUNCATED


def test_damage_in_a_deflated_file_is_a_value(read: Read) -> None:
    raw = encoded(structure_set(), DEFLATED)
    found = [read(raw[:length]) for length in range(400, len(raw), 64)]
    found += [read(raw[:at] + b"\xff\xff" + raw[at + 2 :]) for at in range(400, len(raw) - 2, 64)]
    assert all(isinstance(f, Instance | Rejected) for f in found)


def test_one_element_of_unknown_representation_costs_itself_only(read: Read) -> None:
    at = WHOLE.index(struct.pack("<HH2s", 0x0008, 0x1030, b"LO"))
    found = instance(read(WHOLE[: at + 4] + b"SZ" + WHOLE[at + 6 :]))
    assert found.values["Instance"]["StructureSetLabel"] == "Pelvis"


@settings(max_examples=300, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([*ENCODINGS.values(), encoded(structure_set(), DEFLATED)]),
       st.lists(st.tuples(st.integers(0, 4800), st.integers(0, 255)), min_size=1, max_size=6))
def test_flipped_bytes_never_raise(read: Read, raw: bytes, flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(raw)
    for at, value in flips:
        damaged[at % len(raw)] = value
    found = read(bytes(damaged))
    assert isinstance(found, Instance | Rejected)
    pickle.dumps(found)


ODD_VALUES: list[tuple[str, str, bytes, object, tuple[str, str] | None]] = [
    # name            keyword             bytes         value, and what is recorded: reason, raw
    ("no number",     "PatientWeight",    b"12A ",      None, ("NOT_A_NUMBER", "12A")),
    ("comma",         "PatientWeight",    b"71,5",      71.5, ("DECIMAL_COMMA", "71,5")),
    ("empty",         "PatientWeight",    b"",          None, None),
    ("no such day",   "StudyDate",        b"20240231",  None, ("IMPOSSIBLE_DATE", "20240231")),
    ("old day",       "StudyDate",        b"2024.02.05", date(2024, 2, 5), None),
    ("two ages",      "PatientAge",       b"045Y\\046Y", "045Y", ("SEVERAL_VALUES", "045Y\\046Y")),
    ("not UTF-8",     "StudyDescription", b"M\xfcller ", "M\ufffdller", ("UNDECODABLE", "")),
    ("UTF-8",         "StudyDescription", b"M\xc3\xbcller", "M\u00fcller", None),
    ("two in a text", "StudyDescription", b"a\\b ",     "a", ("SEVERAL_VALUES", "a\\b")),
]


@pytest.mark.parametrize(("keyword", "raw", "value", "recorded"), [c[1:] for c in ODD_VALUES],
                         ids=[c[0] for c in ODD_VALUES])
def test_odd_values(
    read: Read, keyword: str, raw: bytes, value: object, recorded: tuple[str, str] | None
) -> None:
    ds = new()
    tag = tag_for_keyword(keyword)
    assert tag is not None
    ds.add(DataElement(tag, "OB", raw))
    found = instance(read(encoded(ds, IMPLICIT)))
    assert found.values["Study"].get(keyword) == value
    assert found.invalid == ([(keyword, *recorded)] if recorded else [])


def test_a_number_of_wrong_length_costs_itself_only(read: Read) -> None:
    raw = encoded(new(uids.RTDoseStorage, Rows=512, Columns=512))
    at = raw.index(struct.pack("<HH2sH", 0x0028, 0x0010, b"US", 2))
    found = instance(read(raw[: at + 6] + struct.pack("<H", 3) + b"\1\2\3" + raw[at + 10 :]))
    assert found.invalid == [("Rows", "WRONG_LENGTH", "010203")]
    assert found.values["Instance"]["Columns"] == 512


# --- digest, patients and privacy ----------------------------------------------------------------

def digest(found: Instance | Rejected) -> str:
    return instance(found).digest


def test_the_digest_is_that_of_the_head_of_the_data_set_and_the_size(read: Read) -> None:
    ds = new(uids.CTImageStorage, Rows=2, Columns=2, BitsAllocated=16, PixelRepresentation=0,
             PixelData=b"\1" * 20000)
    raw = encoded(ds)
    head = without_meta(raw)[: -20012]
    first = digest(read(raw))
    assert first == blake2b(head + str(len(raw)).encode(), digest_size=16).hexdigest()
    assert digest(read(b"x" * 128 + raw[128:])) == first
    assert digest(read(raw.replace(b"RTGRAPH_DEMO", b"OTHER_SYSTEM"))) == first
    assert digest(read(raw[:-9] + b"\2" * 9)) == first
    assert digest(read(raw[:-1] + b"")) != first
    assert digest(read(raw.replace(b"Contours", b"CONTOURS"))) != first


def test_the_digest_ends_at_16_kib(read: Read) -> None:
    raw = encoded(structure_set(images=40, rois=30))
    assert len(raw) > 40_000
    assert digest(read(raw[:-20] + b"2" + raw[-19:])) == digest(read(raw))


def test_a_patient_is_a_keyed_hash(read: Read) -> None:
    def key(plan: Plan = PLAN, **elements: object) -> str:
        found = read(new(**elements), plan)
        assert isinstance(found, Instance)
        return found.patient_key

    first = key()
    assert first == blake2b(b"^ID-4711", digest_size=8, key=bytes.fromhex(KEY)).hexdigest()
    assert first == key(PatientID=" ID-4711 ", PatientName="ANOTHER")
    assert first == key(StudyInstanceUID="1.2.3.9")
    assert first != key(Plan("1f" * 32))
    assert first != key(IssuerOfPatientID="CLINIC")
    assert first != key(PatientID="id-4711")
    no_id = key(PatientID="")
    assert no_id == blake2b(STUDY_UID.encode(), digest_size=8, key=bytes.fromhex(KEY)).hexdigest()
    assert no_id == key(PatientID="", IssuerOfPatientID="CLINIC")
    assert no_id != key(PatientID="", StudyInstanceUID="1.2.3.9")


def test_an_empty_patient_id_is_recorded(read: Read) -> None:
    assert instance(read(new(PatientID=""))).invalid == [("PatientID", "EMPTY", "")]


def test_a_patient_id_that_swallows_what_follows_is_cut_and_told(read: Read) -> None:
    found = instance(read(with_value(encoded(new()), "PatientID", b"P" * 60_000)))
    assert found.values["Patient"]["PatientID"] == "P" * 64
    (issue,) = [i for i in found.invalid if i[:2] == ("PatientID", "TOO_LONG")]
    assert set(issue[2]) == {"P"}
    assert len(issue[2]) <= 256


def test_names_are_read_only_when_wanted(read: Read) -> None:
    people = ("ReferringPhysicianName", "OperatorsName", "PhysiciansOfRecord", "ReviewerName")
    ds = new()
    fill(ds, **dict.fromkeys(people, "CANARY^OTHER"))
    found = instance(read(ds))
    assert "CANARY" not in str(found.values) + str(found.invalid)
    found = instance(read(ds, Plan(KEY, names=True)))
    assert found.values["Patient"]["PatientName"] == "CANARY^ANNE"
    assert str(found.values).count("CANARY") == 1


def test_no_patient_value_in_the_text_of_a_result(read: Read) -> None:
    found = instance(read(new(), Plan(KEY, names=True)))
    assert not any(v in repr(found) for v in ("ID-4711", "CANARY", "1950", found.patient_key))
    assert pickle.loads(pickle.dumps(found)) == found


# --- derived facts -------------------------------------------------------------------------------

def test_another_identity_in_the_meta_header_is_kept(read: Read) -> None:
    values = instance(read(WHOLE)).values["Instance"]
    assert values["transfer_syntax"] == EXPLICIT
    assert not {"meta_sop_instance_uid", "meta_sop_class_uid"} & set(values)
    other = WHOLE.replace(SOP_UID.encode(), b"1.2.840.9", 1)
    assert instance(read(other)).values["Instance"]["meta_sop_instance_uid"] == "1.2.840.9"
    other = WHOLE.replace(uids.RTStructureSetStorage.encode(), uids.RTPlanStorage.encode(), 1)
    assert instance(read(other)).values["Instance"]["meta_sop_class_uid"] == uids.RTPlanStorage


def listing(*frames: str) -> dict[str, object]:
    return {"ReferencedFrameOfReferenceSequence": [item(FrameOfReferenceUID=f) for f in frames]}


FRAMES: list[tuple[str, str, dict[str, object], tuple[str, str] | None]] = [
    # name, SOP class, elements, frame and its source (graph-model.md 1.2)
    ("image", uids.CTImageStorage, {"FrameOfReferenceUID": "1.7"}, ("1.7", "MODULE")),
    ("dose", uids.RTDoseStorage, {"FrameOfReferenceUID": "1.7"}, ("1.7", "MODULE")),
    ("plan", uids.RTPlanStorage, {"FrameOfReferenceUID": "1.7"}, ("1.7", "MODULE")),
    ("plan without", uids.RTPlanStorage, listing("1.8"), None),
    ("structure set", uids.RTStructureSetStorage,
     {"FrameOfReferenceUID": "1.7", **listing("1.8")}, ("1.7", "MODULE")),
    ("one listed", uids.RTStructureSetStorage, listing("1.8"), ("1.8", "STRUCTURE_SET")),
    ("one listed twice", uids.RTStructureSetStorage, listing("1.8", "1.8"),
     ("1.8", "STRUCTURE_SET")),
    ("two listed", uids.RTStructureSetStorage, listing("1.8", "1.9", "1.8"), None),
    ("empty module", uids.RTStructureSetStorage,
     {"FrameOfReferenceUID": "", **listing("1.8")}, ("1.8", "STRUCTURE_SET")),
    ("none", uids.RTStructureSetStorage, {}, None),
]


@pytest.mark.parametrize(("sop_class", "elements", "frame"), [c[1:] for c in FRAMES],
                         ids=[c[0] for c in FRAMES])
def test_effective_frame(
    read: Read, sop_class: str, elements: dict[str, object], frame: tuple[str, str] | None
) -> None:
    values = instance(read(new(sop_class, **elements))).values["Instance"]
    wanted = dict(zip(("frame_uid", "frame_source"), frame or (), strict=False))
    assert {k: v for k, v in values.items() if k.startswith("frame_")} == wanted


BEAMS = [item(BeamNumber=n, **({"TreatmentDeliveryType": kind} if kind else {}))
         for n, kind in enumerate(("TREATMENT", "SETUP", "", "OPEN_PORTFILM"))]
GROUPS = [item(FractionGroupNumber=n, NumberOfFractionsPlanned=n * 10) for n in (1, 2)]
FACTS: list[tuple[str, str, dict[str, object], dict[str, Any]]] = [
    # name, SOP class, elements, properties of the instance
    ("plan", uids.RTPlanStorage,
     {"RTPlanDate": "20240205", "RTPlanTime": "0930", "BeamSequence": BEAMS,
      "FractionGroupSequence": GROUPS},
     {"n_beams": 4, "n_treatment_beams": 2, "n_setup_beams": 1, "n_fraction_groups": 2,
      "n_fractions_planned": 30, "plan_datetime": datetime(2024, 2, 5, 9, 30)}),
    ("structure set", uids.RTStructureSetStorage,
     {"StructureSetDate": "20240205", "StructureSetROISequence": [
         item(ROINumber=1, ROIName="PTV "), item(ROINumber=2, ROIName="")]},
     {"n_rois": 2, "roi_names": ["PTV", ""], "structure_set_datetime": datetime(2024, 2, 5)}),
    ("dose", uids.RTDoseStorage,
     {"GridFrameOffsetVector": ["0", "2.5", "5"], "DVHSequence": [item(DVHType="CUMULATIVE")]},
     {"n_grid_offsets": 3, "n_dvh": 1}),
    ("record", uids.RTBeamsTreatmentRecordStorage,
     {"TreatmentDate": "20240206", "TreatmentTime": "101112.5"},
     {"treatment_datetime": datetime(2024, 2, 6, 10, 11, 12, 500_000)}),
    ("slice", uids.CTImageStorage,
     {"ImagePositionPatient": ["-100", "-100", "42.5"],
      "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]}, {"slice_position": 42.5}),
    ("sagittal slice", uids.CTImageStorage,
     {"ImagePositionPatient": ["12.5", "3", "4"],
      "ImageOrientationPatient": ["0", "1", "0", "0", "0", "-1"]}, {"slice_position": -12.5}),
    ("slice without a place", uids.CTImageStorage, {}, {"slice_position": None}),
]


@pytest.mark.parametrize(("sop_class", "elements", "wanted"), [c[1:] for c in FACTS],
                         ids=[c[0] for c in FACTS])
def test_facts_of_families(
    read: Read, sop_class: str, elements: dict[str, object], wanted: dict[str, Any]
) -> None:
    values = instance(read(new(sop_class, **elements))).values["Instance"]
    assert {k: values.get(k) for k in wanted} == wanted


def test_values_stand_at_their_level(read: Read) -> None:
    values = instance(read(new(uids.CTImageStorage, Rows=512, PixelSpacing=["1", "2"]))).values
    assert values["Patient"]["PatientBirthDate"] == date(1950, 1, 2)
    assert values["Study"]["study_datetime"] == values["Series"]["series_datetime"] == WHEN
    assert values["Series"]["PixelSpacing"] == [1.0, 2.0]
    assert values["Series"]["Rows"] == 512
    assert "Rows" not in values["Instance"]
    assert values["Instance"]["InstanceNumber"] == 7


@pytest.mark.parametrize("syntax", scans.SYNTAXES.values(), ids=scans.SYNTAXES)
def test_cut_between_elements_or_without_identity(read: Read, syntax: str) -> None:
    elements = [e for e in scans.ct() if e[0] != "SeriesInstanceUID"]
    for last in sorted(scans.tag_of(e[0]) for e in elements):
        found = read(scans.file([e for e in elements if scans.tag_of(e[0]) <= last], syntax))
        assert isinstance(found, Rejected)
        assert found.reason is (Reason.TRUNCATED if last < 0x0020000E
                                else Reason.NO_SERIES_INSTANCE_UID)


# --- attributes of the user ----------------------------------------------------------------------

USER_TAGS = tuple(parse_line(line, 1) for line in (
    "RescaleType", "(0018,9345)", '(0029,xx10) "ACME X" LO Greeting',
    '(0029,xx11) "ACME X" DS[] Numbers', '(0029,xx10) "ABSENT" LO Greeting'))


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, DEFLATED, BIG])
def test_attributes_of_the_user(tmp_path: Path, syntax: str) -> None:
    ds = new(RescaleType="HU", CTDIvol=9.25)
    ds.private_block(0x0029, "OTHER", create=True).add_new(0x10, "LO", "not this one")
    block = ds.private_block(0x0029, "ACME X", create=True)
    block.add_new(0x10, "LO", "hello")
    block.add_new(0x11, "DS", ["1.5", "2"])
    file = tmp_path / "a.dcm"
    file.write_bytes(encoded(ds, syntax))
    found = Found(str(file), "r:a.dcm", file.stat().st_size, 1)
    assert instance(parse(found, Plan(KEY, tags=USER_TAGS))).values["User"] == {
        "RescaleType": "HU", "CTDIvol": 9.25, "priv_ACME_X_Greeting": "hello",
        "priv_ACME_X_Numbers": [1.5, 2.0]}
    assert "User" not in instance(parse(found, PLAN)).values
