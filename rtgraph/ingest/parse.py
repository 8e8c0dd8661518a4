"""From one file to an `Instance`, or to `Rejected` with a reason: picklable, never raising."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import FileDataset
from pydicom.errors import InvalidDicomError

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
    quiet,
    surplus,
    text_of,
    undecodable,
    value_of,
)
from rtgraph.ingest.families import RULES, combined, first_datetime, slice_position, usable
from rtgraph.ingest.normalise import LONGEST_RAW, LONGEST_UID, Invalid
from rtgraph.ingest.reading import HEAD, digest, no_dicom, read_data_set
from rtgraph.ingest.records import Found, Instance, Reason, Rejected
from rtgraph.ingest.walker import walk

PARSER_VERSION = 1
LONGEST_ID = 64
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
        with open(file.location, "rb") as stream, quiet():
            head = stream.read(HEAD)
            if reason := no_dicom(head):
                return Rejected(file, reason)
            ds, truncated = read_data_set(stream, file.size)
            end = stream.tell()
            return _instance(ds, file, plan, truncated, digest(head, end, file.size))
    except EOFError:
        return Rejected(file, Reason.TRUNCATED)
    except OSError as error:
        if error.errno:
            return Rejected(file, Reason.UNREADABLE, os.strerror(error.errno))
        return Rejected(file, Reason.BAD_HEADER, type(error).__name__)
    except (InvalidDicomError, MemoryError, *DAMAGED) as error:
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
            ended = truncated or max(ds.keys()) < (tag_for_keyword(keyword) or 0)
            return Rejected(file, Reason.TRUNCATED if ended else reason)
        if len(identity[keyword]) > LONGEST_UID:
            return Rejected(file, Reason.IDENTIFIER_TOO_LONG, keyword)
    sop_class, sop_uid, series_uid, study_uid = identity.values()
    kind = family(sop_class)
    invalid: list[tuple[str, str, str]] = []
    issuer, patient_id = (_identifier(ds, k, invalid) for k in ("IssuerOfPatientID", "PatientID"))
    if not patient_id:
        invalid.append(("PatientID", "EMPTY", ""))
    found = walk(ds, sop_class)
    invalid += [(keyword, "TOO_LONG", "") for keyword in found.too_long]
    instance = Instance(
        file=file, sop_uid=sop_uid, sop_class=sop_class, series_uid=series_uid,
        study_uid=study_uid, digest=digest,
        patient_key=patient_key(plan.key, issuer, patient_id, study_uid),
        values=_values(ds, kind, plan, invalid),
        references=found.targets, placements=found.placements, truncated=truncated,
    )
    instance.values["Patient"] |= {"PatientID": patient_id or None,
                                   "IssuerOfPatientID": issuer or None}
    instance.values["Instance"] |= _frame(ds, kind, instance, invalid)
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
    patient = [p for p in PATIENT if p.name not in ("PatientID", "IssuerOfPatientID")]
    series = [p for p in SERIES if kind.is_image or p not in IMAGE_SERIES]
    levels = {"Patient": patient, "Study": STUDY, "Series": series,
              "Instance": (*INSTANCE, *kind.properties)}
    values = {label: _read(ds, declared, plan, invalid) for label, declared in levels.items()}
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
    ds: FileDataset, declared: Iterable[Property], plan: Plan, invalid: list[tuple[str, str, str]]
) -> dict[str, Any]:
    """Read attributes; of names that are not kept, only that something is wrong."""
    values: dict[str, Any] = {}
    for row in declared:
        if not row.stated or row.tag not in ds:
            continue
        value = value_of(ds, row)
        hidden = row.vr == "PN" and not plan.names
        if isinstance(value, Invalid):
            invalid.append((row.name, value.reason, "" if hidden else value.raw))
        elif usable(value):
            if not hidden:
                values[row.name] = value
            if undecodable(ds, row):
                invalid.append((row.name, "UNDECODABLE", ""))
            if text := surplus(ds, row):
                invalid.append((row.name, "SEVERAL_VALUES", "" if hidden else text))
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


def _frame(
    ds: FileDataset, kind: Family, instance: Instance, invalid: list[tuple[str, str, str]]
) -> dict[str, Any]:
    """The effective frame as the file states it (PS3.3 C.7.4.1): module, else the only listed."""
    module = first_text(ds, "FrameOfReferenceUID")
    if len(module) > LONGEST_UID:
        invalid.append(("FrameOfReferenceUID", "TOO_LONG", module[:LONGEST_RAW]))
    elif module:
        return {"frame_uid": module, "frame_source": "MODULE"}
    listed = {t.uid for t in instance.references if t.role == "STRUCTURE_SET_FRAME"}
    if "RTStruct" in kind.labels and len(listed) == 1:
        return {"frame_uid": listed.pop(), "frame_source": "STRUCTURE_SET"}
    return {}
