"""Patients with CT, structure set, plan and dose on one small phantom, ready to be ingested.

The dose is linear in the patient's coordinates, the ROIs are cylinders: what an export must hold
follows from formulas.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.uid import RTPlanStorage

from tests.data import solids
from tests.data.solids import Layout, RoiSpec, ring

SIZE, SPACING, PLANES = (40, 36), (2.0, 2.5), 16
SCALING = 0.0005
ROIS = (("External", "EXTERNAL", 30.0, (39.1, 43.3)), ("GTVp", "GTV", 9.0, (35.3, 41.2)),
        ("Parotid_L", "ORGAN", 6.0, (58.4, 47.1)), ("par re", "ORGAN", 6.0, (20.6, 47.1)))


def layout(patient: str, orientation: str = "HFS") -> Layout:
    """Return where the CT of a patient lies; each patient has a frame of its own."""
    return Layout(solids.ORIENTATIONS[orientation], origin=(-39.3, -45.1, -20.7),
                  positions=tuple(3.0 * k for k in range(PLANES)), spacing=SPACING, size=SIZE,
                  frame_uid=solids.uid(patient, "frame"))


def dose_gy(points: np.ndarray) -> np.ndarray:
    """Return the dose at points of the patient."""
    return np.asarray(30.0 + 0.2 * points[:, 0] - 0.1 * points[:, 1] + 0.05 * points[:, 2])


def contours(radius: float, at: tuple[float, float]) -> solids.Contours:
    """Return a cylinder over the middle planes."""
    return [(3.0 * k, ring(radius, 90, at)) for k in range(3, PLANES - 3)]


def chain(patient: str, *, orientation: str = "HFS", scale: float = 1.0) -> dict[str, Any]:
    """Return the objects of a patient: ct (a list), structures, plan, dose."""
    where = layout(patient, orientation)
    shape = (PLANES, SIZE[1], SIZE[0])
    values = (np.random.default_rng(len(patient)).integers(-1000, 1500, shape)
              + sum(map(ord, patient))).astype(np.int16)
    slices = solids.ct(where, values, f"{patient} ct", PatientPosition="HFS")
    rois = [RoiSpec(k, name, contours(radius, at), interpreted_type=kind)
            for k, (name, kind, radius, at) in enumerate(ROIS, start=1)]
    ds = solids.structures(where, rois, slices, f"{patient} structures")
    plan = plan_of(patient, ds)
    dose = dose_of(patient, where, [plan], scale=scale)
    objects = {"ct": slices, "structures": ds, "plan": plan, "dose": dose}
    for one in (*slices, ds, plan, dose):
        own(one, patient)
    return objects


def own(ds: Dataset, patient: str) -> Dataset:
    """Give an object to a patient and the one study of it."""
    ds.PatientID, ds.PatientName = patient, f"Canary^{patient}"
    ds.StudyInstanceUID = solids.uid(patient, "study")
    return ds


def plan_of(patient: str, structures: Dataset, name: str = "plan", **elements: Any) -> Dataset:
    """Return a plan of two beams and 30 fractions."""
    ds = solids.new(RTPlanStorage, solids.uid(patient, name), "RTPLAN",
                    solids.uid(patient, "plans"), RTPlanLabel="P1", RTPlanDate="20240205",
                    RTPlanTime="090000", RTPlanGeometry="PATIENT", ApprovalStatus="APPROVED",
                    FrameOfReferenceUID=structures.FrameOfReferenceUID)
    ds.DoseReferenceSequence = [solids.item(
        DoseReferenceNumber=1, DoseReferenceStructureType="SITE", DoseReferenceType="TARGET",
        TargetPrescriptionDose="32")]
    ds.FractionGroupSequence = [solids.item(
        FractionGroupNumber=1, NumberOfFractionsPlanned=30, NumberOfBeams=2,
        NumberOfBrachyApplicationSetups=0, ReferencedBeamSequence=[
            solids.item(ReferencedBeamNumber=n, BeamMeterset="100") for n in (1, 2)])]
    ds.BeamSequence = [solids.item(
        BeamNumber=n, BeamName=f"B{n}", BeamType="STATIC", RadiationType="PHOTON",
        TreatmentDeliveryType="TREATMENT", NumberOfControlPoints=2, ControlPointSequence=[
            solids.item(ControlPointIndex=0, GantryAngle=str(90 * n), IsocenterPosition=[0, 0, 0],
                        CumulativeMetersetWeight="0"),
            solids.item(ControlPointIndex=1, CumulativeMetersetWeight="1")]) for n in (1, 2)]
    ds.ReferencedStructureSetSequence = [solids.item(
        ReferencedSOPClassUID=structures.SOPClassUID,
        ReferencedSOPInstanceUID=structures.SOPInstanceUID)]
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return own(ds, patient)


def dose_of(patient: str, where: Layout, plans: Sequence[Dataset], name: str = "dose", *,
            scale: float = 1.0, beams: Sequence[int] = (), **elements: Any) -> Dataset:
    """Return the dose of plans on a grid of 4 x 4 x 3 mm that covers the ROIs."""
    grid = Layout(where.orientation, tuple(where.patient([(-3.0, -2.0, 1.5)])[0].tolist()),
                  tuple(3.0 * k for k in range(15)), (4.0, 4.0), (22, 25), where.frame_uid)
    uvw = [(c * 4.0, r * 4.0, w) for w in grid.positions for r in range(25) for c in range(22)]
    values = scale * dose_gy(grid.patient(uvw)).reshape(15, 25, 22)
    ds = solids.dose(grid, np.rint(values / SCALING).astype(np.uint32), SCALING, grid.positions,
                     f"{patient} {name}", **elements)
    ds.ReferencedRTPlanSequence = [solids.item(
        ReferencedSOPClassUID=p.SOPClassUID, ReferencedSOPInstanceUID=p.SOPInstanceUID)
        for p in plans]
    if beams:
        ds.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence = [solids.item(
            ReferencedFractionGroupNumber=1, ReferencedBeamSequence=[
                solids.item(ReferencedBeamNumber=n) for n in beams])]
    return own(ds, patient)


def write(objects: dict[str, Any], folder: Path) -> list[str]:
    """Write the objects of a patient; return the files."""
    flat = [d for value in objects.values()
            for d in (value if isinstance(value, list) else [value])]
    return solids.save(flat, folder)
