"""From one file to an `Instance`, or to `Rejected` with a reason: picklable, never raising."""

import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from pydicom.datadict import tag_for_keyword

from rtgraph.graphmodel.archive import Kept, kept_of
from rtgraph.graphmodel.families import Family, family
from rtgraph.ingest import levels, variants
from rtgraph.ingest.draft import Draft
from rtgraph.ingest.families import RULES, images
from rtgraph.ingest.items import Item, charset_of, first_text
from rtgraph.ingest.moments import first_datetime
from rtgraph.ingest.normalise import LONGEST_RAW, LONGEST_UID
from rtgraph.ingest.oddscan import DAMAGED, quiet
from rtgraph.ingest.plan import Node
from rtgraph.ingest.plan import plan as compiled
from rtgraph.ingest.reading import Header, read_header
from rtgraph.ingest.records import IDENTITY, Found, Instance, Issue, Reason, Rejected, Target
from rtgraph.ingest.tags import LABEL, UserTag
from rtgraph.ingest.walker import References, walk, walk_image

PARSER_VERSION = 5
_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True, slots=True)
class Plan:
    """What reading needs besides the file: the key of the store, names or not, tags of the user."""

    key: str = field(repr=False)
    names: bool = False
    tags: tuple[UserTag, ...] = ()


def parse(file: Found, plan: Plan) -> Instance | Rejected:
    """Read one file.

    Returns
    -------
    Instance or Rejected
        A file that cannot be an object is `Rejected` with a reason of the closed list.
    """
    with quiet():
        return _parse(file, plan)


def parse_many(files: Iterable[Found], plan: Plan) -> list[Instance | Rejected]:
    """Read a chunk of files; what a worker process is sent."""
    with quiet():
        return [_parse(f, plan) for f in files]


def _parse(file: Found, plan: Plan) -> Instance | Rejected:
    try:
        header = read_header(file.location, file.size, _wanted(plan.tags))
        if isinstance(header, Reason):
            return Rejected(file, header)
        return _instance(header, file, plan)
    except EOFError:
        return Rejected(file, Reason.TRUNCATED)
    except OSError as error:
        return Rejected(file, Reason.UNREADABLE, error.strerror or os.strerror(error.errno or 5))
    except (MemoryError, zlib.error, *DAMAGED) as error:
        return Rejected(file, Reason.BAD_HEADER, type(error).__name__)


@cache
def _wanted(tags: tuple[UserTag, ...]) -> Node:
    return compiled(tuple(element for tag in tags for element in tag.elements))


@lru_cache(4096)
def patient_key(key: str, issuer: str, patient_id: str, study_uid: str) -> str:
    """Return the keyed hash that stands for a patient, 16 hex digits.

    Patients without an ID are told apart by their study, so that strangers are never merged.
    """
    text = f"{issuer}^{patient_id}" if patient_id else study_uid
    return blake2b(text.encode(), digest_size=8, key=bytes.fromhex(key)).hexdigest()


def _instance(header: Header, file: Found, plan: Plan) -> Instance | Rejected:
    item, meta = header.item, header.meta
    if meta.get("MediaStorageSOPClassUID") == _DIRECTORY:
        return Rejected(file, Reason.NOT_AN_OBJECT, "DICOMDIR")
    if header.empty:
        return Rejected(file, Reason.NO_DATA_SET)
    identity = {}
    for keyword, reason in IDENTITY.items():
        identity[keyword] = first_text(item, keyword)
        if not identity[keyword]:
            ended = header.cut or header.last < (tag_for_keyword(keyword) or 0)
            return Rejected(file, Reason.TRUNCATED if ended else reason)
        if len(identity[keyword]) > LONGEST_UID:
            return Rejected(file, Reason.IDENTIFIER_TOO_LONG, keyword)
    sop_class, sop_uid, series_uid, study_uid = identity.values()
    kind, charset = family(sop_class), charset_of(item)
    patient, wrong = levels.patient(item, charset, plan.names)
    study, more = levels.study(item, charset, plan.names)
    series, others = levels.series(item, kind, charset, plan.names)
    facts, odd = levels.instance(item, kind, charset, plan.names)
    issues = [*wrong, *more, *others, *odd]
    values = {"Patient": patient, "Study": study, "Series": series, "Instance": facts}
    if plan.tags:
        values[LABEL], own = levels.user(item, plan.tags, charset)
        issues += own
    found = (walk_image if kind.is_image else walk)(item, sop_class)
    issues += [(keyword, "TOO_LONG", "") for keyword in found.too_long]
    facts["instance_datetime"] = first_datetime(
        item, ("Content", "InstanceCreation", "Acquisition"))
    facts |= _frame(item, kind, found.targets, issues)
    facts |= _index(found)
    facts["noted_uids"] = [f"{role} {uid}" for role, uid in found.noted if uid != study_uid] or None
    draft = Draft(item, charset, sop_class, sop_uid, facts, found, header.pixels)
    for label in kind.labels:
        if rule := RULES.get(label):
            rule(draft)
    facts |= _meta(meta, sop_uid, sop_class)
    facts |= variants.suspects(item, charset, kind)
    if kind.is_image:
        facts |= images.place(item)
    variant = variants.variant(item, kind, patient, charset, plan.key if not plan.names else "")
    facts["variant"] = variant.partition("|")[0]
    issues += draft.issues
    instance = Instance(
        file=file, sop_uid=sop_uid, sop_class=sop_class, series_uid=series_uid,
        study_uid=study_uid, digest=header.digest, variant=variant,
        patient_key=patient_key(plan.key, patient["IssuerOfPatientID"] or "",
                                patient["PatientID"] or "", study_uid),
        values=values, references=found.targets, placements=found.placements,
        parts=draft.parts, links=[*found.links, *draft.links], truncated=header.cut,
        fallback=header.fallback,
    )
    if header.cut:
        issues.append((next(reversed(item)), "TRUNCATED", ""))
        facts["truncated"] = True
    instance.invalid = sorted(set(issues))
    return instance


def _index(found: References) -> dict[str, Any]:
    """Compare the Common Instance Reference with what the object refers to (PS3.3 C.12.2)."""
    if found.common is None:
        return {}
    referred = {t.uid for t in found.targets if t.edge == "REFERENCES"}
    return {"n_common_refs": len(found.common),
            "n_refs_not_in_common": len(referred - found.common)}


def _meta(meta: dict[str, str], sop_uid: str, sop_class: str) -> dict[str, Any]:
    """What the file meta header says: syntax, another identity, and that bulk was left out."""
    facts: dict[str, Any] = {"transfer_syntax": meta.get("TransferSyntaxUID") or None}
    for name, keyword, own in (
        ("meta_sop_instance_uid", "MediaStorageSOPInstanceUID", sop_uid),
        ("meta_sop_class_uid", "MediaStorageSOPClassUID", sop_class),
    ):
        stated = meta.get(keyword)
        if stated and stated != own:
            facts[name] = stated
    kept = kept_of(meta.get("ImplementationVersionName", ""))
    if kept is not Kept.FULL:
        facts["kept"] = kept.value
    return facts


def _frame(
    item: Item, kind: Family, targets: list[Target], issues: list[Issue]
) -> dict[str, Any]:
    """The effective frame as the file states it (PS3.3 C.7.4.1): module, else the only listed."""
    module = first_text(item, "FrameOfReferenceUID")
    if len(module) > LONGEST_UID:
        issues.append(("FrameOfReferenceUID", "TOO_LONG", module[:LONGEST_RAW]))
    elif module:
        return {"frame_uid": module, "frame_source": "MODULE"}
    listed = {t.uid for t in targets if t.role == "STRUCTURE_SET_FRAME"}
    if "RTStruct" in kind.labels and len(listed) == 1:
        return {"frame_uid": listed.pop(), "frame_source": "STRUCTURE_SET"}
    return {}
