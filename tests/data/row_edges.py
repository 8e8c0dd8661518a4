"""What edges an object must make, worked out from the rows of the reference table.

The rules are those of references.md 2.4 to 2.8 and graph-model.md 4; nothing here is asked of the
product.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from pydicom import Dataset
from pydicom.multival import MultiValue

from tests.data.rows import BY_ID, IMAGES, KO, PARTS, PREFIX, ROWS, TABLE, Case, Row

Stack = tuple[Dataset, ...]
EDGE_TYPES = sorted({row["edge"] for row in ROWS} - {"-"})
OF_OBJECT = ("REFERENCES", "REFERENCES_SERIES", "REFERENCES_STUDY", "REFERENCES_FRAME")
# Labels of the families of the classes that are stated (graph-model.md 2.3).
LABELS = {
    "2": "Image CTImage", "481.3": "RTStruct", "481.5": "RTPlan", "481.8": "RTPlan RTIonPlan",
    "481.2": "RTDose", "481.1": "RTImage", "481.4": "RTRecord", "66.1": "Registration",
    "66.2": "Fiducials", "66.4": "Segmentation", "67": "RealWorldMap", "66": "RawData",
    "11.1": "PresentationState", "88.33": "StructuredReport", "88.59": "KeyObject",
    "104.1": "EncapsulatedDocument", "9.1.1": "", "481.13": "RTRadiation", "481.10": "RTIntent",
    "481.11": "RTSegmentAnnotation", "481.12": "RTRadiationSet", "481.14": "RTRadiation",
    "481.17": "RTRadiationRecord", "481.22": "RTPreparation",
}

# The property of the edge that keeps an attribute (graph-model.md 4).
KEPT = {
    "ReferencedFrameNumber": "frames", "ReferencedSegmentNumber": "segments",
    "ReferencedROINumber": "roi_numbers", "ReferencedBeamNumber": "beam_numbers",
    "BeamNumber": "beam_numbers", "ReferencedBrachyApplicationSetupNumber": "setup_numbers",
    "ApplicationSetupNumber": "setup_numbers", "ReferencedFractionGroupNumber": "fraction_groups",
    "FractionGroupNumber": "fraction_groups",
    "ReferencedStartControlPointIndex": "control_points",
    "ReferencedStopControlPointIndex": "control_points",
    "PurposeOfReferenceCodeSequence": "purpose", "DerivationCodeSequence": "derivation",
    "ConceptNameCodeSequence": "concept", "DoseSummationType": "summation",
    "RTPlanRelationship": "relationship",
}
# Attributes without a property on an edge: UIDs with hub nodes of their own, and numbers of what
# is no node.
NOT_KEPT = {
    "ReferencedWaveformChannels", "ReferenceImageNumber", "StartCumulativeMetersetWeight",
    "ReferencedPlanOverviewIndex", "ReferencedSurfaceNumber", "ReferencedSegmentReferenceIndex",
    "ReferencedRTPrescriptionSequence", "ValueType", "FiducialUID", "ReferencedFiducialUID",
    "ReferencedFiducialsUID", "ConceptualVolumeUID", "ReferencedConceptualVolumeUID",
    "ConstituentConceptualVolumeUID",
}
NESTED = {"ReferencedBeamSequence", "ReferencedFractionGroupSequence"}
SINGLE = {"summation", "relationship", "side", "path", "in_evidence"}
ON_EDGES: dict[str, set[str]] = {  # what each kind of edge keeps of these, REFERENCES by its start
    "Instance": {*KEPT.values(), *SINGLE, "items"},
    "Series": {"purpose", "derivation", "beam_numbers", "path"},
    "REFERENCES_SERIES": {"purpose"}, "REFERENCES_STUDY": {"purpose"}, "REFERENCES_FRAME": set(),
}
OF_PARTS = {"roi", "segment", "dose_reference"}
LEVELS = {  # labels of targets
    "conceptual_volume": "ConceptualVolume", "fiducial": "Fiducial", "tracking": "Tracking",
    "irradiation_event": "IrradiationEvent", "procedure_step": "ProcedureStep",
    "dosimetric_objective": "DosimetricObjective", "synchronization_frame": "SyncFrame",
    "dose_reference_group": "DoseReferenceGroup", "treatment_session": "TreatmentSession",
    "treatment_phase": "TreatmentPhase", "treatment_position_group": "TreatmentPositionGroup",
    "acquisition": "Acquisition", "instance": "Instance", "series": "Series", "study": "Study",
    "frame_of_reference": "FrameOfReference",
}



class Edge(NamedTuple):
    """An edge as it must be.

    `start` is Instance or Series, of the object; a part with the suffix of its key; or a frame with
    its UID. `properties` are JSON.
    """

    case: str
    type: str
    start: str
    target_labels: str
    target_key: str
    properties: str


def text(properties: dict[str, Any]) -> str:
    """Return properties in a form that can be compared and sorted."""
    return json.dumps(properties, sort_keys=True, default=str)


# --- what an object states -----------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class Hit:
    """An item that refers: the items down to it, the number of the outermost, and the UID."""

    row: Row
    stack: Stack
    number: int
    uid: str


def hits(case: Case) -> Iterator[Hit]:
    """Yield what the object states along each row of its class, and along none."""
    known: set[tuple[int, str]] = set()
    for row in ROWS:
        if case.sop_class in row["source_sop_classes"]:
            for stack, number, value in _at((case.elements,), row["path"], 0):
                known.add((id(stack[-1]), row["path"][-1]))
                if _fits(row, stack[-1]):
                    yield Hit(row, stack, number, value)
    for keyword, row_id in (("ReferencedSOPInstanceUID", "FALLBACK_INSTANCE"),
                            ("SeriesInstanceUID", "FALLBACK_SERIES")):
        for stack in _below((case.elements,)):
            if keyword in stack[-1] and (id(stack[-1]), keyword) not in known:
                yield Hit(BY_ID[row_id], stack, 0, str(stack[-1][keyword].value))


def _at(stack: Stack, path: Sequence[str], number: int) -> Iterator[tuple[Stack, int, str]]:
    step, *rest = path
    value = stack[-1].get(step.removesuffix("*"))
    if value is None:
        return
    if not rest:
        for one in value if isinstance(value, MultiValue) else [value]:
            yield stack, number, str(one)
        return
    for at, below in enumerate(value, 1):
        yield from _at((*stack, below), rest, number or at)
        if step.endswith("*"):
            yield from _at((*stack, below), path, number or at)


def _below(stack: Stack) -> Iterator[Stack]:
    for element in stack[-1]:
        for below in element.value if element.VR == "SQ" else ():
            yield (*stack, below)
            yield from _below((*stack, below))


def _fits(row: Row, last: Dataset) -> bool:
    """Tell whether a content item has the concept of its row."""
    concept = row["id"].partition("SR_UIDREF.")[2]
    return not concept or [c.CodeValue for c in last.ConceptNameCodeSequence] == [concept]


def _path(stack: Stack) -> str:
    """Return the concrete path to an item: keywords, or tags of private sequences."""
    steps = []
    for above, below in pairwise(stack):
        (element,) = (e for e in above if e.VR == "SQ" and any(i is below for i in e.value))
        steps.append(element.keyword or f"({element.tag.group:04X},{element.tag.element:04X})")
    return ">".join(steps)


def placed(case: Case) -> set[tuple[str, str]]:
    """Return (series, object) for what the object says about where its targets are."""
    targets = {e.target_key for e in expected(case) if e.type == "REFERENCES"}
    found: set[tuple[str, str]] = set()
    for stack in _below((case.elements,)):
        target = stack[-1].get("ReferencedSOPInstanceUID")
        series = [str(i.SeriesInstanceUID) for i in stack[1:] if "SeriesInstanceUID" in i]
        if series and target in targets:
            found.add((series[-1], str(target)))
    return found


# --- the edges -----------------------------------------------------------------------------------

@dataclass(slots=True)
class _Merged:
    """What the items say that make one edge."""

    row: Row
    n: int = 0
    classes: set[str] = field(default_factory=set)
    narrowed: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))


def expected(case: Case) -> list[Edge]:
    """Return the edges that an object makes, one for each type, role and target."""
    stated = list(hits(case))
    elsewhere = {hit.uid for hit in stated if hit.row["edge"] == "REFERENCES"}
    found: dict[tuple[str, str, str], _Merged] = {}
    for hit in stated:
        row = hit.row
        if row["role"] == "COMMON_REFERENCE" and hit.uid not in elsewhere:
            row = BY_ID["FALLBACK_INSTANCE"]
        if row["edge"] in OF_OBJECT:
            one = found.setdefault((row["edge"], _role(case, hit, row), hit.uid), _Merged(row))
            one.n += 1
            one.classes.update({hit.stack[-1].get("ReferencedSOPClassUID")} - {None})
            for name, value in _narrowed(hit, row):
                one.narrowed[name].add(value)
    _drop_what_is_listed(found)
    return [_stated(case, *key, one) for key, one in found.items()] + sorted(
        {edge for hit in stated for edge in _shared(case, hit)})


def _role(case: Case, hit: Hit, row: Row) -> str:
    role: str = row["role"]
    if row["role_from"] == "RTPlanRelationship":
        refined = TABLE["meta"]["relation_refinement"]["RTPlanRelationship"]
        role = refined.get(hit.stack[-1].get("RTPlanRelationship", ""), refined["other"])
    return "KEY_OBJECT" if role == "SR_CONTENT" and case.sop_class == KO else role


def _drop_what_is_listed(found: dict[tuple[str, str, str], _Merged]) -> None:
    """Images of contours are in the list of the set, evidence is cited in the content."""
    for kind, role, target in list(found):
        if role == "CONTOUR_IMAGE" and (kind, "STRUCTURE_SET_IMAGE", target) in found:
            del found[kind, role, target]
        if role == "EVIDENCE" and (kind, "SR_CONTENT", target) in found:
            del found[kind, role, target]
            found[kind, "SR_CONTENT", target].narrowed["in_evidence"].add(True)


def _narrowed(hit: Hit, row: Row) -> Iterator[tuple[str, Any]]:
    if row["id"] == "FALLBACK_INSTANCE":
        yield "path", _path(hit.stack)
    for qualifier in row["qualifiers"]:
        *ups, keyword = qualifier.split("/")
        yield from _values(hit.stack[-1 - len(ups)].get(keyword), keyword)
    if row["path"][0] in ("RegistrationSequence", "DeformableRegistrationSequence"):
        own, outermost = hit.stack[0].get("FrameOfReferenceUID"), hit.stack[1]
        frame = outermost.get("FrameOfReferenceUID") or outermost.get("SourceFrameOfReferenceUID")
        yield "items", hit.number
        yield "side", "REGISTERED" if own and frame == own else "SOURCE"


def _values(value: Any, keyword: str) -> Iterator[tuple[str, Any]]:
    """Yield what an attribute narrows; sequences of numbered parts are taken to pieces."""
    if value is None or keyword in NOT_KEPT:
        return
    if keyword.endswith("CodeSequence"):
        yield from ((KEPT[keyword], f"{c.CodingSchemeDesignator}^{c.CodeValue}") for c in value)
    elif keyword in KEPT:
        for one in value if isinstance(value, MultiValue) else [value]:
            yield KEPT[keyword], one if isinstance(one, str) else int(one)
    else:
        for below in value:
            for element in below:
                yield from _values(element.value, element.keyword)


def _stated(case: Case, kind: str, role: str, target: str, one: _Merged) -> Edge:
    """Return an edge of an object, or of its series, to an object, series, study or frame."""
    start = _start(case, one.row)
    kept = ON_EDGES[start if kind == "REFERENCES" else kind]
    properties: dict[str, Any] = {"role": role, "path_id": one.row["id"]} | {
        name: min(values) if name in SINGLE else sorted(values)
        for name, values in one.narrowed.items() if name in kept}
    if start == "Instance":
        properties["n"] = one.n
    label = LEVELS[one.row["target_level"]]
    stub = set() if one.row["missing"] == "frame_node" else {"Missing"}
    family: set[str] = set()
    if kind == "REFERENCES" and one.classes:
        (properties["stated_sop_class"],) = one.classes
        family.update(LABELS[properties["stated_sop_class"].removeprefix(PREFIX)].split())
    return Edge(case.name, kind, start, " ".join(sorted({label} | stub | family)), target,
                text(properties))


def _start(case: Case, row: Row) -> str:
    of_series = row["from"] == "series" or (
        row["from"] == "by_source" and case.sop_class in IMAGES)
    return "Series" if of_series else "Instance"


def _shared(case: Case, hit: Hit) -> Iterator[Edge]:
    """Yield the edge of a row to a frame, not by reference, or to what several objects share."""
    row, kind = hit.row, hit.row["edge"]
    label, start, target = LEVELS.get(row["target_level"], ""), _start(case, row), hit.uid
    properties: dict[str, Any] = {}
    if row["from"] in OF_PARTS:
        start = _part(row, hit.stack[1])
    if kind == "IN_FRAME":
        properties = {"source": "MODULE", "n_instances": 1}
    elif kind in ("STATES_UID", "PART_OF_STEP"):
        properties = {"role": row["role"]}
    elif kind == "REGISTERED_TO":
        start, target = f"{label} {hit.uid}", str(hit.stack[-2].FrameOfReferenceUID)
        properties = {
            "reg_uid": case.sop_uid, "transform_key": f"{case.sop_uid}#R1", "legacy": True,
            "direction": "SOURCE_TO_REGISTERED", "matrix_type": "AFFINE", "is_identity": False,
            "tx": 5.0, "ty": 0.0, "tz": 0.0}
    if kind not in (*OF_OBJECT, "-"):
        yield Edge(case.name, kind, start, label, target, text(properties))


def _part(row: Row, part: Dataset) -> str:
    label, number, letter = PARTS[row["path"][0]]
    return f"{label} #{letter}{part[number].value}"
