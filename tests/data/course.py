"""A course in which every kind of part is linked to parts of other objects, for tests of the graph.

Objects have the names of their keys: `plan#B1` is beam 1 of the plan. Numbers that name nothing are
planted: ROI 99 and 77 and 55, beams 7 and 8.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydicom import uid as uids

from tests.data.items import code, item, ref
from tests.data.rt import (
    CT,
    DEFORMABLE,
    DOSE,
    IDENTITY,
    IMAGE,
    MODALITIES,
    MR,
    PLAN,
    RECORD,
    REG,
    SEG,
    STRUCT,
    beam,
    dose_reference,
    group,
    made,
    point,
)
from tests.data.small import encoded, uid

BRACHY_RECORD = str(uids.RTBrachyTreatmentRecordStorage)
EQUIPMENT_CLASS = str(uids.CArmPhotonElectronRadiationStorage)
TALAIRACH = "1.2.840.10008.1.4.1.1"
SCANNER = {"Manufacturer": "MAKER", "ManufacturerModelName": "Scanner",
           "DeviceSerialNumber": "1", "StationName": "CT1"}
SYSTEM = {"Manufacturer": "MAKER", "ManufacturerModelName": "Planning",
          "DeviceSerialNumber": None, "StationName": "TPS1"}
LINAC = {"Manufacturer": "OTHER", "ManufacturerModelName": "TrueBeam",
         "DeviceSerialNumber": "7", "StationName": None}
SHIFT = (1, 0, 0, 10, 0, 1, 0, -20, 0, 0, 1, 30, 0, 0, 0, 1)
AXIAL = ["1", "0", "0", "0", "1", "0"]
LIVER = code("10200004", "SCT", "Liver")
_NAMES: dict[str, str] = {}


def key(name: str) -> str:
    """Return the UID, or the key of a part, of that name."""
    owner, mark, suffix = name.partition("#")
    _NAMES[uid(owner)] = owner
    return uid(owner) + mark + suffix


def named(text: str) -> str:
    """Return a text with names in place of UIDs."""
    return re.sub(r"\d+(?:\.\d+){8,}", lambda found: _NAMES.get(found[0], found[0]), text)


def write(folder: Path, name: str, sop_class: str, *, series: str | None = None,
          frame: str | None = None, **elements: Any) -> Path:
    """Write an object into a file with its name; its series is that of its modality."""
    folder.mkdir(parents=True, exist_ok=True)
    series = series or MODALITIES.get(sop_class, "OT").lower() + " series"
    for one in (name, series, *([frame] if frame else [])):
        key(one)
    ds = made(sop_class, name, of={"series": series, "frame": frame}, **elements)
    for keyword in [k for k, v in elements.items() if v is None and k in ds]:
        delattr(ds, keyword)
    path = folder / f"{name.replace(' ', '-')}.dcm"
    path.write_bytes(encoded(ds))
    return path


def decimals(values: Iterable[float]) -> list[str]:
    """Return decimal strings."""
    return [f"{v:.10g}" for v in values]


# --- images --------------------------------------------------------------------------------------

def images(folder: Path) -> None:
    """Three slices of a planning CT, two of a cone beam, two of an MR without a frame."""
    for n in range(3):
        write(folder, f"ct{n + 1}", CT, series="ct", frame="planning", **SCANNER,
              ImagePositionPatient=decimals((0, 0, 3 * n)), ImageOrientationPatient=AXIAL)
    for n in range(2):
        write(folder, f"cb{n + 1}", CT, series="cbct", frame="of cbct", **LINAC,
              SeriesDescription="CBCT", ImagePositionPatient=decimals((0, 0, 3 * n)),
              ImageOrientationPatient=AXIAL, TreatmentSessionUID=key("session"))
        write(folder, f"mr{n + 1}", MR, series="mr", **SCANNER)


def segmentation(folder: Path) -> None:
    """Two segments, one of which is tracked and coded."""
    write(folder, "segments", SEG, frame="planning", **SYSTEM, SegmentSequence=[
        item(SegmentNumber=1, SegmentLabel="Liver", TrackingUID=key("finding"),
             SegmentedPropertyTypeCodeSequence=[LIVER]),
        item(SegmentNumber=2, SegmentLabel="Rest", DefinitionSourceSequence=[
            ref(key("segments"), SEG, ReferencedSegmentNumber=1)])])


# --- structures ----------------------------------------------------------------------------------

def older_structures(folder: Path) -> None:
    """A structure set with a retired transform, in which another one has its source."""
    write(folder, "older", STRUCT, frame="planning", **SYSTEM, StructureSetDate="20240101",
          StructureSetROISequence=[item(ROINumber=5, ROIName="bladder")],
          ReferencedFrameOfReferenceSequence=[item(
              FrameOfReferenceUID=key("planning"), FrameOfReferenceRelationshipSequence=[item(
                  RelatedFrameOfReferenceUID=key("related"),
                  FrameOfReferenceTransformationType="HOMOGENEOUS",
                  FrameOfReferenceTransformationMatrix=decimals(SHIFT))])])


def structures(folder: Path) -> None:
    """Six ROIs, drawn on two slices of the CT and on one that is missing."""
    listed = [ref(key(f"ct{n}")) for n in (1, 2, 3, 9)]
    study = ref(uid("study"), "1.2.840.10008.3.1.2.3.1", RTReferencedSeriesSequence=[
        item(SeriesInstanceUID=key("ct"), ContourImageSequence=listed)])
    sources = {
        2: [ref(key("segments"), SEG, ReferencedSegmentNumber=[1, 9])],
        3: [ref(key("older"), STRUCT, ReferencedROINumber=5)],
        4: [ref(key("marks"), str(uids.SpatialFiducialsStorage),
                ReferencedFiducialUID=key("marker"))]}
    names = {1: "PTV", 2: "Bladder", 3: "bladder", 4: "Marker", 5: "Xyz 17", 6: "Applicator"}
    rois = [item(
        ROINumber=n, ROIName=name, DefinitionSourceSequence=sources.get(n),
        ReferencedFrameOfReferenceUID=key("of applicator" if n == 6 else "planning"),
        ConceptualVolumeIdentificationSequence=[item(ConceptualVolumeUID=key("volume"))]
        if n < 3 else None) for n, name in names.items()]

    def drawn(n: int, *slices: int) -> object:
        return item(ReferencedROINumber=n, ContourSequence=[
            item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=4,
                 ContourImageSequence=[ref(key(f"ct{s}"))]) for s in slices])

    write(folder, "structures", STRUCT, frame="planning", **SYSTEM,
          ReferencedFrameOfReferenceSequence=[
              item(FrameOfReferenceUID=key("planning"), RTReferencedStudySequence=[study])],
          StructureSetROISequence=rois,
          ROIContourSequence=[drawn(1, 1, 1, 2, 9), drawn(2, 3)],
          RTROIObservationsSequence=[
              item(ObservationNumber=1, ReferencedROINumber=1, RTROIInterpretedType="PTV",
                   RTRelatedROISequence=[
                       item(ReferencedROINumber=2, RTROIRelationship="ENCLOSED"),
                       item(ReferencedROINumber=3, RTROIRelationship="SAME")]),
              item(ObservationNumber=2, ReferencedROINumber=2, RTROIInterpretedType="ORGAN",
                   AnatomicRegionSequence=[LIVER])])


# --- plans and doses -----------------------------------------------------------------------------

def plans(folder: Path) -> None:
    """A plan of two fields with bolus, and one of brachytherapy; each on the structure set."""
    on_set = [ref(key("structures"), STRUCT)]
    of_field: dict[str, Any] = {"TreatmentDeliveryType": "TREATMENT", "PrimaryDosimeterUnit": "MU",
                "ReferencedDoseReferenceSequence": [item(ReferencedDoseReferenceNumber=1)]}
    write(folder, "plan", PLAN, **SYSTEM, ReferencedStructureSetSequence=on_set,
          DoseReferenceSequence=[
              dose_reference("TARGET", 60, 1, ReferencedROINumber=1,
                             DoseReferenceUID=key("prescribed")),
              dose_reference("ORGAN_AT_RISK", None, 2, ReferencedROINumber=99),
              dose_reference("TARGET", 60, 3)],
          FractionGroupSequence=[group(30, (1, 1.2, 100), (2, 0.8, 80)),
                                 group(5, (1, 2, 150), (8, 1, 1), number=2)],
          BeamSequence=[
              beam(point(0), number=1, **of_field, ReferencedBolusSequence=[
                  item(ReferencedROINumber=3), item(ReferencedROINumber=77)]),
              beam(point(90), number=2, **of_field, ReferencedBolusSequence=[
                  item(ReferencedROINumber=3)])])
    write(folder, "brachy", PLAN, **SYSTEM, ReferencedStructureSetSequence=on_set,
          BrachyTreatmentType="HDR", DoseReferenceSequence=[
              dose_reference("TARGET", 7, 1, DoseReferenceUID=key("prescribed"))],
          ApplicationSetupSequence=[item(
              ApplicationSetupNumber=1, ChannelSequence=[item(
                  ChannelNumber=1, ReferencedROINumber=6,
                  ChannelShieldSequence=[item(ReferencedROINumber=77)])])],
          FractionGroupSequence=[item(
              FractionGroupNumber=1, ReferencedBrachyApplicationSetupSequence=[
                  item(ReferencedBrachyApplicationSetupNumber=1,
                       BrachyApplicationSetupDose="7")])])


def of_group(number: int, *beams: object, **more: Any) -> object:
    """Return an item of ReferencedFractionGroupSequence."""
    return item(ReferencedFractionGroupNumber=number, ReferencedBeamSequence=list(beams) or None,
                **more)


def doses(folder: Path) -> None:
    """Doses of a plan, a beam, a fraction group, control points, a setup, and of a lost beam."""
    field, points = item(ReferencedBeamNumber=1), item(
        ReferencedBeamNumber=2, ReferencedControlPointSequence=[
            item(ReferencedStartControlPointIndex=0, ReferencedStopControlPointIndex=3)])
    setup = item(ReferencedBrachyApplicationSetupNumber=1)
    histograms = [
        item(DVHType="CUMULATIVE", DVHReferencedROISequence=[
            item(ReferencedROINumber=n, DVHROIContributionType=c) for n, c in rois])
        for rois in (((1, "INCLUDED"), (2, "EXCLUDED")), ((55, "INCLUDED"), (2, "INCLUDED")))]
    for name, summation, plan, groups in (
            ("dose of plan", "PLAN", "plan", None),
            ("dose of beam", "BEAM", "plan", [of_group(1, field)]),
            ("dose of group", "FRACTION", "plan", [of_group(2)]),
            ("dose of points", "CONTROL_POINT", "plan", [of_group(1, points)]),
            ("dose of setup", "BRACHY", "brachy", [
                of_group(1, ReferencedBrachyApplicationSetupSequence=[setup])]),
            ("dose of lost", "BEAM", "plan", [of_group(1, item(ReferencedBeamNumber=7))])):
        of_plan = name == "dose of plan"
        write(folder, name, DOSE, frame="planning", **SYSTEM, DoseSummationType=summation,
              ReferencedRTPlanSequence=[
                  ref(key(plan), PLAN, ReferencedFractionGroupSequence=groups)],
              DVHSequence=histograms if of_plan else None,
              ReferencedStructureSetSequence=[
                  ref(key("structures"), STRUCT)] if of_plan else None)


# --- delivery ------------------------------------------------------------------------------------

def delivery(folder: Path) -> None:
    """Records of a plan and of brachytherapy in one session, and a portal image."""
    session = {"TreatmentSessionUID": key("session"), "TreatmentDate": "20240212"}
    write(folder, "record", RECORD, **LINAC, **session,
          ReferencedRTPlanSequence=[ref(key("plan"), PLAN)],
          TreatmentSessionBeamSequence=[
              item(ReferencedBeamNumber=n, CurrentFractionNumber=1) for n in (2, 1, 7)])
    write(folder, "brachy record", BRACHY_RECORD, series="rtrecord series", **LINAC, **session,
          ReferencedRTPlanSequence=[ref(key("brachy"), PLAN)],
          TreatmentSessionApplicationSetupSequence=[
              item(ReferencedBrachyApplicationSetupNumber=1)])
    write(folder, "portal", IMAGE, **LINAC, ReferencedRTPlanSequence=[ref(key("plan"), PLAN)],
          ImageType=["ORIGINAL", "PRIMARY", "PORTAL"], ReferencedBeamNumber=2, FractionNumber=3)
    write(folder, "radiation", EQUIPMENT_CLASS, **LINAC,
          EquipmentFrameOfReferenceUID=key("machine"))


# --- registrations -------------------------------------------------------------------------------

def moved(frame: str | None, matrix: Iterable[float], *slices: str) -> object:
    """Return an item of a registration with the images that it lists."""
    return item(
        FrameOfReferenceUID=key(frame) if frame else None,
        ReferencedImageSequence=[ref(key(s)) for s in slices] or None,
        MatrixRegistrationSequence=[item(MatrixSequence=[item(
            FrameOfReferenceTransformationMatrix=decimals(matrix),
            FrameOfReferenceTransformationMatrixType="RIGID")])])


def registrations(folder: Path) -> None:
    """Rigid ones of the cone beam, of the MR without a frame and of an atlas; a deformable one."""
    write(folder, "rigid", REG, frame="planning", **SYSTEM, ContentDate="20240213",
          RegistrationSequence=[
              moved("planning", IDENTITY, "ct1", "ct2", "ct3"),
              moved("of cbct", SHIFT, "cb1", "cb2"), moved(None, SHIFT, "mr2", "mr1")])
    atlas = moved(None, IDENTITY)
    assert hasattr(atlas, "add")
    atlas.FrameOfReferenceUID = TALAIRACH  # type: ignore[attr-defined]
    write(folder, "to atlas", REG, frame="planning", **SYSTEM, ContentDate="20240214",
          RegistrationSequence=[atlas])
    write(folder, "deformed", DEFORMABLE, frame="planning", **SYSTEM, ContentDate="20240215",
          DeformableRegistrationSequence=[item(
              SourceFrameOfReferenceUID=key("of cbct"), ReferencedImageSequence=[ref(key("cb1"))],
              DeformableRegistrationGridSequence=[item(GridDimensions=[2, 2, 2])])])


STEPS = (images, segmentation, older_structures, structures, plans, doses, delivery,
         registrations)


def write_all(folder: Path) -> None:
    """Write the whole course."""
    for step in STEPS:
        step(folder / step.__name__)
