"""A course with every kind of part: what the objects of one patient say of each other.

Small objects without pixels, one file each, named by what they are. Numbers and names are such that
every link between parts of different objects has a target.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom import Dataset

from rtgraph.demo.objects import save
from tests.data.items import code, item, put, ref
from tests.data.small import new, uid

PREFIX = "1.2.840.10008.5.1.4.1.1."
CLASSES = {  # by the first word of a name
    "ct": "2", "cbct": "2", "localizer": "2", "mr": "4", "us": "6.2", "seg": "66.4", "fid": "66.2",
    "set": "481.3", "plan": "481.5", "ion": "481.8", "brachy": "481.5", "dose": "481.2",
    "record": "481.4", "ionrecord": "481.9", "brachyrecord": "481.6", "image": "481.1",
    "reg": "66.1", "deformable": "66.3", "report": "88.33", "key": "88.59", "intent": "481.10",
    "radiations": "481.12", "radiation": "481.13", "state": "11.1", "map": "67",
}
MODALITIES = {
    "ct": "CT", "cbct": "CT", "localizer": "CT", "mr": "MR", "us": "US", "seg": "SEG", "fid": "FID",
    "set": "RTSTRUCT", "plan": "RTPLAN", "ion": "RTPLAN", "brachy": "RTPLAN", "dose": "RTDOSE",
    "record": "RTRECORD", "ionrecord": "RTRECORD", "brachyrecord": "RTRECORD", "image": "RTIMAGE",
    "reg": "REG", "deformable": "REG", "report": "SR", "key": "KO", "intent": "RTINTENT",
    "radiations": "RTRAD", "radiation": "RTRAD", "state": "PR", "map": "RWV",
}
AXIAL = ["1", "0", "0", "0", "1", "0"]
SHIFT = ["1", "0", "0", "4", "0", "1", "0", "0", "0", "0", "1", "0", "0", "0", "0", "1"]


def kind(name: str) -> str:
    """Return what an object is, from its name: `dose beam` is a dose."""
    return name.partition(" ")[0]


def made(name: str, *, frame: str | None = None, study: str = "planning", **more: Any
         ) -> Dataset:
    """Return an object; those of one kind are one series in each study."""
    series = f"{kind(name)} of {study}"
    ds = new(name, series=series, study=study, frame=frame, modality=MODALITIES[kind(name)],
             sop_class=PREFIX + CLASSES[kind(name)])
    return put(ds, **more)


def to(name: str, **more: Any) -> Dataset:
    """Return an item that refers to an object by its name."""
    return ref(uid(name), PREFIX + CLASSES[kind(name)], **more)


def write_whole_course(folder: Path) -> dict[str, Path]:
    """Write all objects; return their files by name."""
    files = {}
    for name, ds in (*_images(), *_structures(), *_plans(), *_doses(), *_treatment(),
                     *_registrations(), *_documents(), *_second_generation()):
        files[name] = folder / f"{name}.dcm"
        save(ds, files[name])
    return files


def _slices(name: str, n: int, frame: str, study: str, **more: Any
            ) -> Iterator[tuple[str, Dataset]]:
    for at in range(n):
        yield f"{name} {at}", made(
            f"{name} {at}", frame=frame, study=study, Rows=4, Columns=4,
            ImagePositionPatient=["0", "0", str(3 * at)], ImageOrientationPatient=AXIAL,
            ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], **more)


def _images() -> Iterator[tuple[str, Dataset]]:
    yield "localizer", made("localizer", frame="planning", study="scan",
                            ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    yield from _slices("ct", 3, "planning", "scan", ReferencedImageSequence=[
        to("localizer", PurposeOfReferenceCodeSequence=[code("121311")])],
        IrradiationEventUID=uid("event"), AcquisitionUID=uid("acquisition"))
    yield from _slices("mr", 2, "mr", "scan")
    for name, keyword in (("us 0", "VolumeFrameOfReferenceUID"),
                          ("us 1", "TableFrameOfReferenceUID")):
        yield name, made(name, study="scan", RelatedSeriesSequence=[item(
            SeriesInstanceUID=uid("mr of scan"),
            PurposeOfReferenceCodeSequence=[code(name)])], **{keyword: uid("probe")})
    yield from _slices(
        "cbct", 2, "cbct", "treatment", IrradiationEventUID=uid("event of cbct"),
        TreatmentSessionUID=uid("session"), SynchronizationFrameOfReferenceUID=uid("clock"),
        ReferencedRTPlanSequence=[to("plan", ReferencedBeamSequence=[
            item(ReferencedBeamNumber=1)])])


def _structures() -> Iterator[tuple[str, Dataset]]:
    organ = [code("85756007", "SCT")]
    yield "seg", made(
        "seg", frame="planning",
        SegmentSequence=[
            item(SegmentNumber=n, SegmentLabel=f"Segment {n}", SegmentAlgorithmType="MANUAL",
                 SegmentedPropertyTypeCodeSequence=organ, TrackingUID=uid(f"finding {n}"))
            for n in (1, 2)],
        PerFrameFunctionalGroupsSequence=[
            item(DerivationImageSequence=[item(
                SourceImageSequence=[to(f"ct {n}")],
                DerivationCodeSequence=[code("113076")])]) for n in range(3)],
        ReferencedSeriesSequence=[_listed("ct of scan", "ct 0", "ct 1", "ct 2")])
    yield "fid", made(
        "fid", frame="planning", FiducialSetSequence=[item(
            FrameOfReferenceUID=uid("planning"), ReferencedImageSequence=[to("ct 1")],
            FiducialSequence=[item(FiducialUID=uid("seed"), DefinitionSourceSequence=[
                to("set", ReferencedROINumber=4)])])])
    yield "set old", made("set old", frame="planning", StructureSetROISequence=[
        item(ROINumber=1, ROIName="PTV", ReferencedFrameOfReferenceUID=uid("planning"))])
    yield "set", _structure_set()


def _structure_set() -> Dataset:
    sources = {2: [to("seg", ReferencedSegmentNumber=1)],
               3: [to("fid", ReferencedFiducialUID=uid("seed"))],
               4: [to("set old", ReferencedROINumber=1)]}
    study = ref(uid("scan"), RTReferencedSeriesSequence=[item(
        SeriesInstanceUID=uid("ct of scan"),
        ContourImageSequence=[to(f"ct {n}") for n in range(3)])])
    rois = [item(ROINumber=n, ROIName=name, ReferencedFrameOfReferenceUID=uid(frame))
            for n, (name, frame) in enumerate(
                [("PTV", "planning"), ("Heart", "planning"), ("Seed", "planning"),
                 ("Bolus", "mr"), ("ptv_70", "planning")], 1)]
    for n, source in sources.items():
        put(rois[n - 1], DefinitionSourceSequence=source)
    put(rois[0], ConceptualVolumeIdentificationSequence=[
        item(ConceptualVolumeUID=uid("target volume"))])
    return made(
        "set", frame="planning", StructureSetDate="20240205", StructureSetLabel="Set",
        PredecessorStructureSetSequence=[to("set old")],
        ReferencedFrameOfReferenceSequence=[item(
            FrameOfReferenceUID=uid("planning"), RTReferencedStudySequence=[study],
            FrameOfReferenceRelationshipSequence=[item(
                RelatedFrameOfReferenceUID=uid("mr"),
                FrameOfReferenceTransformationType="HOMOGENEOUS",
                FrameOfReferenceTransformationMatrix=SHIFT)])],
        StructureSetROISequence=rois,
        ROIContourSequence=[
            item(ReferencedROINumber=n, ContourSequence=[
                item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=3,
                     ContourImageSequence=[to(f"ct {at}")]) for at in range(n)])
            for n in (1, 2, 3)],
        RTROIObservationsSequence=[
            item(ReferencedROINumber=1, RTROIInterpretedType="PTV", RTRelatedROISequence=[
                item(ReferencedROINumber=5, RTROIRelationship="ENCLOSED")]),
            item(ReferencedROINumber=2, RTROIInterpretedType="ORGAN",
                 RTROIIdentificationCodeSequence=[code("80891009", "SCT")])])


def _listed(series: str, *names: str) -> Dataset:
    return item(SeriesInstanceUID=uid(series),
                ReferencedInstanceSequence=[to(name) for name in names])


def _plans() -> Iterator[tuple[str, Dataset]]:
    yield "plan", made(
        "plan", RTPlanLabel="Plan", ReferencedStructureSetSequence=[to("set")],
        ReferencedRTPlanSequence=[to("plan old", RTPlanRelationship="PRIOR")],
        DoseReferenceSequence=[
            item(DoseReferenceNumber=1, DoseReferenceType="TARGET", ReferencedROINumber=1,
                 TargetPrescriptionDose="60", DoseReferenceUID=uid("goal")),
            item(DoseReferenceNumber=2, DoseReferenceType="ORGAN_AT_RISK", ReferencedROINumber=2)],
        PatientSetupSequence=[item(PatientPosition="HFS", ReferencedSetupImageSequence=[
            to("image")])],
        FractionGroupSequence=[item(
            FractionGroupNumber=1, NumberOfFractionsPlanned=30,
            ReferencedDoseReferenceSequence=[item(ReferencedDoseReferenceNumber=1)],
            ReferencedBeamSequence=[
                item(ReferencedBeamNumber=n, BeamDose="1", BeamMeterset="100") for n in (1, 2)])],
        BeamSequence=[
            item(BeamNumber=1, RadiationType="PHOTON", BeamType="STATIC", PrimaryDosimeterUnit="MU",
                 TreatmentMachineName="LINAC1",
                 ReferencedBolusSequence=[item(ReferencedROINumber=4)],
                 ReferencedDoseReferenceSequence=[item(ReferencedDoseReferenceNumber=1)],
                 ReferencedReferenceImageSequence=[to("image")],
                 ControlPointSequence=[item(NominalBeamEnergy="6", GantryAngle="0"), item()]),
            item(BeamNumber=2, RadiationType="PHOTON", PrimaryDosimeterUnit="MU",
                 TreatmentMachineName="LINAC1", ReferencedDoseSequence=[to("dose beam")],
                 ControlPointSequence=[item(NominalBeamEnergy="10", GantryAngle="90")])])
    yield "ion", made(
        "ion", RTPlanLabel="Ions", ReferencedStructureSetSequence=[to("set")],
        ReferencedRTPlanSequence=[to("plan", RTPlanRelationship="PREDECESSOR")],
        DoseReferenceSequence=[item(DoseReferenceNumber=1, DoseReferenceType="TARGET",
                                    ReferencedROINumber=5, DoseReferenceUID=uid("goal"))],
        FractionGroupSequence=[item(
            FractionGroupNumber=1, NumberOfFractionsPlanned=5, ReferencedBeamSequence=[
                item(ReferencedBeamNumber=1, ReferencedDoseReferenceUID=uid("goal"))])],
        IonBeamSequence=[item(
            BeamNumber=1, RadiationType="PROTON", ScanMode="MODULATED",
            IonControlPointSequence=[item(NominalBeamEnergy=e) for e in ("70", "120")])])
    yield "brachy", made(
        "brachy", RTPlanLabel="Brachy", ReferencedStructureSetSequence=[to("set")],
        BrachyTreatmentType="HDR", BrachyTreatmentTechnique="INTRACAVITARY",
        SourceSequence=[item(SourceNumber=1, SourceIsotopeName="Ir-192")],
        FractionGroupSequence=[item(
            FractionGroupNumber=7, NumberOfFractionsPlanned=3,
            ReferencedBrachyApplicationSetupSequence=[item(
                ReferencedBrachyApplicationSetupNumber=1, BrachyApplicationSetupDose="7")])],
        ApplicationSetupSequence=[
            item(ApplicationSetupNumber=n, ApplicationSetupType="RING",
                 BrachyAccessoryDeviceSequence=[item(ReferencedROINumber=3)],
                 ChannelSequence=[item(ReferencedSourceNumber=1, ReferencedROINumber=2,
                                       ChannelShieldSequence=[item(ReferencedROINumber=4)])])
            for n in (1, 2)])


def _doses() -> Iterator[tuple[str, Dataset]]:
    def dose(name: str, plan: str, summation: str, group: Dataset | None = None, **more: Any
             ) -> tuple[str, Dataset]:
        stated = to(plan, ReferencedFractionGroupSequence=[group]) if group else to(plan)
        return name, made(name, frame="planning", DoseSummationType=summation, DoseUnits="GY",
                          ReferencedRTPlanSequence=[stated], **more)

    yield dose("dose", "plan", "PLAN", ReferencedStructureSetSequence=[to("set")], DVHSequence=[
        item(DVHType="CUMULATIVE", DVHReferencedROISequence=[
            item(ReferencedROINumber=n, DVHROIContributionType="INCLUDED")]) for n in (1, 2)])
    yield dose("dose beam", "plan", "CONTROL_POINT", item(
        ReferencedFractionGroupNumber=1, ReferencedBeamSequence=[item(
            ReferencedBeamNumber=2, ReferencedControlPointSequence=[item(
                ReferencedStartControlPointIndex=0, ReferencedStopControlPointIndex=1)])]))
    yield dose("dose group", "plan", "FRACTION", item(ReferencedFractionGroupNumber=1))
    yield dose("dose brachy", "brachy", "BRACHY", item(
        ReferencedFractionGroupNumber=7,
        ReferencedBrachyApplicationSetupSequence=[item(ReferencedBrachyApplicationSetupNumber=n)
                                                  for n in (1, 9)]))
    yield "dose sum", made(
        "dose sum", frame="planning", DoseSummationType="MULTI_PLAN",
        ReferencedRTPlanSequence=[to("plan"), to("ion")],
        ReferencedInstanceSequence=[to("dose"), to("dose brachy")],
        ReferencedSpatialRegistrationSequence=[to("reg")])


def _treatment() -> Iterator[tuple[str, Dataset]]:
    yield "image", made("image", study="treatment", ImageType=["ORIGINAL", "PRIMARY", "PORTAL"],
                        ReferencedRTPlanSequence=[to("plan")], ReferencedBeamNumber=2,
                        FractionNumber=3, TreatmentSessionUID=uid("session"))
    for name, plan, sequence, delivered in (
        ("record 1", "plan", "TreatmentSessionBeamSequence", [
            item(ReferencedBeamNumber=1, CurrentFractionNumber=1, DeliveredPrimaryMeterset="100",
                 ReferencedVerificationImageSequence=[to("image")]),
            item(ReferencedBeamNumber=2, CurrentFractionNumber=1)]),
        ("record 2", "plan", "TreatmentSessionBeamSequence", [
            item(ReferencedBeamNumber=1, CurrentFractionNumber=2)]),
        ("ionrecord", "ion", "TreatmentSessionIonBeamSequence", [
            item(ReferencedBeamNumber=1, CurrentFractionNumber=1)]),
        ("brachyrecord", "brachy", "TreatmentSessionApplicationSetupSequence", [
            item(ReferencedBrachyApplicationSetupNumber=1, CurrentFractionNumber=1)]),
    ):
        of_session: dict[str, Any] = {sequence: delivered}
        ds = made(name, study="treatment", TreatmentDate="20240212", TreatmentTime="0800",
                  ReferencedRTPlanSequence=[to(plan)],
                  TreatmentMachineSequence=[item(TreatmentMachineName="LINAC1")],
                  **of_session)
        if name == "record 2":
            put(ds, ReferencedTreatmentRecordSequence=[to("record 1")])
        yield name, ds


def _registrations() -> Iterator[tuple[str, Dataset]]:
    matrices = [item(MatrixSequence=[item(
        FrameOfReferenceTransformationMatrixType="RIGID",
        FrameOfReferenceTransformationMatrix=SHIFT)])]
    yield "reg", made(
        "reg", frame="planning", ContentDate="20240206", ContentTime="0900",
        RegistrationSequence=[
            item(FrameOfReferenceUID=uid("planning"), MatrixRegistrationSequence=matrices,
                 ReferencedImageSequence=[to("ct 0"), to("ct 1")]),
            item(MatrixRegistrationSequence=matrices,  # its frame is that of its images
                 ReferencedImageSequence=[to("mr 0"), to("mr 1")],
                 UsedFiducialsSequence=[to("fid", FiducialUID=uid("seed"))],
                 UsedRTStructureSetROISequence=[to("set", ReferencedROINumber=3)])],
        ReferencedSeriesSequence=[],
        StudiesContainingOtherReferencedInstancesSequence=[item(
            StudyInstanceUID=uid("scan"), ReferencedSeriesSequence=[
                _listed("ct of scan", "ct 0", "ct 1"), _listed("mr of scan", "mr 0", "mr 1")])])
    yield "deformable", made(
        "deformable", frame="planning", DeformableRegistrationSequence=[item(
            SourceFrameOfReferenceUID=uid("cbct"),
            ReferencedImageSequence=[to("cbct 0"), to("cbct 1")],
            DeformableRegistrationGridSequence=[item(
                GridDimensions=[2, 3, 4], GridResolution=[1.0, 1.0, 2.0])])])


def _documents() -> Iterator[tuple[str, Dataset]]:
    def cited(value: str, name: str) -> Dataset:
        return item(ValueType="UIDREF", UID=uid(name), ConceptNameCodeSequence=[code(value)])

    evidence = item(StudyInstanceUID=uid("scan"), ReferencedSeriesSequence=[item(
        SeriesInstanceUID=uid("ct of scan"),
        ReferencedSOPSequence=[to("ct 0"), to("ct 1"), to("ct lost")])])
    yield "report", made(
        "report", study="treatment", ConceptNameCodeSequence=[code("126000")],
        CurrentRequestedProcedureEvidenceSequence=[evidence],
        ContentSequence=[
            item(ConceptNameCodeSequence=[code("121112")], ReferencedSOPSequence=[
                to("ct 0", ReferencedFrameNumber=1)]),
            item(ContentSequence=[cited("112040", "finding 1"), cited("113769", "event"),
                                  cited("121232", "ct of scan"), cited("112227", "planning")])])
    yield "key", made("key", study="treatment", ConceptNameCodeSequence=[code("128198")],
                      ContentSequence=[item(ReferencedSOPSequence=[to(name)])
                                       for name in ("set", "plan", "dose")])
    yield "state", made("state", study="treatment", ReferencedSeriesSequence=[item(
        SeriesInstanceUID=uid("ct of scan"), ReferencedImageSequence=[to("ct 2")])])
    yield "map", made("map", study="scan", ReferencedImageRealWorldValueMappingSequence=[
        item(ReferencedImageSequence=[to("mr 0")])])


def _second_generation() -> Iterator[tuple[str, Dataset]]:
    yield "intent", made(
        "intent", RTPhysicianIntentSequence=[
            item(RTPhysicianIntentIndex=1, RTTreatmentIntentType="CURATIVE")],
        RTPrescriptionSequence=[
            item(RTPrescriptionIndex=n, RTPrescriptionLabel=f"Prescription {n}",
                 ReferencedRTPhysicianIntentIndex=1,
                 PriorTreatmentReferenceSequence=[to("plan")],
                 RTAnatomicPrescriptionSequence=[item(ConceptualVolumeSequence=[
                     item(ConceptualVolumeUID=uid("target volume"))])],
                 ReferencedDosimetricObjectivesSequence=[
                     item(ReferencedDosimetricObjectiveUID=uid("objective"))]) for n in (1, 2)],
        DosimetricObjectiveSequence=[item(
            DosimetricObjectiveUID=uid("objective"),
            DosimetricObjectiveTypeCodeSequence=[code("130101")])])
    yield "radiations", made(
        "radiations", frame="planning", ReferencedRTPhysicianIntentSequence=[to("intent")],
        RTRadiationSequence=[to("radiation")],
        TreatmentPositionGroupSequence=[item(
            TreatmentPositionGroupUID=uid("position"),
            ReferencedRTRadiationSequence=[to("radiation")])])
    yield "radiation", made("radiation", frame="planning",
                            EquipmentFrameOfReferenceUID=uid("gantry"))
