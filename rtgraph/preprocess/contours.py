"""Structure sets as they stand in the file: ROIs by number, contours with what is wrong with them.

Nothing is judged by geometry here, and nothing is lost: an ROI without contours, a contour that
cannot be read and a number that stands twice are values. PS3.3 C.8.8.5, C.8.8.6, C.8.8.8.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from rtgraph.preprocess.mapping import Mapping

Floats = NDArray[np.float64]
CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
OPEN = frozenset({"OPEN_PLANAR", "OPEN_NONPLANAR"})
EXCLUSIVE = "CLOSEDPLANAR_XOR"


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """One item of ContourSequence.

    Attributes
    ----------
    index : int
        Place in the sequence, from 0.
    geometric_type : str
        ContourGeometricType, CLOSED_PLANAR when it is absent.
    n_points_stated : int or None
        NumberOfContourPoints.
    points : (n, 3) float64
        ContourData, LPS, mm; without the last point where it repeats the first.
    reason : str
        ODD_LENGTH when ContourData is no list of triplets, NOT_NUMBERS when it is no list of
        numbers, else empty.
    has_offset : bool
        A ContourOffsetVector that is not zero is stated.
    """

    index: int
    geometric_type: str
    n_points_stated: int | None
    points: Floats
    reason: str = ""
    has_offset: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """A region of interest.

    Attributes
    ----------
    number, name, interpreted_type
        ROINumber, ROIName as written, RTROIInterpretedType of its first observation.
    frame_uid : str
        ReferencedFrameOfReferenceUID.
    colour : tuple of int or None
        ROIDisplayColor.
    ambiguous : bool
        Several ROIs of the set have this number: contours cannot be told to belong to one.
    """

    number: int
    name: str
    interpreted_type: str = ""
    frame_uid: str = ""
    colour: tuple[int, int, int] | None = None
    contours: tuple[Contour, ...] = ()
    ambiguous: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class StructureSet:
    """What a structure set says.

    Attributes
    ----------
    sop_uid, frame_uid
        Own UID; module frame of reference, else the only one that is listed, else empty.
    rois : tuple of Roi
        In the order of StructureSetROISequence.
    image_uids : frozenset of str
        Images that it names, in lists and in contours.
    series_uids : tuple of str
        Image series that it lists.
    orphans : tuple of int
        Numbers of ROIContourSequence that no ROI has.
    """

    sop_uid: str
    frame_uid: str
    rois: tuple[Roi, ...]
    image_uids: frozenset[str] = field(default_factory=frozenset)
    series_uids: tuple[str, ...] = ()
    orphans: tuple[int, ...] = ()


def read_structures(ds: Dataset) -> StructureSet:
    """Return the ROIs of a structure set; ROIs, contours and observations meet by ROINumber."""
    stated = list(ds.get("StructureSetROISequence") or ())
    numbers = [_whole(item.get("ROINumber")) for item in stated]
    drawn: dict[int | None, list[Dataset]] = {}
    for item in ds.get("ROIContourSequence") or ():
        drawn.setdefault(_whole(item.get("ReferencedROINumber")), []).append(item)
    types: dict[int | None, str] = {}
    for item in ds.get("RTROIObservationsSequence") or ():
        types.setdefault(_whole(item.get("ReferencedROINumber")),
                         str(item.get("RTROIInterpretedType") or ""))
    rois = []
    for item, number in zip(stated, numbers, strict=True):
        if number is None:
            continue
        ambiguous = numbers.count(number) > 1
        items = drawn.get(number, [])
        rois.append(Roi(
            number, str(item.get("ROIName") or ""), types.get(number, ""),
            str(item.get("ReferencedFrameOfReferenceUID") or ""),
            next((c for i in items if (c := _colour(i))), None),
            () if ambiguous else tuple(_contours(items)), ambiguous))
    listed = list(_listed(ds))
    frames = list(dict.fromkeys(frame for frame, _, _ in listed if frame))
    frame = str(ds.get("FrameOfReferenceUID") or "") or (frames[0] if len(frames) == 1 else "")
    return StructureSet(
        str(ds.get("SOPInstanceUID", "")), frame, tuple(rois),
        frozenset(uid for _, _, uids in listed for uid in uids) | frozenset(_drawn_on(ds)),
        tuple(dict.fromkeys(series for _, series, _ in listed if series)),
        tuple(sorted(n for n in drawn if n is not None and n not in numbers)))


def carried(found: StructureSet, mapping: Mapping) -> StructureSet:
    """Return a structure set with its contours carried into another frame of reference."""
    return replace(found, rois=tuple(replace(r, contours=tuple(
        replace(c, points=mapping.carry(c.points)[0]) for c in r.contours)) for r in found.rois))


def _listed(ds: Dataset) -> Iterator[tuple[str, str, list[str]]]:
    """Yield frame, series and images of ReferencedFrameOfReferenceSequence."""
    for frame in ds.get("ReferencedFrameOfReferenceSequence") or ():
        uid = str(frame.get("FrameOfReferenceUID") or "")
        yield uid, "", []
        for study in frame.get("RTReferencedStudySequence") or ():
            for series in study.get("RTReferencedSeriesSequence") or ():
                images = series.get("ContourImageSequence") or ()
                yield (uid, str(series.get("SeriesInstanceUID") or ""),
                       [str(i.get("ReferencedSOPInstanceUID")) for i in images])


def _drawn_on(ds: Dataset) -> Iterator[str]:
    for item in ds.get("ROIContourSequence") or ():
        for contour in item.get("ContourSequence") or ():
            for image in contour.get("ContourImageSequence") or ():
                yield str(image.get("ReferencedSOPInstanceUID"))


def _contours(items: list[Dataset]) -> Iterator[Contour]:
    index = 0
    for item in items:
        for contour in item.get("ContourSequence") or ():
            yield _contour(index, contour)
            index += 1


def _contour(index: int, ds: Dataset) -> Contour:
    values = _decimals(ds, "ContourData")
    kind = str(ds.get("ContourGeometricType") or "CLOSED_PLANAR").strip().upper()
    offset = _decimals(ds, "ContourOffsetVector")
    moved = offset is not None and bool(np.any(offset != 0))
    stated = _whole(ds.get("NumberOfContourPoints"))
    if values is None or len(values) % 3:
        reason = "NOT_NUMBERS" if values is None else "ODD_LENGTH"
        return Contour(index, kind, stated, np.zeros((0, 3)), reason, moved)
    points = values.reshape(-1, 3)
    if stated is None:
        stated = len(points)
    if kind in CLOSED and len(points) > 1 and np.array_equal(points[0], points[-1]):
        stated = stated - 1 if stated == len(points) else stated
        points = points[:-1]
    return Contour(index, kind, stated, points, "", moved)


def _decimals(ds: Dataset, keyword: str) -> Floats | None:
    """Return a list of decimal strings as numbers; None when one of them is none.

    The bytes are read as they are: to make objects of millions of decimal strings takes minutes.
    """
    if keyword not in ds:
        return np.zeros(0)
    element: Any = ds.get_item(keyword)
    value = element.value
    try:
        if isinstance(element, RawDataElement) and isinstance(value, bytes):
            text = value.rstrip(b"\0 ")
            numbers = np.array(text.split(b"\\")).astype(np.float64) if text else np.zeros(0)
        else:
            numbers = np.atleast_1d(np.array(value, np.float64)) if value else np.zeros(0)
    except (ValueError, TypeError):
        return None
    return numbers if bool(np.all(np.isfinite(numbers))) else None


def _whole(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _colour(item: Dataset) -> tuple[int, int, int] | None:
    try:
        red, green, blue = (int(c) for c in item.get("ROIDisplayColor") or ())
    except (ValueError, TypeError):
        return None
    return red, green, blue
