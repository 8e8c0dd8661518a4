"""Further objects of a course: registration, segmentation, report, RT Images, brachytherapy."""

import struct
from collections.abc import Sequence

import numpy as np
from pydicom import Dataset
from pydicom.uid import (
    CArmPhotonElectronRadiationRecordStorage,
    CArmPhotonElectronRadiationStorage,
    ComprehensiveSRStorage,
    DeformableSpatialRegistrationStorage,
    RTBrachyTreatmentRecordStorage,
    RTPlanStorage,
    RTRadiationRecordSetStorage,
    RTRadiationSetStorage,
    RTStructureSetStorage,
    SegmentationStorage,
)

from rtgraph.demo import images
from rtgraph.demo.chart import LINAC, PLANNING
from rtgraph.demo.objects import (
    ImageStack,
    ObjectRef,
    code,
    da,
    decimals,
    fill,
    item,
    new_object,
    put_approval,
    put_common_references,
    tm,
)
from rtgraph.demo.phantom import rigid
from tests.data.checks.course import GRID, MACHINE, Course, at, scan, stack_of
from tests.data.small import encoded


def mr_with_registration(course: Course) -> None:
    """Add an MR in a frame of its own and its registration to the CT."""
    mr = scan(course, "mr", modality="MR", n=2, frame="mr_frame", study="mr")
    register(course, "reg", mr)


def register(course: Course, name: str, moving: ImageStack, shift: Sequence[float] = (4, -6, 9),
             day: int = 1) -> Dataset:
    """Add a rigid registration of images to the CT."""
    series = course.series(f"{name}_series", "REG", PLANNING, "planning", day)
    x, y, z = shift
    return course.put(name, images.registration(
        series, course.uid(name), when=at(day), number=1, fixed=stack_of(course, "ct"),
        moving=moving, matrix=rigid((x, y, z))))


def deformable(course: Course, name: str, moving: ImageStack) -> Dataset:
    """Add a deformable registration of images to the CT; its one item moves them."""
    series = course.series(f"{name}_series", "REG", PLANNING)
    fixed = stack_of(course, "ct")
    ds = new_object(series, DeformableSpatialRegistrationStorage, course.uid(name), number=1,
                    when=at(1), frame_uid=fixed.frame_uid)
    fill(ds, ContentDate=da(at(1)), ContentTime=tm(at(1)), ContentLabel="DEFORMED",
         DeformableRegistrationSequence=[item(
             SourceFrameOfReferenceUID=moving.frame_uid,
             ReferencedImageSequence=[ref.item() for ref in moving.refs],
             DeformableRegistrationGridSequence=[item(
                 GridDimensions=[2, 2, 2], GridResolution=[4.0, 4.0, 4.0],
                 ImagePositionPatient=decimals((0, 0, 0)),
                 ImageOrientationPatient=decimals((1, 0, 0, 0, 1, 0)))])])
    put_common_references(ds, [moving])
    return course.put(name, ds)


def segmentation(course: Course, name: str = "seg", sources: Sequence[ImageStack] = (),
                 numbers: Sequence[int] = (1, 2), frame: str = "frame") -> Dataset:
    """Add a segmentation with these segment numbers, made on images, the CT if not named."""
    stacks = sources or [stack_of(course, "ct")]
    series = course.series(f"{name}_series", "SEG", PLANNING)
    ds = new_object(series, SegmentationStorage, course.uid(name), number=1, when=at(1),
                    frame_uid=course.uid(frame))
    tissue = [code("85756007", "SCT", "Tissue")]
    fill(
        ds,
        ContentDate=da(at(1)), ContentTime=tm(at(1)), ContentLabel="SEGMENTS",
        SegmentationType="BINARY", NumberOfFrames=3, Rows=4, Columns=4,
        SegmentSequence=[
            item(SegmentNumber=n, SegmentLabel=f"Segment {n}", SegmentAlgorithmType="MANUAL",
                 SegmentedPropertyCategoryCodeSequence=tissue,
                 SegmentedPropertyTypeCodeSequence=tissue) for n in numbers],
        PerFrameFunctionalGroupsSequence=[
            item(DerivationImageSequence=[item(SourceImageSequence=[ref.item()])])
            for stack in stacks for ref in stack.refs],
    )
    put_common_references(ds, stacks)
    return course.put(name, ds)


def report(course: Course, cited: Sequence[str] = ("ct1", "ct2"),
           evidence: Sequence[str] = ("ct1", "ct2")) -> Dataset:
    """Add a structured report that cites slices, with the evidence that it lists."""
    series = course.series("report_series", "SR", PLANNING)
    ds = new_object(series, ComprehensiveSRStorage, course.uid("report"), number=1, when=at(2))
    fill(
        ds,
        ContentDate=da(at(2)), ContentTime=tm(at(2)), ValueType="CONTAINER",
        ContinuityOfContent="SEPARATE", CompletionFlag="COMPLETE", VerificationFlag="UNVERIFIED",
        ConceptNameCodeSequence=[code("18748-4", "LN", "Diagnostic Imaging Report")],
        ContentSequence=[
            item(RelationshipType="CONTAINS", ValueType="IMAGE",
                 ConceptNameCodeSequence=[code("121180", "DCM", "Key Images")],
                 ReferencedSOPSequence=[course.ref(name).item()]) for name in cited],
    )
    if evidence:
        listed = item(SeriesInstanceUID=course.uid("ct_series"),
                      ReferencedSOPSequence=[course.ref(name).item() for name in evidence])
        ds.CurrentRequestedProcedureEvidenceSequence = [
            item(StudyInstanceUID=course.uid("planning"), ReferencedSeriesSequence=[listed])]
    return course.put("report", ds)


def rt_image(course: Course, name: str = "portal", kind: str = "PORTAL", beam: int = 1) -> Dataset:
    """Add the image of a beam of the plan: a portal image of fraction 1, or a DRR."""
    portal = kind != "DRR"
    series = course.series(f"{name}_series", "RTIMAGE", LINAC if portal else PLANNING,
                           "treatment" if portal else "planning", 7 if portal else 3)
    return course.put(name, images.rt_image(
        series, course.uid(name), when=at(7 if portal else 3, 15), number=1, kind=kind,
        label="AP", plan=ObjectRef(RTPlanStorage, course.uid("plan")), beam=(beam, 0.0), grid=GRID,
        values_hu=np.zeros(GRID.shape[::-1], np.int16), machine=MACHINE,
        frame_uid=None if portal else course.uid("frame"), fraction=1 if portal else None,
        image_plane_mm=1500.0))


def brachy_plan(course: Course, name: str = "brachy") -> Dataset:
    """Add an approved plan of one application setup with an applicator ROI, and no beam."""
    series = course.series(f"{name}_series", "RTPLAN", PLANNING)
    ds = new_object(series, RTPlanStorage, course.uid(name), number=1, when=at(3),
                    frame_uid=course.uid("frame"))
    structures = ObjectRef(RTStructureSetStorage, course.uid("structures"))
    fill(
        ds,
        RTPlanLabel="Brachy", RTPlanDate=da(at(3)), RTPlanTime=tm(at(3)), PlanIntent="CURATIVE",
        RTPlanGeometry="PATIENT", ReferencedStructureSetSequence=[structures.item()],
        DoseReferenceSequence=[item(
            DoseReferenceNumber=1, DoseReferenceStructureType="VOLUME",
            DoseReferenceType="TARGET", ReferencedROINumber=3, TargetPrescriptionDose="14")],
        BrachyTreatmentTechnique="INTRACAVITARY", BrachyTreatmentType="HDR",
        FractionGroupSequence=[item(
            FractionGroupNumber=1, NumberOfFractionsPlanned=2, NumberOfBeams=0,
            NumberOfBrachyApplicationSetups=1,
            ReferencedBrachyApplicationSetupSequence=[item(
                ReferencedBrachyApplicationSetupNumber=1)])],
        ApplicationSetupSequence=[item(
            ApplicationSetupType="VAGINAL", ApplicationSetupNumber=1,
            TotalReferenceAirKerma="1000",
            BrachyAccessoryDeviceSequence=[item(
                BrachyAccessoryDeviceNumber=1, BrachyAccessoryDeviceID="A",
                BrachyAccessoryDeviceType="SHIELD", ReferencedROINumber=3)],
            ChannelSequence=[])],
    )
    put_approval(ds, at(3, 13))
    return course.put(name, ds)


def brachy_record(course: Course, setup: int = 1) -> Dataset:
    """Add the record of the first fraction of the brachytherapy plan."""
    series = course.series("brachy_record_series", "RTRECORD", LINAC, "treatment", 8)
    ds = new_object(series, RTBrachyTreatmentRecordStorage, course.uid("brachy_record"), number=1,
                    when=at(8))
    fill(
        ds,
        TreatmentDate=da(at(8)), TreatmentTime=tm(at(8)),
        ReferencedRTPlanSequence=[course.ref("brachy").item()],
        TreatmentSessionApplicationSetupSequence=[item(
            ReferencedBrachyApplicationSetupNumber=setup, CurrentFractionNumber=1,
            TreatmentDeliveryType="TREATMENT", TreatmentTerminationStatus="NORMAL",
            TreatmentVerificationStatus="VERIFIED")])
    return course.put("brachy_record", ds)


def second_generation(course: Course) -> None:
    """Add a radiation set of two radiations in one position group, and the records of both."""
    def new(name: str, sop_class: str) -> Dataset:
        series = course.series(f"{name}_series", "RTRAD", PLANNING)
        return course.put(name, new_object(series, sop_class, course.uid(name), number=1,
                                           when=at(3), frame_uid=course.uid("frame")))

    radiations, records = ("radiation1", "radiation2"), ("rad_record1", "rad_record2")
    for name in radiations:
        new(name, CArmPhotonElectronRadiationStorage)
    items = [course.ref(name).item() for name in radiations]
    fill(new("radiation_set", RTRadiationSetStorage), RTRadiationSequence=items,
         TreatmentPositionGroupSequence=[item(
             TreatmentPositionGroupUID=course.uid("position"),
             ReferencedRTRadiationSequence=[course.ref(name).item() for name in radiations])])
    for name, radiation in zip(records, radiations, strict=True):
        fill(new(name, CArmPhotonElectronRadiationRecordStorage),
             ReferencedRTInstanceSequence=[course.ref(radiation).item()])
    fill(new("record_set", RTRadiationRecordSetStorage),
         ReferencedRTRadiationSetSequence=[course.ref("radiation_set").item()],
         ReferencedRTRadiationRecordSequence=[course.ref(name).item() for name in records])


def file_meta_of_another(course: Course) -> None:
    """Let the file meta header of the dose name another object."""
    ds = course.objects["dose"]
    raw, own = encoded(ds), str(ds.SOPInstanceUID).encode()
    other = own[:-1] + (b"1" if own[-1:] != b"1" else b"2")
    start = raw.index(struct.pack("<HH2s", 0x0002, 0x0003, b"UI"))
    at_value = raw.index(own, start)
    course.raw["dose"] = raw[:at_value] + other + raw[at_value + len(own):]

