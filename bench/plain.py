"""What reading is compared with: the same attributes and references, taken out by plain pydicom.

Written as a careful user of pydicom would: `dcmread` without pixels, elements by keyword, and
recursion along the tree of references. With `everything` it looks into all other sequences too,
since rtgraph finds references that are in no table; then both take out the same. There is no digest
and no normalising here, so the comparison errs on the side of pydicom.
"""

from typing import Any

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset

from rtgraph.graphmodel.families import family
from rtgraph.graphmodel.nodes import IMAGE_SERIES, INSTANCE, PATIENT, SERIES, STUDY
from rtgraph.graphmodel.references import Branch, tree

_FRAME_AND_TIMES = ("FrameOfReferenceUID", "SeriesDate", "SeriesTime", "AcquisitionDate",
                    "AcquisitionTime", "ContentDate", "ContentTime", "InstanceCreationDate",
                    "InstanceCreationTime", "ImagePositionPatient", "ImageOrientationPatient")
_ABOUT = ("ReferencedSOPClassUID", "ReferencedFrameNumber", "ReferencedSegmentNumber")


def read(path: str, *, everything: bool) -> tuple[dict[str, Any], list[tuple[str, str, Any]]]:
    """Return values by keyword, and references as (path, UID, what is said about it)."""
    ds = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    kind = family(ds.get("SOPClassUID"))
    image = IMAGE_SERIES if kind.is_image else ()
    values = {
        p.name: _first_item(ds, p.below).get(p.name)
        for level in (PATIENT, STUDY, SERIES, image, INSTANCE, kind.properties) for p in level
        if p.stated
    }
    values |= {keyword: ds.get(keyword) for keyword in _FRAME_AND_TIMES}
    values |= _of_family(ds, kind.labels)
    found: list[tuple[str, str, Any]] = []
    walk = _walk_all if everything else _walk
    walk(ds, tree(str(ds.get("SOPClassUID"))), "", found)
    return values, found


def _first_item(ds: Dataset, below: tuple[str, ...]) -> Dataset:
    for keyword in below:
        items = ds.get(keyword)
        ds = items[0] if items else Dataset()
    return ds


def _of_family(ds: Dataset, labels: tuple[str, ...]) -> dict[str, Any]:
    """Take out what derived properties are counted from."""
    facts: dict[str, Any] = {}
    if "RTStruct" in labels:
        facts["roi_names"] = [i.get("ROIName") for i in ds.get("StructureSetROISequence", ())]
    if "RTPlan" in labels:
        facts["beams"] = [b.get("TreatmentDeliveryType") for b in ds.get("BeamSequence", ())]
        facts["fractions"] = [g.get("NumberOfFractionsPlanned")
                              for g in ds.get("FractionGroupSequence", ())]
    if "RTDose" in labels:
        facts["offsets"] = len(ds.get("GridFrameOffsetVector", ()))
        facts["dvhs"] = len(ds.get("DVHSequence", ()))
    return facts


def _walk(ds: Dataset, branch: Branch, path: str, found: list[tuple[str, str, Any]]) -> None:
    for keyword in branch.leaves:
        uid = ds.get(keyword)
        if uid:
            found.append((f"{path}>{keyword}", uid, [ds.get(k) for k in _ABOUT]))
    for keyword, below in branch.below.items():
        for item in ds.get(keyword, None) or ():
            _walk(item, below, f"{path}>{keyword}", found)


def _walk_all(ds: Dataset, branch: Branch, path: str, found: list[tuple[str, str, Any]]) -> None:
    """Walk as `_walk` does, and into every other sequence; nothing else is converted."""
    for keyword in {"ReferencedSOPInstanceUID", *branch.leaves} if path else branch.leaves:
        uid = ds.get(keyword)
        if uid:
            found.append((f"{path}>{keyword}", uid, [ds.get(k) for k in _ABOUT]))
    for tag in list(ds.keys()):
        vr = getattr(ds.get_item(tag), "VR", None)
        if vr is None and dictionary_has_tag(tag):  # implicit
            vr = dictionary_VR(tag)
        if vr == "SQ":
            keyword = keyword_for_tag(tag) or str(tag)
            below = branch.below.get(keyword, _NOWHERE)
            for item in ds[tag].value or ():
                _walk_all(item, below, f"{path}>{keyword}", found)


_NOWHERE = Branch()
