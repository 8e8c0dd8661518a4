"""Builders of the objects of the benchmark, in the shape that clinical systems export them.

Every builder takes an `Identity` and returns a data set; sizes are parameters, so that the same
builder makes the full objects of the corpus and the small ones of a cohort. Nothing is random here:
what varies comes in through the arguments.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import (
    CTImageStorage,
    MRImageStorage,
    RTBeamsTreatmentRecordStorage,
    RTDoseStorage,
    RTPlanStorage,
    RTStructureSetStorage,
    SpatialRegistrationStorage,
)

ROOT = "1.2.826.0.1.3680043.8.498."
CLASSES = {
    "CT": str(CTImageStorage), "MR": str(MRImageStorage), "RTSTRUCT": str(RTStructureSetStorage),
    "RTPLAN": str(RTPlanStorage), "RTDOSE": str(RTDoseStorage),
    "REG": str(SpatialRegistrationStorage), "RTRECORD": str(RTBeamsTreatmentRecordStorage),
}
STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management, retired, as exports write it


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells an object from the others of its kind; dates and times are those of DICOM."""

    sop: str
    series: str
    study: str
    patient: str
    name: str
    frame: str
    birth: str
    date: str
    study_time: str
    time: str
    series_number: str
    number: str
    description: str
    charset: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Images:
    """Images of one series that another object refers to."""

    series: str
    frame: str
    modality: str
    sops: Sequence[str]


def item(**values: Any) -> Dataset:
    """Return a data set with values by keyword."""
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def code(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    """Return a coded concept."""
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def refer(modality: str, sop: str) -> Dataset:
    """Return a reference to an object."""
    return item(ReferencedSOPClassUID=CLASSES[modality], ReferencedSOPInstanceUID=sop)


def put_numbers(ds: Dataset, tag: int, text: str) -> None:
    """Set decimal strings as one text: pydicom would convert each of a hundred thousand."""
    ds[tag] = DataElement(Tag(tag), "DS", text, already_converted=True)


def common(kind: str, who: Identity) -> Dataset:
    """Return patient, study, series and equipment of an object."""
    ds = Dataset()
    if who.charset:
        ds.SpecificCharacterSet = list(who.charset)
    values: dict[str, Any] = {
        "SOPClassUID": CLASSES[kind], "SOPInstanceUID": who.sop,
        "InstanceCreationDate": who.date, "InstanceCreationTime": who.time,
        "StudyDate": who.date, "SeriesDate": who.date, "StudyTime": who.study_time,
        "SeriesTime": who.time, "AccessionNumber": f"A{who.patient}", "Modality": kind,
        "Manufacturer": "Benchmark Systems", "InstitutionName": "Clinic of the Benchmark",
        "ReferringPhysicianName": "Referrer^Robin", "StationName": "BENCH01",
        "StudyDescription": "Radiotherapy planning", "SeriesDescription": who.description,
        "OperatorsName": "Operator^Olive", "ManufacturerModelName": "Model B-1",
        "PatientName": who.name, "PatientID": who.patient, "PatientBirthDate": who.birth,
        "PatientSex": "O", "DeviceSerialNumber": "10001", "SoftwareVersions": ["1.0", "R2"],
        "StudyInstanceUID": who.study, "SeriesInstanceUID": who.series, "StudyID": "ST01",
        "SeriesNumber": who.series_number,
    }
    values["Modality"] = "RTRECORD" if kind == "RTRECORD" else kind
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    if who.frame:
        ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = who.frame, "XY"
    return ds


_CT_ACQUISITION: dict[str, Any] = {
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"], "PatientAge": "061Y",
    "PatientSize": "1.75", "PatientWeight": "80", "BodyPartExamined": "PELVIS",
    "ScanOptions": "HELIX", "SliceThickness": "3", "KVP": "120", "DataCollectionDiameter": "500",
    "ProtocolName": "Pelvis planning", "ReconstructionDiameter": "500",
    "DistanceSourceToDetector": "1085.6", "DistanceSourceToPatient": "595",
    "GantryDetectorTilt": "0", "TableHeight": "143.5", "RotationDirection": "CW",
    "ExposureTime": "500", "XRayTubeCurrent": "254", "Exposure": "137", "FilterType": "FLAT",
    "GeneratorPower": "30", "FocalSpots": "1.2", "ConvolutionKernel": "B30s",
    "PatientPosition": "HFS", "SpiralPitchFactor": 0.8, "SingleCollimationWidth": 1.2,
    "TotalCollimationWidth": 28.8, "TableSpeed": 46.0, "TableFeedPerRotation": 23.0,
    "EstimatedDoseSaving": 12.5, "CTDIvol": 9.3, "AcquisitionNumber": "2",
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"], "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2", "PixelSpacing": ["0.9765625", "0.9765625"],
    "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0,
    "SmallestImagePixelValue": 0, "LargestImagePixelValue": 3120, "WindowCenter": ["40", "-600"],
    "WindowWidth": ["400", "1200"], "RescaleIntercept": "-1024", "RescaleSlope": "1",
    "RescaleType": "HU", 
    "ImageComments": "Free breathing, empty rectum, full bladder" + ", as planned" * 8,
    "PatientComments": "none", "AdditionalPatientHistory": "none stated",
    "RequestingPhysician": "Requester^Rae", "RequestedProcedureDescription": "CT planning",
    "PerformedProcedureStepID": "PPS4711", "PerformedProcedureStepDescription": "CT planning",
    "RequestedProcedureID": "RP4711", "InstitutionAddress": "1 Field Road, Sometown",
    "InstitutionalDepartmentName": "Radiation Oncology", "PerformingPhysicianName": "Performer^Pat",
    "IrradiationEventUID": ROOT + "7.1", "LossyImageCompression": "00",
    "ContrastBolusAgent": "none", "RevolutionTime": 0.5, "BurnedInAnnotation": "NO",
    "TimezoneOffsetFromUTC": "+0000",
}


def _ct_sequences(study: str, localizer: str) -> dict[str, list[Dataset]]:
    """Return eleven sequences; the localizer, where there is one, in the one of images."""
    return {
        "ReferencedStudySequence": [item(ReferencedSOPClassUID=STUDY_CLASS,
                                         ReferencedSOPInstanceUID=study)],
        "ReferencedPerformedProcedureStepSequence": [item(
            ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.3",
            ReferencedSOPInstanceUID=ROOT + "7.2")],
        "ReferencedPatientSequence": [item(ReferencedSOPClassUID="1.2.840.10008.3.1.2.1.1",
                                           ReferencedSOPInstanceUID=ROOT + "7.3")],
        "ReferencedImageSequence": [_to_localizer(localizer)] if localizer else [],
        "ProcedureCodeSequence": [code("CTPEL", "CT pelvis", "99BENCH")],
        "AnatomicRegionSequence": [code("T-D6000", "Pelvis", "SRT")],
        "CTDIPhantomTypeCodeSequence": [code("113691", "IEC Body Dosimetry Phantom")],
        "RequestAttributesSequence": [item(
            RequestedProcedureID="RP4711", ScheduledProcedureStepID="SPS4711")],
        "PerformedProtocolCodeSequence": [code("PP1", "Pelvis planning", "99BENCH")],
        "RequestedProcedureCodeSequence": [code("RQ1", "Planning", "99BENCH")],
        "PatientOrientationCodeSequence": [code("F-10450", "recumbent", "SRT")],
    }


def _to_localizer(sop: str) -> Dataset:
    found = refer("CT", sop)
    found.PurposeOfReferenceCodeSequence = [code("121311", "Localizer")]
    return found


def _put_private(ds: Dataset, blocks: int = 3, elements: int = 11) -> None:
    """Add private blocks, each its creator and elements of mixed representation."""
    for n in range(blocks):
        block = ds.private_block(0x0019 + 2 * n, f"BENCH CT BLOCK {n}", create=True)
        for e in range(elements):
            vr, value = (
                ("LO", f"private value {e:02} of a scanner, one whole line of it for all"),
                ("DS", "12.5\\0.25\\-3.75\\100.125"), ("IS", "42"))[e % 3]
            block.add_new(e, vr, value)


def _put_pixels(ds: Dataset, rows: int, number: int = 0) -> None:
    ds.Rows = ds.Columns = rows
    ds.add_new(0x7FE00010, "OW", bytes([number % 251, 4]) * (rows * rows))


def _put_image(ds: Dataset, who: Identity, z: str) -> None:
    ds.AcquisitionDate = ds.ContentDate = who.date
    ds.AcquisitionTime = ds.ContentTime = who.time
    ds.InstanceNumber = who.number
    ds.ImagePositionPatient = ["-250", "-250", z]
    ds.SliceLocation = z


def ct(who: Identity, z: str, *, localizer: str = "", rows: int = 32) -> Dataset:
    """Return a CT slice: 151 elements at the top, 36 of them private, 11 sequences."""
    ds = common("CT", who)
    for keyword, value in _CT_ACQUISITION.items():
        setattr(ds, keyword, value)
    for keyword, found in _ct_sequences(who.study, localizer).items():
        setattr(ds, keyword, found)
    _put_private(ds)
    _put_image(ds, who, z)
    _put_pixels(ds, rows)
    return ds


def mr(who: Identity, z: str, *, rows: int = 32, private_bytes: int = 0) -> Dataset:
    """Return an MR slice; scanners write 50 to 150 KB of private header into it."""
    ds = common("MR", who)
    values: dict[str, Any] = {
        k: v for k, v in _CT_ACQUISITION.items()
        if k not in ("KVP", "ExposureTime", "XRayTubeCurrent", "Exposure", "RescaleType")}
    values |= {
        "ScanningSequence": "SE", "SequenceVariant": ["SK", "SP"], "MRAcquisitionType": "2D",
        "RepetitionTime": "4500", "EchoTime": "98", "FlipAngle": "150", "EchoTrainLength": "15",
        "MagneticFieldStrength": "3", "ImagedNucleus": "1H", "NumberOfAverages": "2",
    }
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    _put_private(ds)
    if private_bytes:
        block = ds.private_block(0x0029, "BENCH MR HEADER", create=True)
        for n in range(2):
            block.add_new(0x10 + n, "OB", bytes(range(256)) * (private_bytes // 512))
        for n in range(20):
            block.add_new(0x20 + n, "LO", f"protocol line {n}")
    _put_image(ds, who, z)
    _put_pixels(ds, rows)
    return ds


def rtstruct(
    who: Identity, images: Images, *, rois: int, contours: int, points: Iterable[str]
) -> Dataset:
    """Return a structure set; `points` yields the coordinates of each contour as DICOM text."""
    ds = common("RTSTRUCT", who)
    ds.StructureSetLabel, ds.StructureSetName = "Planning", "Planning CT"
    ds.StructureSetDate, ds.StructureSetTime = who.date, who.time
    ds.InstanceNumber, ds.ApprovalStatus = who.number, "APPROVED"
    if images.sops:
        ds.ReferencedFrameOfReferenceSequence = [item(
            FrameOfReferenceUID=images.frame,
            RTReferencedStudySequence=[item(
                ReferencedSOPClassUID=STUDY_CLASS, ReferencedSOPInstanceUID=who.study,
                RTReferencedSeriesSequence=[item(
                    SeriesInstanceUID=images.series,
                    ContourImageSequence=[refer(images.modality, s) for s in images.sops])])])]
    ds.StructureSetROISequence = [
        item(ROINumber=str(n + 1), ReferencedFrameOfReferenceUID=images.frame,
             ROIName=f"ROI {n + 1:02}", ROIGenerationAlgorithm="MANUAL") for n in range(rois)]
    coordinates = iter(points)
    drawn = []
    for n in range(rois):
        outlines = []
        for c in range(contours):
            outline = item(ContourGeometricType="CLOSED_PLANAR")
            if images.sops:
                outline.ContourImageSequence = [
                    refer(images.modality, images.sops[c % len(images.sops)])]
            text = next(coordinates)
            outline.NumberOfContourPoints = str((text.count("\\") + 1) // 3)
            put_numbers(outline, 0x30060050, text)
            outlines.append(outline)
        drawn.append(item(ROIDisplayColor=["255", "0", str(n)], ContourSequence=outlines,
                          ReferencedROINumber=str(n + 1)))
    ds.ROIContourSequence = drawn
    ds.RTROIObservationsSequence = [
        item(ObservationNumber=str(n + 1), ReferencedROINumber=str(n + 1),
             RTROIInterpretedType="ORGAN", ROIInterpreter="Drawer^Dana") for n in range(rois)]
    return ds


def _limiters(leaves: int, shift: int) -> list[Dataset]:
    """Return the positions of jaws and leaf pairs, mm."""
    jaws = item(RTBeamLimitingDeviceType="ASYMX", LeafJawPositions=["-50", "50"])
    pairs = item(RTBeamLimitingDeviceType="MLCX")
    text = "\\".join([f"{-20 - (i + shift) % 30}.5" for i in range(leaves)]
                     + [f"{20 + (i + shift) % 30}.5" for i in range(leaves)])
    put_numbers(pairs, 0x300A011C, text)
    return [jaws, pairs]


def rtplan(
    who: Identity, structure_set: str, *, beams: int, control_points: int, leaves: int
) -> Dataset:
    """Return a plan of arcs or static beams with all its control points."""
    ds = common("RTPLAN", who)
    ds.RTPlanLabel, ds.RTPlanName, ds.RTPlanGeometry = "PLAN1", "Pelvis", "PATIENT"
    ds.RTPlanDate, ds.RTPlanTime, ds.PlanIntent = who.date, who.time, "CURATIVE"
    ds.InstanceNumber, ds.ApprovalStatus = who.number, "APPROVED"
    ds.ReferencedStructureSetSequence = [refer("RTSTRUCT", structure_set)]
    ds.DoseReferenceSequence = [item(
        DoseReferenceNumber="1", DoseReferenceUID=ROOT + "7.4",
        DoseReferenceStructureType="SITE", DoseReferenceType="TARGET",
        TargetPrescriptionDose="60")]
    ds.FractionGroupSequence = [item(
        FractionGroupNumber="1", NumberOfFractionsPlanned="30", NumberOfBeams=str(beams),
        NumberOfBrachyApplicationSetups="0",
        ReferencedBeamSequence=[item(BeamMeterset="110.5", ReferencedBeamNumber=str(b + 1))
                                for b in range(beams)])]
    ds.BeamSequence = [item(
        Manufacturer="Benchmark Systems", TreatmentMachineName="LINAC1", BeamNumber=str(b + 1),
        BeamName=f"Arc {b + 1}", BeamType="DYNAMIC", RadiationType="PHOTON",
        TreatmentDeliveryType="TREATMENT", FinalCumulativeMetersetWeight="1",
        NumberOfControlPoints=str(control_points),
        ControlPointSequence=[item(
            ControlPointIndex=str(c), NominalBeamEnergy="6", GantryAngle=str(c % 360),
            GantryRotationDirection="CW", BeamLimitingDeviceAngle="30",
            PatientSupportAngle="0", CumulativeMetersetWeight=f"{c / control_points:.4f}",
            BeamLimitingDevicePositionSequence=_limiters(leaves, b + c))
            for c in range(control_points)]) for b in range(beams)]
    return ds


def rtdose(
    who: Identity, plan: str, structure_set: str, *, grid: tuple[int, int, int], dvhs: int
) -> Dataset:
    """Return a dose grid of (columns, rows, frames) with 32 bits a voxel."""
    columns, rows, frames = grid
    ds = common("RTDOSE", who)
    ds.InstanceNumber, ds.ContentDate, ds.ContentTime = who.number, who.date, who.time
    ds.ImagePositionPatient = ["-125", "-125", "-75"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.NumberOfFrames, ds.FrameIncrementPointer = str(frames), 0x3004000C
    ds.Rows, ds.Columns, ds.PixelSpacing = rows, columns, ["2.5", "2.5"]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 32, 32, 31, 0
    ds.DoseUnits, ds.DoseType, ds.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    ds.GridFrameOffsetVector = [f"{2.5 * f}" for f in range(frames)]
    ds.DoseGridScaling, ds.TissueHeterogeneityCorrection = "1e-5", "IMAGE"
    ds.ReferencedRTPlanSequence = [refer("RTPLAN", plan)]
    ds.ReferencedStructureSetSequence = [refer("RTSTRUCT", structure_set)]
    histograms = []
    for n in range(dvhs):
        dvh = item(DVHType="CUMULATIVE", DoseUnits="GY", DoseType="PHYSICAL", DVHDoseScaling="1",
                   DVHVolumeUnits="CM3", DVHNumberOfBins="100", DVHMinimumDose="0.5",
                   DVHMaximumDose="61.2", DVHMeanDose="30.1", DVHReferencedROISequence=[item(
                       DVHROIContributionType="INCLUDED", ReferencedROINumber=str(n + 1))])
        put_numbers(dvh, 0x30040058, "\\".join(f"0.6\\{100 - b}.5" for b in range(100)))
        histograms.append(dvh)
    ds.DVHSequence = histograms
    ds.add_new(0x7FE00010, "OW", bytes([1, 2, 3, 0]) * (columns * rows * frames))
    return ds


def registration_item(images: Images, *, identity: bool, listed: bool = True) -> Dataset:
    """Return one item of a registration: a frame, its images and the matrix to the fixed frame."""
    matrix = ["1", "0", "0", "0" if identity else "12.5", "0", "1", "0", "0", "0", "0", "1", "0",
              "0", "0", "0", "1"]
    found = item(FrameOfReferenceUID=images.frame, MatrixRegistrationSequence=[item(
        MatrixSequence=[item(FrameOfReferenceTransformationMatrixType="RIGID",
                             FrameOfReferenceTransformationMatrix=matrix)])])
    if listed:
        found.ReferencedImageSequence = [refer(images.modality, s) for s in images.sops]
    return found


def reg(who: Identity, fixed: Images, moving: Images) -> Dataset:
    """Return a rigid registration of two image sets; both list their images twice, as usual."""
    ds = common("REG", who)
    ds.ContentDate, ds.ContentTime, ds.InstanceNumber = who.date, who.time, who.number
    ds.ContentLabel, ds.ContentDescription = "REGISTRATION", "Rigid"
    ds.ContentCreatorName = "Matcher^Max"
    ds.ReferencedSeriesSequence = [item(
        SeriesInstanceUID=images.series,
        ReferencedInstanceSequence=[refer(images.modality, s) for s in images.sops])
        for images in (fixed, moving)]
    ds.RegistrationSequence = [registration_item(fixed, identity=True),
                               registration_item(moving, identity=False)]
    return ds


def rtrecord(
    who: Identity, plan: str, *, beams: int, control_points: int, leaves: int
) -> Dataset:
    """Return the record of one treatment session."""
    ds = common("RTRECORD", who)
    ds.InstanceNumber, ds.TreatmentDate, ds.TreatmentTime = who.number, who.date, who.time
    ds.NumberOfFractionsPlanned, ds.PrimaryDosimeterUnit = "30", "MU"
    ds.ReferencedRTPlanSequence = [refer("RTPLAN", plan)]
    ds.TreatmentMachineSequence = [item(
        TreatmentMachineName="LINAC1", Manufacturer="Benchmark Systems", DeviceSerialNumber="7")]
    ds.TreatmentSessionBeamSequence = [item(
        ReferencedBeamNumber=str(b + 1), BeamName=f"Arc {b + 1}", BeamType="DYNAMIC",
        RadiationType="PHOTON", TreatmentDeliveryType="TREATMENT", CurrentFractionNumber="1",
        TreatmentTerminationStatus="NORMAL", DeliveredPrimaryMeterset="110.5",
        NumberOfControlPoints=str(control_points),
        ControlPointDeliverySequence=[item(
            TreatmentControlPointDate=who.date, TreatmentControlPointTime=who.time,
            SpecifiedMeterset="1.5", DeliveredMeterset="1.5", DoseRateDelivered="600",
            NominalBeamEnergy="6", ReferencedControlPointIndex=str(c),
            GantryAngle=str(c % 360), PatientSupportAngle="0",
            BeamLimitingDevicePositionSequence=_limiters(leaves, b + c))
            for c in range(control_points)]) for b in range(beams)]
    return ds


def undefined_lengths(ds: Dataset) -> None:
    """Let all sequences and items of an object be written with undefined length."""
    for tag in list(ds.keys()):
        element = ds.get_item(tag)
        if isinstance(element, DataElement) and element.VR == "SQ":
            element.is_undefined_length = True
            for child in element.value:
                child.is_undefined_length_sequence_item = True
                undefined_lengths(child)
