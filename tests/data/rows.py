"""Objects for every row of the reference table, which is read as JSON.

An object is what every object has, and one path of the table with the attributes that narrow it.
Numbers and UIDs differ from case to case, so that nothing can be mixed up. What edges they must
make is in `row_edges`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword

import rtgraph
from rtgraph.demo.objects import save
from tests.data.items import code, item, private_sequence, put, ref
from tests.data.small import new, uid

Row = dict[str, Any]
TABLE: dict[str, Any] = json.loads(
    (Path(rtgraph.__file__).parent / "graphmodel/references.json").read_text("utf-8"))
ROWS: list[Row] = TABLE["paths"]
BY_ID: dict[str, Row] = {row["id"]: row for row in ROWS}
PREFIX = "1.2.840.10008.5.1.4.1.1."
CT, STRUCT, PLAN, DOSE, REG, DEFORMABLE, KO, SR = (
    PREFIX + root for root in ("2", "481.3", "481.5", "481.2", "66.1", "66.3", "88.59", "88.33"))

# --- SOP classes ---------------------------------------------------------------------------------

# Classes of image objects among those of the table (graph-model.md 2.3); 30, 66.4, 66.5, 66.7,
# 481.1, 481.23 and 481.24 hold images, but write from the object.
IMAGES = {PREFIX + root for root in (
    "1", "1.1", "1.1.1", "2", "2.1", "2.2", "3.1", "4", "4.1", "4.2", "4.3", "4.4", "6.1", "6.2",
    "7", "7.1", "7.2", "7.3", "7.4", "12.1", "12.1.1", "12.2", "12.2.1", "13.1.1", "13.1.2", "20",
    "128", "128.1", "130")}
# Which class the items state for each family of targets.
TARGETS = {
    "IMAGE": CT, "RTSTRUCT": STRUCT, "RTPLAN": PLAN, "RTDOSE": DOSE, "RTIMAGE": PREFIX + "481.1",
    "RTRECORD": PREFIX + "481.4", "REG": REG, "FID": PREFIX + "66.2", "SEG": PREFIX + "66.4",
    "RWV": PREFIX + "67", "RAW": PREFIX + "66", "PR": PREFIX + "11.1", "SR": SR, "KO": KO,
    "DOC": PREFIX + "104.1", "WF": PREFIX + "9.1.1", "RT2": PREFIX + "481.13",
    "RT2.INTENT": PREFIX + "481.10", "RT2.SEGANN": PREFIX + "481.11",
    "RT2.RADSET": PREFIX + "481.12", "RT2.RADIATION": PREFIX + "481.14",
    "RT2.RECORD": PREFIX + "481.17", "RT2.PREP": PREFIX + "481.22", "ANY": PREFIX + "481.8",
    # the path decides: a class of stored objects must not make an object of these
    "SERIES": CT, "STUDY": CT, "PATIENT": CT, "PROC": "1.2.840.10008.3.1.2.3.3",
}
# Parts of objects at which edges start: label, number and letter of their keys.
PARTS = {"StructureSetROISequence": ("ROI", "ROINumber", ""),
         "SegmentSequence": ("Segment", "SegmentNumber", "S"),
         "DoseReferenceSequence": ("DoseReference", "DoseReferenceNumber", "D")}


@dataclass(frozen=True, slots=True)
class Case:
    """An object with its class; `rows` are the rows that it is there for."""

    name: str
    rows: tuple[str, ...]
    sop_class: str
    elements: Dataset

    @property
    def sop_uid(self) -> str:
        """SOP Instance UID of the object."""
        return uid(f"object: {self.name}")

    @property
    def series_uid(self) -> str:
        """Series Instance UID: every object has a series of its own."""
        return uid(f"series: {self.name}")

    def write(self, folder: Path, number: int) -> None:
        """Write the object as a file."""
        ds = new(f"object: {self.name}", series=f"series: {self.name}", modality="OT",
                 sop_class=self.sop_class)
        ds.update(self.elements)
        save(ds, folder / f"{number:04}.dcm")


# --- objects -------------------------------------------------------------------------------------

def holding(row: Row, name: str, sop_class: str, value: str, number: int = 1) -> Dataset:
    """Return the elements of an object that has this path, with all that narrows and locates it.

    `value` is what refers, `number` the first of those that narrow it.
    """
    stack = [Dataset()]
    steps = [step for name in row["path"][:-1] for step in (
        ["ContentSequence", "ContentSequence"] if name == "ContentSequence*" else [name])]
    for at, step in enumerate(steps, 1):
        below = item()
        put(stack[-1], **{step: [below]})
        stack.append(below)
        for level in ("SeriesInstanceUID", "StudyInstanceUID"):
            if (*steps[:at], level) in _paths(sop_class) and row["path"][-1] != level:
                put(below, **{level: uid(f"{level}: {name}")})
        if step in PARTS:
            put(below, **{PARTS[step][1]: number})
    put(stack[-1], **{row["path"][-1]: value})
    if row["path"][-1] == "ReferencedSOPInstanceUID":
        stated = row["expected_targets"][number % len(row["expected_targets"])]
        put(stack[-1], ReferencedSOPClassUID=TARGETS[stated])
    for qualifier in row["qualifiers"]:
        *ups, keyword = qualifier.split("/")
        put(stack[-1 - len(ups)], **{keyword: _narrowing(row, keyword, name, number)})
    return stack[0]


@cache
def _paths(sop_class: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(row["path"]) for row in ROWS if sop_class in row["source_sop_classes"])


def _narrowing(row: Row, keyword: str, name: str, number: int) -> object:
    """Return a value for an attribute that narrows a reference."""
    if keyword == "ConceptNameCodeSequence":
        return [code(row["id"].partition("SR_UIDREF.")[2] or str(113000 + number))]
    if keyword == "ReferencedBeamSequence":
        return [item(ReferencedBeamNumber=n) for n in (number, number + 1)]
    if keyword == "ReferencedFractionGroupSequence":
        points = item(ReferencedStartControlPointIndex=number,
                      ReferencedStopControlPointIndex=number + 4)
        return [item(
            ReferencedFractionGroupNumber=number + 1,
            ReferencedBeamSequence=[item(ReferencedBeamNumber=number + 2,
                                         ReferencedControlPointSequence=[points])],
            ReferencedBrachyApplicationSetupSequence=[
                item(ReferencedBrachyApplicationSetupNumber=number + 3)])]
    if keyword == "ReferencedRTPrescriptionSequence":
        return [item(ReferencedRTPrescriptionIndex=number)]
    texts = {"DoseSummationType": "BEAM", "RTPlanRelationship": "SIMILAR", "ValueType": "UIDREF"}
    by_vr = {"SQ": [code(str(112000 + number))], "UI": uid(f"{keyword}: {name}"), "DS": "0.5",
             "FD": 0.5, "FL": 0.5}
    tag = tag_for_keyword(keyword)
    assert tag is not None
    several = keyword in ("ReferencedFrameNumber", "ReferencedSegmentNumber",
                          "ReferencedWaveformChannels")
    return texts.get(keyword) or by_vr.get(
        dictionary_VR(tag), [number, number + 2] if several else number)


def _root(sop_class: str, name: str) -> Dataset:
    """Return what an object has besides: a structure set its frame, so that it inherits none."""
    frame = uid(f"frame: {name}")
    return item(FrameOfReferenceUID=frame) if sop_class == STRUCT else Dataset()


def _of_row(number: int, row: Row) -> Iterator[Case]:
    """Yield an object that has the row; of a row `by_source` an image and another object."""
    classes = row["source_sop_classes"]
    kinds = {"": classes}
    if row["from"] == "by_source":
        kinds = {" of an image": [c for c in classes if c in IMAGES],
                 " of an object": [c for c in classes if c not in IMAGES]}
    for suffix, among in kinds.items():
        if among:
            name, sop_class = row["id"] + suffix, among[number % len(among)]
            elements = _root(sop_class, name)
            elements.update(holding(row, name, sop_class, uid(f"target: {name}"), number % 80 + 1))
            yield Case(name, (row["id"],), sop_class, elements)


def _refined() -> Iterator[Case]:
    """Yield objects whose role an attribute refines, and merged evidence."""
    for value in TABLE["meta"]["relation_refinement"]["RTPlanRelationship"]:
        if value != "other":
            yield Case(value, ("RELATED_PLAN",), PLAN, item(ReferencedRTPlanSequence=[
                ref(uid(f"target: {value}"), PLAN, RTPlanRelationship=value)]))
    cited = BY_ID["SR_CONTENT"]
    yield Case("key object", ("SR_CONTENT",), KO, holding(
        cited, "key object", KO, uid("target: key object"), 7))
    both = holding(cited, "in evidence", SR, uid("target: in evidence"), 8)
    both.update(holding(BY_ID["EVIDENCE"], "in evidence", SR, uid("target: in evidence"), 8))
    yield Case("in evidence", ("SR_CONTENT", "EVIDENCE"), SR, both)


def _registered() -> Iterator[Case]:
    """Yield registrations with the fixed data in the first item, the moving in the second."""
    for name, row, sop_class, sequence, frame in (
        ("rigid", "REGISTRATION_IMAGE", REG, "RegistrationSequence", "FrameOfReferenceUID"),
        ("deformable", "REGISTRATION_IMAGE.2", DEFORMABLE, "DeformableRegistrationSequence",
         "SourceFrameOfReferenceUID"),
    ):
        yield Case(name, (row,), sop_class, item(
            FrameOfReferenceUID=uid(f"frame: {name} fixed"),
            **{sequence: [
                item(**{frame: uid(f"frame: {name} {side}")},
                     ReferencedImageSequence=[ref(uid(f"target: {name} {side}"))])
                for side in ("fixed", "moving")]}))


def _indexed() -> Iterator[Case]:
    """Yield objects whose Common Instance Reference lists what they refer to, or refers alone."""
    for row_id in ("COMMON_REFERENCE", "COMMON_REFERENCE.2"):
        row = BY_ID[row_id]
        for suffix, known in ((" elsewhere too", True), (" alone", False)):
            name = row_id + suffix
            target = uid(f"target: {name}")
            elements = holding(row, name, DOSE, target)
            if known:
                put(elements, ReferencedRTPlanSequence=[ref(target, PLAN)])
            yield Case(name, (row_id,), DOSE, elements)


def _contoured() -> Iterator[Case]:
    """Yield structure sets whose contours name an image that is listed, and one that is not."""
    elements = holding(BY_ID["STRUCTURE_SET_IMAGE"], "contoured", STRUCT, uid("target: contoured"))
    elements.update(_root(STRUCT, "contoured"))
    put(elements, ROIContourSequence=[item(ReferencedROINumber=1, ContourSequence=[
        item(ContourImageSequence=[ref(uid(f"target: {name}"))], ContourData=["1", "2", "3"])
        for name in ("contoured", "contours only", "contours only")])])
    yield Case("contoured", ("STRUCTURE_SET_IMAGE", "CONTOUR_IMAGE"), STRUCT, elements)


def _legacy() -> Iterator[Case]:
    """Yield a structure set with a retired transform: 5 mm along x, to the listed frame."""
    name, row = "LEGACY_FRAME_RELATION", BY_ID["LEGACY_FRAME_RELATION"]
    elements = holding(row, name, STRUCT, uid(f"target: {name}"))
    elements.update(_root(STRUCT, name))
    listed = elements.ReferencedFrameOfReferenceSequence[0]
    put(listed, FrameOfReferenceUID=uid("frame: listed"))
    put(listed.FrameOfReferenceRelationshipSequence[0],
        FrameOfReferenceTransformationType="HOMOGENEOUS",
        FrameOfReferenceTransformationMatrix=["1", "0", "0", "5", "0", "1", "0", "0",
                                              "0", "0", "1", "0", "0", "0", "0", "1"])
    yield Case(name, (name,), STRUCT, elements)


def _unknown() -> Iterator[Case]:
    """Yield objects that refer where the table knows nothing: from an image, from another."""
    for suffix, sop_class in ((" of an image", CT), (" of an object", PLAN)):
        name = f"FALLBACK_INSTANCE{suffix}"
        yield Case(name, ("FALLBACK_INSTANCE",), sop_class, private_sequence(
            [item(BeamSequence=[ref(uid(f"target: {name}"), DOSE)])]))
        name = f"FALLBACK_SERIES{suffix}"
        yield Case(name, ("FALLBACK_SERIES",), sop_class, private_sequence(
            [item(SeriesInstanceUID=uid(f"target: {name}"))]))


@cache
def cases() -> tuple[Case, ...]:
    """Return all objects: one for every row, and those whose edges depend on more than a row."""
    special = {"COMMON_REFERENCE", "COMMON_REFERENCE.2", "LEGACY_FRAME_RELATION",
               "FALLBACK_INSTANCE", "FALLBACK_SERIES"}
    of_rows = [case for number, row in enumerate(ROWS) if row["id"] not in special
               for case in _of_row(number, row)]
    return (*of_rows, *_refined(), *_registered(), *_indexed(), *_contoured(), *_legacy(),
            *_unknown())
