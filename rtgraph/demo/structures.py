"""Builder of RT Structure Sets (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8). Contours are in mm, LPS."""

from collections.abc import Sequence
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.uid import RTStructureSetStorage

from rtgraph.demo.objects import (
    ImageStack,
    ObjectRef,
    Series,
    da,
    decimals,
    fill,
    item,
    new_object,
    put_approval,
    tm,
)
from rtgraph.demo.phantom import Organ, outlines

# Retired class that structure sets still state for the study of their images.
DETACHED_STUDY_MANAGEMENT = "1.2.840.10008.3.1.2.3.1"


def structure_set(
    series: Series,
    uid: str,
    *,
    when: datetime,
    label: str,
    stack: ImageStack,
    organs: Sequence[Organ],
    frame_uid: str | None = None,
    approved: datetime | None = None,
    predecessor: ObjectRef | None = None,
) -> Dataset:
    """Return a structure set drawn on an image series.

    Parameters
    ----------
    series, uid, when, label
        Series, UID, time and StructureSetLabel of the object.
    stack : ImageStack
        Images the contours lie on; all of them are listed.
    organs : sequence of Organ
        ROIs, in the coordinates of the stack.
    frame_uid : str, optional
        Frame that is stated; that of the stack when absent.
    approved : datetime, optional
        Time of approval.
    predecessor : ObjectRef, optional
        Structure set this one was made from.
    """
    frame = frame_uid or stack.frame_uid
    ds = new_object(series, RTStructureSetStorage, uid, number=1, when=when, frame_uid=frame)
    study = ObjectRef(DETACHED_STUDY_MANAGEMENT, stack.series.study.uid)
    images = item(
        SeriesInstanceUID=stack.series.uid,
        ContourImageSequence=[ref.item() for ref in stack.refs],
    )
    fill(
        ds,
        StructureSetLabel=label,
        StructureSetDate=da(when),
        StructureSetTime=tm(when),
        ReferencedFrameOfReferenceSequence=[
            item(
                FrameOfReferenceUID=frame,
                RTReferencedStudySequence=[study.item(RTReferencedSeriesSequence=[images])],
            )
        ],
        StructureSetROISequence=[
            item(
                ROINumber=organ.number,
                ReferencedFrameOfReferenceUID=frame,
                ROIName=organ.name,
                ROIGenerationAlgorithm="MANUAL",
            )
            for organ in organs
        ],
        ROIContourSequence=[_roi_contours(organ, stack) for organ in organs],
        RTROIObservationsSequence=[
            item(
                ObservationNumber=organ.number,
                ReferencedROINumber=organ.number,
                RTROIInterpretedType=organ.roi_type,
                ROIInterpreter="",
            )
            for organ in organs
        ],
    )
    if predecessor is not None:
        ds.PredecessorStructureSetSequence = [predecessor.item()]
    put_approval(ds, approved)
    return ds


def _roi_contours(organ: Organ, stack: ImageStack) -> Dataset:
    """Return the item of an ROI in ROIContourSequence."""
    refs = stack.refs
    contours = [
        item(
            ContourImageSequence=[refs[index].item()],
            ContourGeometricType="CLOSED_PLANAR",
            NumberOfContourPoints=len(points),
            ContourNumber=number,
            ContourData=decimals(points.round(2).ravel()),
        )
        for number, (index, points) in enumerate(outlines(organ, stack.grid), start=1)
    ]
    return item(
        ROIDisplayColor=list(organ.colour),
        ReferencedROINumber=organ.number,
        ContourSequence=contours,
    )
