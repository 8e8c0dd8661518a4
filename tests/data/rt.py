"""Radiotherapy objects for tests of what follows from a header, and how they are read.

Items are made element by element, with values as they stand in a file, right or wrong. Whatever a
test does not name is left out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydicom import Dataset, config
from pydicom import uid as uids

from rtgraph.ingest.parse import Plan, parse
from rtgraph.ingest.records import Found, Instance, Link, Part
from tests.data.items import item, put
from tests.data.small import encoded, new

CT, MR, PT, STRUCT, PLAN, ION_PLAN, DOSE, IMAGE, RECORD, REG, DEFORMABLE, SEG, SR = (
    str(u) for u in (
        uids.CTImageStorage, uids.MRImageStorage, uids.PositronEmissionTomographyImageStorage,
        uids.RTStructureSetStorage, uids.RTPlanStorage, uids.RTIonPlanStorage,
        uids.RTDoseStorage, uids.RTImageStorage, uids.RTBeamsTreatmentRecordStorage,
        uids.SpatialRegistrationStorage, uids.DeformableSpatialRegistrationStorage,
        uids.SegmentationStorage, uids.ComprehensiveSRStorage))
MODALITIES = {
    CT: "CT", MR: "MR", PT: "PT", STRUCT: "RTSTRUCT", PLAN: "RTPLAN", ION_PLAN: "RTPLAN",
    DOSE: "RTDOSE", IMAGE: "RTIMAGE", RECORD: "RTRECORD", REG: "REG", DEFORMABLE: "REG",
    SEG: "SEG", SR: "SR"}
IDENTITY = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
KEY = "0f" * 32


def made(sop_class: str, name: str = "object", *, of: Mapping[str, Any] | None = None,
         **elements: Any) -> Dataset:
    """Return an object of a class; `of` are arguments of `small.new`."""
    ds = new(name, sop_class=sop_class,
             **{"modality": MODALITIES.get(sop_class, "OT"), **(of or {})})
    return put(ds, **elements)


def read(ds: Dataset | bytes, *, names: bool = False) -> Instance:
    """Write an object, and read the file."""
    with config.disable_value_validation():
        raw = ds if isinstance(ds, bytes) else encoded(ds)
    with TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(raw)
        found = parse(Found(str(path), "root:file", len(raw), 1), Plan(KEY, names))
    assert isinstance(found, Instance), found
    return found


def facts(ds: Dataset) -> dict[str, Any]:
    """Return the properties of an object."""
    return read(ds).values["Instance"]


def parts(found: Instance, label: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the parts with a label, by the suffix of their key."""
    return {p.suffix: p.values for p in found.parts if p.label == label}


def the_part(found: Instance, label: str) -> Part:
    """Return the only part with a label."""
    (part,) = (p for p in found.parts if p.label == label)
    return part


def links(found: Instance, kind: str) -> set[tuple[Any, ...]]:
    """Return source, target and values of the edges of a type."""
    return {(link.source, link.target, *_values(link)) for link in found.links
            if link.type == kind}


def _values(link: Link) -> Sequence[Any]:
    return [value for _, value in link.values]


# --- plans ---------------------------------------------------------------------------------------

def point(
    angle: object = None, turn: str | None = None, *, leaves: Sequence[object] = (),
    jaws: Sequence[object] = (), **elements: Any,
) -> Dataset:
    """Return a control point that states what is given."""
    devices = [item(RTBeamLimitingDeviceType=kind, LeafJawPositions=[str(v) for v in values])
               for kind, values in (("MLCX", leaves), ("ASYMX", jaws)) if values]
    return item(
        GantryAngle=str(angle) if isinstance(angle, int | float) else angle,
        GantryRotationDirection=turn, BeamLimitingDevicePositionSequence=devices or None,
        **elements)


def beam(*points: Dataset, number: object = 1, kind: str | None = "STATIC",
         radiation: str | None = "PHOTON", **elements: Any) -> Dataset:
    """Return a beam; the delivery type is not stated unless it is given."""
    return item(BeamNumber=number, BeamType=kind, RadiationType=radiation,
                ControlPointSequence=list(points), **elements)


def ion_beam(*points: Dataset, number: object = 1, radiation: str = "PROTON",
             **elements: Any) -> Dataset:
    """Return an ion beam."""
    return item(BeamNumber=number, BeamType="STATIC", RadiationType=radiation,
                IonControlPointSequence=list(points), **elements)


def group(
    fractions: object, *beams: tuple[int, object, object], number: int = 1, **elements: Any
) -> Dataset:
    """Return a fraction group; beams as number, dose and meterset."""
    return item(
        FractionGroupNumber=number, NumberOfFractionsPlanned=fractions,
        ReferencedBeamSequence=[
            item(ReferencedBeamNumber=n, BeamDose=dose, BeamMeterset=meterset)
            for n, dose, meterset in beams] or None,
        **elements)


def dose_reference(kind: str | None, dose: object = None, number: object = 1,
                   **elements: Any) -> Dataset:
    """Return a dose reference."""
    return item(DoseReferenceNumber=number, DoseReferenceType=kind, TargetPrescriptionDose=dose,
                **elements)


def plan(*beams: Dataset, name: str = "plan", **elements: Any) -> Dataset:
    """Return a plan of photons or electrons."""
    return made(PLAN, name, BeamSequence=list(beams) or None, **elements)


def ion_plan(*beams: Dataset, name: str = "plan", **elements: Any) -> Dataset:
    """Return a plan of ions."""
    return made(ION_PLAN, name, IonBeamSequence=list(beams), **elements)
