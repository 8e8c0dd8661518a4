"""From one file to an `Instance`, or to `Rejected` with a reason: pure, picklable, never raising.

Files are recognised by content: a DICM mark, or a plausible first element at offset 0 (usual in
exports of some planning and record systems). Reading ends at the pixel data.
"""

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, BinaryIO

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from rtgraph.graphmodel.nodes import (
    IMAGE_SERIES,
    INSTANCE,
    PATIENT,
    SERIES,
    STUDY,
    Family,
    Property,
    family,
)
from rtgraph.ingest.elements import (
    DAMAGED,
    first_text,
    text_of,
    undecodable,
    value_of,
)
from rtgraph.ingest.families import RULES, combined, first_datetime, slice_position, usable
from rtgraph.ingest.normalise import LONGEST_RAW, Invalid
from rtgraph.ingest.records import Found, Instance, Reason, Rejected
from rtgraph.ingest.walker import walk

PARSER_VERSION = 1
DIGESTED = 16 * 1024
LONGEST_UID, LONGEST_ID = 256, 64
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_UNDEFINED = 0xFFFFFFFF
_AFTER_ALL = BaseTag(0xFFFFFFFF)
_DIRECTORY = "1.2.840.10008.1.3.10"
_IDENTITY = (
    ("SOPClassUID", Reason.NO_SOP_CLASS_UID),
    ("SOPInstanceUID", Reason.NO_SOP_INSTANCE_UID),
    ("SeriesInstanceUID", Reason.NO_SERIES_INSTANCE_UID),
    ("StudyInstanceUID", Reason.NO_STUDY_INSTANCE_UID),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What reading needs besides the file: the store's key and whether names are kept."""

    key: str
    names: bool = False


def parse(file: Found, plan: Plan) -> Instance | Rejected:
    """Read one file.

    Returns
    -------
    Instance or Rejected
        A file that cannot be an object is `Rejected` with a reason of the closed list.
    """
    try:
        with open(file.location, "rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            head = stream.read(DIGESTED + 512)
            if reason := _no_dicom(head):
                return Rejected(file, reason)
            ds, truncated = _read_data_set(stream, file.size)
            return _instance(ds, file, plan, truncated, _digest(head, stream.tell(), file.size))
    except OSError as error:
        if error.errno:
            return Rejected(file, Reason.UNREADABLE, os.strerror(error.errno))
        return Rejected(file, Reason.BAD_HEADER, type(error).__name__)
    except (InvalidDicomError, *DAMAGED) as error:
        return Rejected(file, Reason.BAD_HEADER, type(error).__name__)


def parse_many(files: Iterable[Found], plan: Plan) -> list[Instance | Rejected]:
    """Read a chunk of files; what a worker process is sent."""
    return [parse(f, plan) for f in files]


def patient_key(key: str, issuer: str, patient_id: str, study_uid: str) -> str:
    """Return the keyed hash that stands for a patient, 16 hex digits.

    Patients without an ID are told apart by their study, so that strangers are never merged.
    """
    text = f"{issuer}^{patient_id}" if patient_id else study_uid
    return blake2b(text.encode(), digest_size=8, key=bytes.fromhex(key)).hexdigest()


def _read_data_set(stream: BinaryIO, size: int) -> tuple[FileDataset, bool]:
    """Read up to the pixel data; tell whether the file ends inside the data set.

    A file that ends inside a sequence of undefined length makes pydicom give up: then what stands
    before that sequence is read.
    """
    last, limit = BaseTag(0), _AFTER_ALL

    def stop(tag: BaseTag, vr: str | None, length: int) -> bool:
        nonlocal last
        last = tag
        return tag >= limit or tag in _PIXELS

    stream.seek(0)
    try:
        ds = read_partial(stream, stop_when=stop, force=True)
    except (EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        limit = last
        stream.seek(0)
        return read_partial(stream, stop_when=stop, force=True), True
    return ds, _ends_early(ds, size)


def _ends_early(ds: FileDataset, size: int) -> bool:
    """Tell whether the last element reaches over the end of the file or a header is cut off."""
    element: Any = ds.get_item(max(ds.keys())) if len(ds) else None
    deflated = ds.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian
    if deflated or not isinstance(element, RawDataElement) or element.length == _UNDEFINED:
        return False
    return element.value_tell + element.length > size


def _no_dicom(head: bytes) -> Reason | None:
    if not head:
        return Reason.EMPTY_FILE
    if head[128:132] == b"DICM":
        return Reason.NO_DATA_SET if _data_set_start(head) >= len(head) else None
    if len(head) < 8:
        return Reason.NOT_DICOM
    little, big = (int.from_bytes(head[:2], order) for order in ("little", "big"))
    group, order = (little, "little") if little <= big else (big, "big")
    if group not in (0x0002, 0x0008):
        return Reason.NOT_DICOM
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    length = int.from_bytes(head[4:8], "little" if order == "little" else "big")
    return None if explicit or length < 0x10000 else Reason.NOT_DICOM


def _data_set_start(head: bytes) -> int:
    """Offset of the first element behind the file meta group (explicit little endian)."""
    at = 132 if head[128:132] == b"DICM" else 0
    while head[at : at + 2] == b"\x02\x00":
        long = head[at + 4 : at + 6] in (b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT")
        length = head[at + 8 : at + 12] if long else head[at + 6 : at + 8]
        at += (12 if long else 8) + int.from_bytes(length, "little")
    return at


def _digest(head: bytes, end: int, size: int) -> str:
    start = _data_set_start(head)
    stop = min(start + DIGESTED, end) if end > start else start + DIGESTED
    return blake2b(head[start:stop] + str(size).encode(), digest_size=16).hexdigest()


def _instance(
    ds: FileDataset, file: Found, plan: Plan, truncated: bool, digest: str
) -> Instance | Rejected:
    if first_text(ds.file_meta, "MediaStorageSOPClassUID") == _DIRECTORY:
        return Rejected(file, Reason.NOT_AN_OBJECT, "DICOMDIR")
    if not ds:
        return Rejected(file, Reason.TRUNCATED if truncated else Reason.NO_DATA_SET)
    identity = {}
    for keyword, reason in _IDENTITY:
        identity[keyword] = first_text(ds, keyword)
        if not identity[keyword]:
            return Rejected(file, Reason.TRUNCATED if truncated else reason)
        if len(identity[keyword]) > LONGEST_UID:
            return Rejected(file, Reason.IDENTIFIER_TOO_LONG, keyword)
    sop_class, sop_uid, series_uid, study_uid = identity.values()
    kind = family(sop_class)
    invalid: list[tuple[str, str, str]] = []
    issuer, patient_id = (_identifier(ds, k, invalid) for k in ("IssuerOfPatientID", "PatientID"))
    if not patient_id:
        invalid.append(("PatientID", "EMPTY", ""))
    found = walk(ds, sop_class)
    instance = Instance(
        file=file, sop_uid=sop_uid, sop_class=sop_class, series_uid=series_uid,
        study_uid=study_uid, digest=digest,
        patient_key=patient_key(plan.key, issuer, patient_id, study_uid),
        values=_values(ds, kind, plan, invalid),
        references=found.targets, placements=found.placements, truncated=truncated,
    )
    instance.values["Patient"] |= {"PatientID": patient_id or None,
                                   "IssuerOfPatientID": issuer or None}
    instance.values["Instance"] |= _frame(ds, kind, instance)
    if truncated:
        invalid.append((keyword_for_tag(max(ds.keys())) or "unknown", "TRUNCATED", ""))
        instance.values["Instance"]["truncated"] = True
    instance.invalid = sorted(set(invalid))
    return instance


def _identifier(ds: FileDataset, keyword: str, invalid: list[tuple[str, str, str]]) -> str:
    """A patient identifier; one so long that its length field must be wrong is cut."""
    text = text_of(ds, keyword)
    if len(text) > LONGEST_ID:
        invalid.append((keyword, "TOO_LONG", text[:LONGEST_RAW]))
    return text[:LONGEST_ID].strip()


def _values(
    ds: FileDataset, kind: Family, plan: Plan, invalid: list[tuple[str, str, str]]
) -> dict[str, dict[str, Any]]:
    patient = [p for p in PATIENT if p.name not in ("PatientID", "IssuerOfPatientID")
               and (plan.names or p.name != "PatientName")]
    series = [p for p in SERIES if kind.is_image or p not in IMAGE_SERIES]
    levels = {"Patient": patient, "Study": STUDY, "Series": series,
              "Instance": (*INSTANCE, *kind.properties)}
    values = {label: _read(ds, declared, invalid) for label, declared in levels.items()}
    study, instance = values["Study"], values["Instance"]
    study["study_datetime"] = combined(study.get("StudyDate"), study.get("StudyTime"))
    values["Series"]["series_datetime"] = first_datetime(ds, ("Series", "Acquisition", "Content"))
    instance["instance_datetime"] = first_datetime(
        ds, ("Content", "InstanceCreation", "Acquisition"))
    if kind.is_image:
        instance["slice_position"] = slice_position(ds)
    for label in kind.labels:
        if rule := RULES.get(label):
            instance |= rule(ds, instance)
    instance |= _meta(ds)
    return values


def _read(
    ds: FileDataset, declared: Iterable[Property], invalid: list[tuple[str, str, str]]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for row in declared:
        if not row.stated or row.tag not in ds:
            continue
        value = value_of(ds, row)
        if isinstance(value, Invalid):
            invalid.append((row.name, value.reason, value.raw))
        elif usable(value):
            values[row.name] = value
            if undecodable(ds, row):
                invalid.append((row.name, "UNDECODABLE", ""))
    return values


def _meta(ds: FileDataset) -> dict[str, Any]:
    """Transfer syntax, and the identity in the file meta header where it is another one."""
    facts: dict[str, Any] = {
        "transfer_syntax": first_text(ds.file_meta, "TransferSyntaxUID") or None}
    for name, meta, keyword in (
        ("meta_sop_instance_uid", "MediaStorageSOPInstanceUID", "SOPInstanceUID"),
        ("meta_sop_class_uid", "MediaStorageSOPClassUID", "SOPClassUID"),
    ):
        stated = first_text(ds.file_meta, meta)
        if stated and stated != first_text(ds, keyword):
            facts[name] = stated
    return facts


def _frame(ds: FileDataset, kind: Family, instance: Instance) -> dict[str, Any]:
    """The effective frame as the file states it (PS3.3 C.7.4.1): module, else the only listed."""
    module = first_text(ds, "FrameOfReferenceUID")
    if module:
        return {"frame_uid": module, "frame_source": "MODULE"}
    listed = {t.uid for t in instance.references if t.role == "STRUCTURE_SET_FRAME"}
    if "RTStruct" in kind.labels and len(listed) == 1:
        return {"frame_uid": listed.pop(), "frame_source": "STRUCTURE_SET"}
    return {}
