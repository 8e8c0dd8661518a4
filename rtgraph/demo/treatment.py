"""Builders of RT Plans and of RT Beams Treatment Records.

Sources: PS3.3 C.8.8.9 to C.8.8.14 and C.8.8.16 (plan), C.8.8.17 to C.8.8.21 (treatment record).
Doses are in Gy, metersets in MU, lengths in mm, angles in degrees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydicom.dataset import Dataset
from pydicom.uid import RTBeamsTreatmentRecordStorage, RTPlanStorage

from rtgraph.demo.objects import (
    ObjectRef,
    Series,
    da,
    decimal,
    decimals,
    fill,
    item,
    new_object,
    put_approval,
    tm,
)
from rtgraph.demo.phantom import Vector

ENERGY_MV = 6.0
JAWS = ("ASYMX", "ASYMY")
JAW_MM = 45.0


@dataclass(frozen=True, slots=True)
class Beam:
    """A static field; `meterset_mu` is 0 for a setup field."""

    number: int
    name: str
    gantry_deg: float
    meterset_mu: float

    @property
    def delivery_type(self) -> str:
        """TreatmentDeliveryType of the beam."""
        return "TREATMENT" if self.meterset_mu > 0 else "SETUP"


@dataclass(frozen=True, slots=True)
class Prescription:
    """What a plan is to deliver: total dose to an ROI, in a number of fractions."""

    roi_number: int
    dose_gy: float
    fractions: int


def plan(
    series: Series,
    uid: str,
    *,
    when: datetime,
    label: str,
    frame_uid: str,
    structures: ObjectRef,
    prescription: Prescription,
    beams: Sequence[Beam],
    isocentre: Vector,
    machine: str,
    approved: datetime | None = None,
    predecessor: ObjectRef | None = None,
    drrs: Mapping[int, ObjectRef] | None = None,
) -> Dataset:
    """Return a photon plan with static fields and one fraction group.

    Parameters
    ----------
    series, uid, when, label
        Series, UID, time and RTPlanLabel of the object.
    frame_uid : str
        Frame of the planning image.
    structures : ObjectRef
        Structure set the plan was made on.
    prescription : Prescription
        Becomes the one dose reference, and the number of fractions.
    beams : sequence of Beam
        Setup fields included; all are in the fraction group.
    isocentre : (x, y, z)
        mm, LPS.
    machine : str
        TreatmentMachineName.
    approved : datetime, optional
        Time of approval.
    predecessor : ObjectRef, optional
        Plan this one replaces.
    drrs : mapping of BeamNumber to ObjectRef, optional
        Reference images of beams.
    """
    ds = new_object(series, RTPlanStorage, uid, number=1, when=when, frame_uid=frame_uid)
    fill(
        ds,
        RTPlanLabel=label,
        RTPlanDate=da(when),
        RTPlanTime=tm(when),
        PlanIntent="CURATIVE",
        RTPlanGeometry="PATIENT",
        ReferencedStructureSetSequence=[structures.item()],
        DoseReferenceSequence=[
            item(
                DoseReferenceNumber=1,
                DoseReferenceStructureType="VOLUME",
                DoseReferenceType="TARGET",
                ReferencedROINumber=prescription.roi_number,
                TargetPrescriptionDose=decimal(prescription.dose_gy),
            )
        ],
        PatientSetupSequence=[item(PatientSetupNumber=1, PatientPosition="HFS")],
        FractionGroupSequence=[_fraction_group(prescription, beams)],
        BeamSequence=[_beam(b, isocentre, machine, (drrs or {}).get(b.number)) for b in beams],
    )
    if predecessor is not None:
        ds.ReferencedRTPlanSequence = [predecessor.item(RTPlanRelationship="PREDECESSOR")]
    put_approval(ds, approved)
    return ds


def _fraction_group(prescription: Prescription, beams: Sequence[Beam]) -> Dataset:
    """Return the item of FractionGroupSequence; treatment beams share the dose equally."""
    fractions = prescription.fractions
    beam_dose = prescription.dose_gy / fractions / sum(beam.meterset_mu > 0 for beam in beams)
    return item(
        FractionGroupNumber=1,
        NumberOfFractionsPlanned=fractions,
        NumberOfBeams=len(beams),
        NumberOfBrachyApplicationSetups=0,
        ReferencedBeamSequence=[
            item(
                ReferencedBeamNumber=beam.number,
                BeamDose=decimal(beam_dose if beam.meterset_mu > 0 else 0),
                BeamMeterset=decimal(beam.meterset_mu),
            )
            for beam in beams
        ],
    )


def _beam(beam: Beam, isocentre: Vector, machine: str, drr: ObjectRef | None) -> Dataset:
    """Return the item of a static field in BeamSequence, with two control points."""
    first = item(
        ControlPointIndex=0,
        CumulativeMetersetWeight="0",
        IsocenterPosition=decimals(isocentre),
        **_machine_setting(beam),
    )
    ds = item(
        BeamNumber=beam.number,
        BeamName=beam.name,
        BeamType="STATIC",
        RadiationType="PHOTON",
        TreatmentDeliveryType=beam.delivery_type,
        TreatmentMachineName=machine,
        PrimaryDosimeterUnit="MU",
        SourceAxisDistance="1000",
        BeamLimitingDeviceSequence=_jaw_pairs(),
        ReferencedPatientSetupNumber=1,
        FinalCumulativeMetersetWeight="1",
        NumberOfControlPoints=2,
        ControlPointSequence=[first, item(ControlPointIndex=1, CumulativeMetersetWeight="1")],
        **_no_accessories(),
    )
    if drr is not None:
        ds.ReferencedReferenceImageSequence = [drr.item(ReferenceImageNumber=beam.number)]
    return ds


def _machine_setting(beam: Beam) -> dict[str, object]:
    """Return the elements of a control point that place gantry, jaws and table."""
    jaws = decimals([-JAW_MM, JAW_MM])
    return {
        "NominalBeamEnergy": decimal(ENERGY_MV),
        "BeamLimitingDevicePositionSequence": [
            item(RTBeamLimitingDeviceType=jaw, LeafJawPositions=jaws) for jaw in JAWS
        ],
        "GantryAngle": decimal(beam.gantry_deg),
        "GantryRotationDirection": "NONE",
        "BeamLimitingDeviceAngle": "0",
        "BeamLimitingDeviceRotationDirection": "NONE",
        "PatientSupportAngle": "0",
        "PatientSupportRotationDirection": "NONE",
        "TableTopEccentricAngle": "0",
        "TableTopEccentricRotationDirection": "NONE",
        "TableTopVerticalPosition": "",
        "TableTopLongitudinalPosition": "",
        "TableTopLateralPosition": "",
    }


def _jaw_pairs() -> list[Dataset]:
    """Return the items that name the beam limiting devices."""
    return [item(RTBeamLimitingDeviceType=jaw, NumberOfLeafJawPairs=1) for jaw in JAWS]


def _no_accessories() -> dict[str, object]:
    """Return the counts of what is not in the beam."""
    return dict.fromkeys(
        ("NumberOfWedges", "NumberOfCompensators", "NumberOfBoli", "NumberOfBlocks"), 0
    )


def record(
    series: Series,
    uid: str,
    *,
    when: datetime,
    number: int,
    plan: ObjectRef,
    fraction: int,
    fractions: int,
    beams: Sequence[Beam],
    machine: str,
    portals: Mapping[int, ObjectRef] | None = None,
) -> Dataset:
    """Return the record of one fraction in which its beams were delivered as planned.

    Parameters
    ----------
    series, uid, when, number
        Series, UID, time of treatment and InstanceNumber of the object.
    plan : ObjectRef
        Plan that was delivered.
    fraction, fractions : int
        Number of this fraction, and of those planned.
    beams : sequence of Beam
        Beams delivered; setup fields are left out.
    machine : str
        TreatmentMachineName.
    portals : mapping of BeamNumber to ObjectRef, optional
        Images taken during delivery.
    """
    ds = new_object(series, RTBeamsTreatmentRecordStorage, uid, number=number, when=when)
    treated = [beam for beam in beams if beam.meterset_mu > 0]
    return fill(
        ds,
        TreatmentDate=da(when),
        TreatmentTime=tm(when),
        ReferencedRTPlanSequence=[plan.item()],
        ReferencedFractionGroupNumber=1,
        NumberOfFractionsPlanned=fractions,
        PrimaryDosimeterUnit="MU",
        TreatmentMachineSequence=[
            item(
                TreatmentMachineName=machine,
                Manufacturer=series.device.manufacturer,
                InstitutionName="",
                ManufacturerModelName=series.device.model,
                DeviceSerialNumber=series.device.serial_number,
            )
        ],
        TreatmentSessionBeamSequence=[
            _delivery(b, fraction, when + timedelta(minutes=2 * i), (portals or {}).get(b.number))
            for i, b in enumerate(treated)
        ],
    )


def _delivery(beam: Beam, fraction: int, start: datetime, portal: ObjectRef | None) -> Dataset:
    """Return the item of a delivered field in TreatmentSessionBeamSequence."""
    first, last = (
        item(
            ReferencedControlPointIndex=index,
            TreatmentControlPointDate=da(moment),
            TreatmentControlPointTime=tm(moment),
            SpecifiedMeterset=decimal(beam.meterset_mu * index),
            DeliveredMeterset=decimal(beam.meterset_mu * index),
            DoseRateSet="600",
            DoseRateDelivered="600",
        )
        for index, moment in enumerate((start, start + timedelta(seconds=30)))
    )
    fill(first, NominalBeamEnergyUnit="MV", **_machine_setting(beam))
    ds = item(
        ReferencedBeamNumber=beam.number,
        BeamName=beam.name,
        BeamType="STATIC",
        RadiationType="PHOTON",
        BeamLimitingDeviceLeafPairsSequence=_jaw_pairs(),
        CurrentFractionNumber=fraction,
        TreatmentDeliveryType=beam.delivery_type,
        TreatmentTerminationStatus="NORMAL",
        TreatmentVerificationStatus="VERIFIED",
        SpecifiedPrimaryMeterset=decimal(beam.meterset_mu),
        DeliveredPrimaryMeterset=decimal(beam.meterset_mu),
        NumberOfControlPoints=2,
        ControlPointDeliverySequence=[first, last],
        **_no_accessories(),
    )
    if portal is not None:
        ds.ReferencedVerificationImageSequence = [portal.item()]
    return ds
