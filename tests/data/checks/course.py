"""A sound course of seven files, small enough to be made five hundred times.

Three CT slices, a structure set of three ROIs, a plan of two treatment beams and a setup beam, its
dose, and the record of the first fraction. No check has anything to say about it.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from zlib import crc32

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.uid import (
    CTImageStorage,
    MRImageStorage,
    RTPlanStorage,
    RTStructureSetStorage,
)

from rtgraph.demo import doses, images, treatment
from rtgraph.demo.chart import LINAC, MR_SCANNER, PLANNING, SCANNER
from rtgraph.demo.objects import (
    Device,
    Grid,
    ImageStack,
    ObjectRef,
    Patient,
    Series,
    Study,
    da,
    decimals,
    fill,
    item,
    new_object,
    put_approval,
    save,
    tm,
)
from tests.data.small import encoded

DAY_0 = datetime(2024, 2, 5, 8)
GRID = Grid((-6.0, -6.0, -3.0), (4.0, 4.0, 3.0), (4, 4, 3))
BODY, PTV, BLADDER = 1, 2, 3
ROIS = ((BODY, "External", "EXTERNAL"), (PTV, "PTV", "PTV"), (BLADDER, "Bladder", "ORGAN"))
BEAMS = (treatment.Beam(1, "AP", 0.0, 100.0), treatment.Beam(2, "PA", 180.0, 80.0),
         treatment.Beam(3, "Setup", 0.0, 0.0))
PRESCRIPTION = treatment.Prescription(PTV, 50.0, 25)
MACHINE = "LINAC1"


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """Return a time, counted from the day of the planning CT."""
    return DAY_0.replace(hour=hour, minute=minute) + timedelta(days=day)


class Objects(dict[str, Dataset]):
    """Objects by name; those that nobody asks for stay bytes, as most of a course do."""

    def __init__(self, waiting: Mapping[str, bytes] = MappingProxyType({})) -> None:
        super().__init__()
        self.waiting = dict(waiting)

    def __missing__(self, name: str) -> Dataset:
        self[name] = dcmread(BytesIO(self.waiting.pop(name)))
        return self[name]

    def drop(self, name: str) -> None:
        """Take an object out."""
        if self.waiting.pop(name, None) is None:
            del self[name]


@dataclass
class Course:
    """The objects of one patient by name; what is left of them is written.

    Names are names of UIDs too: an object, a series, a study and a frame have the UID of their
    name. `raw` is written in the place of an object that pydicom would not write so. `after` are
    statements for the graph, with the facts of passes that are not run.
    """

    number: int
    objects: Objects = field(default_factory=Objects)
    raw: dict[str, bytes] = field(default_factory=dict)
    after: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    others: dict[str, "Course"] = field(default_factory=dict)

    @property
    def patient_id(self) -> str:
        """The PatientID, of the same length for all."""
        return f"CHECK-{self.number}"

    @property
    def patient(self) -> Patient:
        """Who it is; every patient has another name."""
        return Patient(self.patient_id, self.patient_id, date(1950, 1, 2), "M")

    @property
    def root(self) -> str:
        """What the UIDs of the patient begin with, of the same length for all."""
        return f"1.2.826.0.1.3680043.8.498.{self.number}."

    def uid(self, name: str) -> str:
        """Return the UID of a name; `b/plan` is the plan of the other patient b."""
        other, slash, own = name.partition("/")
        return self.others[other].uid(own) if slash else f"{self.root}{crc32(name.encode())}"

    def other(self, name: str) -> "Course":
        """Return the course of another patient, empty when it is asked for first."""
        return self.others.setdefault(name, Course(self.number + OTHERS * (1 + len(self.others))))

    def series(self, name: str, modality: str, device: Device, study: str = "planning",
               day: int = 0) -> Series:
        """Return a series of a study; equal names are equal series."""
        of_study = Study(self.uid(study), self.patient, at(day, 8), study)
        return Series(self.uid(name), of_study, modality, 1, at(day, 8), name, device)

    def ref(self, name: str) -> ObjectRef:
        """Return a reference to an object as it will be stated."""
        ds = self.objects[name]
        return ObjectRef(ds.SOPClassUID, ds.SOPInstanceUID)

    def put(self, name: str, ds: Dataset) -> Dataset:
        """Add an object."""
        self.objects[name] = ds
        return ds

    def write(self, folder: Path) -> None:
        """Write the objects that are there, each in a file of its name, others too."""
        own = folder / self.patient_id
        own.mkdir(parents=True, exist_ok=True)
        for name, ds in self.objects.items():
            save(ds, own / f"{name}.dcm")
        for name, data in (self.objects.waiting | self.raw).items():
            (own / f"{name}.dcm").write_bytes(data)
        for other in self.others.values():
            other.write(folder)


def sound_course(course: Course) -> None:
    """Fill a course with the seven objects."""
    ids = ((_TEMPLATE.root, course.root), (_TEMPLATE.patient_id, course.patient_id))
    for name, data in _sound_files().items():
        for old, new in ids:
            data = data.replace(old.encode(), new.encode())
        course.objects.waiting[name] = data


@cache
def _sound_files() -> dict[str, bytes]:
    """Return the files of the first patient: those of the others differ in their numbers only."""
    ct = scan(_TEMPLATE, "ct", n=3)
    structure_set(_TEMPLATE, "structures", ct)
    plan(_TEMPLATE, "plan", "structures")
    dose(_TEMPLATE, "dose", "plan")
    record(_TEMPLATE, "record", "plan")
    return {name: encoded(ds) for name, ds in _TEMPLATE.objects.items()}


FIRST, OTHERS = 100_000, 300_000
_TEMPLATE = Course(FIRST)


def stack_of(course: Course, name: str, *, modality: str = "CT", n: int = 3, frame: str = "frame",
             study: str = "planning", device: Device | None = None, day: int = 0,
             sop_class: str = "") -> ImageStack:
    """Return an image stack as planned: series `NAME_series`, slices `NAME1` and so on."""
    makers = {"CT": (CTImageStorage, SCANNER), "MR": (MRImageStorage, MR_SCANNER)}
    usual_class, usual_device = makers.get(modality, makers["CT"])
    series = course.series(f"{name}_series", modality, device or usual_device, study, day)
    grid = Grid(GRID.origin, GRID.spacing, (*GRID.shape[:2], n))
    uids = tuple(course.uid(f"{name}{k}") for k in range(1, n + 1))
    return ImageStack(series, course.uid(frame), sop_class or usual_class, uids, grid)


def scan(course: Course, name: str, **stated: object) -> ImageStack:
    """Add a scan; arguments as for `stack_of`."""
    stack = stack_of(course, name, **stated)  # type: ignore[arg-type]
    values = np.zeros(stack.grid.shape[::-1], np.int16)
    make = images.mr_series if stack.series.modality == "MR" else images.ct_series
    for k, ds in enumerate(make(stack, values), start=1):
        course.put(f"{name}{k}", ds)
    return stack


def structure_set(course: Course, name: str, stack: ImageStack, *, day: int = 1,
                  rois: Sequence[tuple[int, str, str]] = ROIS, study: str = "planning") -> Dataset:
    """Add an approved structure set with a square on every slice for each ROI."""
    series = course.series(f"{name}_series", "RTSTRUCT", PLANNING, study, day)
    when, frame = at(day), stack.frame_uid
    ds = new_object(series, RTStructureSetStorage, course.uid(name), number=1, when=when,
                    frame_uid=frame)
    fill(
        ds,
        StructureSetLabel="Plan", StructureSetDate=da(when), StructureSetTime=tm(when),
        ReferencedFrameOfReferenceSequence=[frame_item(stack)],
        StructureSetROISequence=[
            item(ROINumber=number, ReferencedFrameOfReferenceUID=frame, ROIName=label,
                 ROIGenerationAlgorithm="MANUAL") for number, label, _ in rois],
        ROIContourSequence=[
            item(ReferencedROINumber=number, ContourSequence=contours(stack))
            for number, *_ in rois],
        RTROIObservationsSequence=[
            item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType=kind,
                 ROIInterpreter="") for number, _, kind in rois],
    )
    put_approval(ds, when + timedelta(hours=1))
    return course.put(name, ds)


def frame_item(stack: ImageStack) -> Dataset:
    """Return the item of ReferencedFrameOfReferenceSequence that lists a stack."""
    listed = item(SeriesInstanceUID=stack.series.uid,
                  ContourImageSequence=[ref.item() for ref in stack.refs])
    study = ObjectRef("1.2.840.10008.3.1.2.3.1", stack.series.study.uid)
    return item(FrameOfReferenceUID=stack.frame_uid,
                RTReferencedStudySequence=[study.item(RTReferencedSeriesSequence=[listed])])


def contours(stack: ImageStack) -> list[Dataset]:
    """Return a square of 4 mm on every slice, with its image."""
    corners = ((-2.0, -2.0), (2.0, -2.0), (2.0, 2.0), (-2.0, 2.0))
    return [
        item(ContourImageSequence=[ref.item()], ContourGeometricType="CLOSED_PLANAR",
             NumberOfContourPoints=4,
             ContourData=decimals([v for x, y in corners for v in (x, y, float(z))]))
        for ref, z in zip(stack.refs, stack.grid.axis(2), strict=True)]


def plan(course: Course, name: str, structures: str, *, day: int = 3,
         beams: Sequence[treatment.Beam] = BEAMS, frame: str = "frame", study: str = "planning",
         predecessor: ObjectRef | None = None) -> Dataset:
    """Add an approved plan."""
    series = course.series(f"{name}_series", "RTPLAN", PLANNING, study, day)
    return course.put(name, treatment.plan(
        series, course.uid(name), when=at(day), label="Pelvis", frame_uid=course.uid(frame),
        structures=ObjectRef(RTStructureSetStorage, course.uid(structures)),
        prescription=PRESCRIPTION, beams=beams, isocentre=(0.0, 0.0, 0.0), machine=MACHINE,
        approved=at(day, 13), predecessor=predecessor))


def dose(course: Course, name: str, of_plan: str, *, day: int = 3, frame: str = "frame",
         summation: str = "PLAN", planes: int = 3, structures: str = "structures") -> Dataset:
    """Add the dose of a plan, with a DVH of each ROI of the structure set."""
    series = course.series(f"{name}_series", "RTDOSE", PLANNING, "planning", day)
    grid = Grid(GRID.origin, GRID.spacing, (*GRID.shape[:2], planes))
    values = np.linspace(1.0, 52.0, 16 * planes).reshape(grid.shape[::-1])
    return course.put(name, doses.dose(
        series, course.uid(name), when=at(day, 14), number=1, frame_uid=course.uid(frame),
        grid=grid, values_gy=values, plans=[ObjectRef(RTPlanStorage, course.uid(of_plan))],
        summation=summation, structures=ObjectRef(RTStructureSetStorage, course.uid(structures)),
        dvhs={number: np.array([1.0, 2.0]) for number, *_ in ROIS}))


def record(course: Course, name: str, of_plan: str, *, day: int = 7, fraction: int = 1,
           beams: Sequence[treatment.Beam] = BEAMS) -> Dataset:
    """Add the record of a fraction, delivered as planned, in a study of its own."""
    series = course.series(f"{name}_series", "RTRECORD", LINAC, "treatment", day)
    return course.put(name, treatment.record(
        series, course.uid(name), when=at(day), number=1,
        plan=ObjectRef(RTPlanStorage, course.uid(of_plan)), fraction=fraction,
        fractions=PRESCRIPTION.fractions, beams=beams, machine=MACHINE))


def again(ds: Dataset, **elements: object) -> Dataset:
    """Return a copy of a data set with other elements."""
    return fill(deepcopy(ds), **elements)
