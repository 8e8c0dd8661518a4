"""What every synthetic DICOM object has: the modules of patient, study, series and object.

The builders of single objects are in `images`, `structures`, `treatment` and `doses`. They return
pydicom data sets with file meta information, Explicit VR Little Endian, ready for `save`.
Lengths are in mm; dates and times come in as `datetime` and are never those of the clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from rtgraph.errors import OutputError


def make_uid(*names: object) -> str:
    """Return the UID that these names always give."""
    return str(generate_uid(entropy_srcs=["/".join(map(str, ("rtgraph demo", *names)))]))


# Stated here because pydicom's own values change with its version, and the bytes must not.
IMPLEMENTATION_CLASS_UID = make_uid("implementation")
IMPLEMENTATION_VERSION_NAME = "RTGRAPH_DEMO"


@dataclass(frozen=True, slots=True)
class Device:
    """The equipment that is said to have made a series."""

    manufacturer: str
    model: str
    serial_number: str
    station: str
    software: str = "1.0"


@dataclass(frozen=True, slots=True)
class Patient:
    """Values of the Patient module."""

    id: str
    name: str
    birth_date: date
    sex: str


@dataclass(frozen=True, slots=True)
class Study:
    """Values of the General Study module."""

    uid: str
    patient: Patient
    when: datetime
    description: str


@dataclass(frozen=True, slots=True)
class Series:
    """Values of the General Series and General Equipment modules."""

    uid: str
    study: Study
    modality: str
    number: int
    when: datetime
    description: str
    device: Device


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """A reference to an object, as it will be stated: SOP class and SOP Instance UID."""

    sop_class: str
    uid: str

    def item(self, **more: object) -> Dataset:
        """Return a sequence item of the SOP Instance Reference macro, with `more` elements."""
        return item(ReferencedSOPClassUID=self.sop_class, ReferencedSOPInstanceUID=self.uid, **more)


@dataclass(frozen=True, slots=True)
class Grid:
    """Axial planes of equal distance: centre of the first voxel, steps in mm, voxels in x, y, z.

    Coordinates are LPS; planes run from foot to head.
    """

    origin: tuple[float, float, float]
    spacing: tuple[float, float, float]
    shape: tuple[int, int, int]

    def axis(self, index: int) -> NDArray[np.float64]:
        """Return the voxel centres along x (0), y (1) or z (2), in mm."""
        return np.asarray(
            self.origin[index] + self.spacing[index] * np.arange(self.shape[index]), np.float64
        )

    def points(self) -> NDArray[np.float64]:
        """Return all voxel centres, shape (z, y, x, 3), in mm."""
        z, y, x = np.meshgrid(self.axis(2), self.axis(1), self.axis(0), indexing="ij")
        return np.stack([x, y, z], axis=-1)


@dataclass(frozen=True, slots=True)
class ImageStack:
    """An axial image series as planned: its frame, its grid and one UID a slice, foot to head."""

    series: Series
    frame_uid: str
    sop_class: str
    uids: tuple[str, ...]
    grid: Grid

    @property
    def refs(self) -> list[ObjectRef]:
        """References to the slices, foot to head."""
        return [ObjectRef(self.sop_class, uid) for uid in self.uids]


def fill(ds: Dataset, **elements: object) -> Dataset:
    """Set elements by keyword and return the data set; a list of data sets is a sequence."""
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def item(**elements: object) -> Dataset:
    """Return a sequence item with these elements."""
    return fill(Dataset(), **elements)


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return an item of the Code Sequence macro."""
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def decimal(value: float) -> str:
    """Return a decimal string (VR DS), which must not be longer than 16 characters."""
    return f"{round(float(value), 8) + 0.0:.10g}"


def decimals(values: Iterable[float]) -> list[str]:
    """Return decimal strings of several values."""
    return [decimal(v) for v in values]


def da(when: date) -> str:
    """Return a value of VR DA."""
    return f"{when:%Y%m%d}"


def tm(when: datetime) -> str:
    """Return a value of VR TM."""
    return f"{when:%H%M%S}"


def new_object(
    series: Series,
    sop_class: str,
    uid: str,
    *,
    number: int,
    when: datetime,
    frame_uid: str | None = None,
) -> Dataset:
    """Return a data set with the modules that all objects share (PS3.3 C.7.1 to C.7.5, C.12.1).

    `number` is the InstanceNumber, `when` the time of creation; `frame_uid` adds the Frame of
    Reference module.
    """
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    ds.file_meta.MediaStorageSOPInstanceUID = UID(uid)
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    ds.file_meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    study, patient, device = series.study, series.study.patient, series.device
    fill(
        ds,
        SpecificCharacterSet="ISO_IR 192",
        SOPClassUID=sop_class,
        SOPInstanceUID=uid,
        InstanceCreationDate=da(when),
        InstanceCreationTime=tm(when),
        InstanceNumber=number,
        PatientName=patient.name,
        PatientID=patient.id,
        PatientBirthDate=da(patient.birth_date),
        PatientSex=patient.sex,
        StudyInstanceUID=study.uid,
        StudyDate=da(study.when),
        StudyTime=tm(study.when),
        StudyDescription=study.description,
        StudyID="",
        AccessionNumber="",
        ReferringPhysicianName="",
        SeriesInstanceUID=series.uid,
        Modality=series.modality,
        SeriesNumber=series.number,
        SeriesDate=da(series.when),
        SeriesTime=tm(series.when),
        SeriesDescription=series.description,
        OperatorsName="",
        Manufacturer=device.manufacturer,
        ManufacturerModelName=device.model,
        DeviceSerialNumber=device.serial_number,
        StationName=device.station,
        SoftwareVersions=device.software,
    )
    if frame_uid is not None:
        fill(ds, FrameOfReferenceUID=frame_uid, PositionReferenceIndicator="")
    return ds


def put_pixels(ds: Dataset, pixels: NDArray[np.integer]) -> None:
    """Set the Image Pixel module for grey values: (rows, columns) or (frames, rows, columns)."""
    bits = pixels.dtype.itemsize * 8
    fill(
        ds,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=pixels.shape[-2],
        Columns=pixels.shape[-1],
        BitsAllocated=bits,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=int(pixels.dtype.kind == "i"),
        PixelData=pixels.astype(pixels.dtype.newbyteorder("<")).tobytes(),
    )


def put_approval(ds: Dataset, approved: datetime | None) -> None:
    """Set the Approval module: approved at that time, or not approved."""
    ds.ApprovalStatus = "UNAPPROVED" if approved is None else "APPROVED"
    if approved is not None:
        fill(ds, ReviewDate=da(approved), ReviewTime=tm(approved), ReviewerName="")


def put_common_references(ds: Dataset, stacks: Sequence[ImageStack]) -> None:
    """Set the Common Instance Reference module (PS3.3 C.12.2): own study, then other studies."""
    by_study: dict[str, list[Dataset]] = {}
    for stack in stacks:
        by_study.setdefault(stack.series.study.uid, []).append(
            item(
                SeriesInstanceUID=stack.series.uid,
                ReferencedInstanceSequence=[ref.item() for ref in stack.refs],
            )
        )
    if own := by_study.pop(ds.StudyInstanceUID, None):
        ds.ReferencedSeriesSequence = own
    if by_study:
        ds.StudiesContainingOtherReferencedInstancesSequence = [
            item(StudyInstanceUID=uid, ReferencedSeriesSequence=series)
            for uid, series in by_study.items()
        ]


def save(ds: Dataset, path: Path) -> None:
    """Write a data set as a DICOM file; missing folders are made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        dcmwrite(path, ds, enforce_file_format=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error
