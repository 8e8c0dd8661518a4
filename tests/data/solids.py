"""Solids with known geometry as DICOM objects: images, structure sets, doses in any orientation.

Shapes are drawn in the coordinates of the stack (u along columns, v along rows, w across planes,
mm from the first voxel) and turned into patient coordinates here, so that a test that computes in
u, v, w shares nothing with the code that reads the files.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import cos, pi, radians, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmwrite
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    RTDoseStorage,
    RTStructureSetStorage,
    generate_uid,
)

Floats = NDArray[np.float64]

_C, _S = cos(radians(20)), sin(radians(20))
# name: direction of columns, direction of rows (ImageOrientationPatient)
ORIENTATIONS: dict[str, tuple[float, ...]] = {
    "HFS": (1, 0, 0, 0, 1, 0),
    "HFP": (-1, 0, 0, 0, -1, 0),
    "FFS": (-1, 0, 0, 0, 1, 0),
    "FFP": (1, 0, 0, 0, -1, 0),
    "HFDR": (0, 1, 0, -1, 0, 0),
    "HFDL": (0, -1, 0, 1, 0, 0),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1),
    "oblique": (1, 0, 0, 0, _C, _S),
}
SPACING = (1.2, 1.5)  # between columns, between rows
STEP = 3.0
SIZE = (64, 56)  # columns, rows
PLANES = 60
FRAME = "1.2.826.0.1.3680043.8.498.1"


def uid(*names: object) -> str:
    """Return the UID that these names always give."""
    return str(generate_uid(entropy_srcs=["/".join(map(str, ("solids", *names)))]))


@dataclass(frozen=True)
class Layout:
    """Where a stack lies: orientation, first voxel, and the position of each plane in mm."""

    orientation: tuple[float, ...] = ORIENTATIONS["HFS"]
    origin: tuple[float, float, float] = (-31.7, 12.3, -71.9)
    positions: tuple[float, ...] = tuple(k * STEP for k in range(PLANES))
    spacing: tuple[float, float] = SPACING
    size: tuple[int, int] = SIZE
    frame_uid: str = FRAME
    shear: tuple[float, float] = (0.0, 0.0)

    @property
    def axes(self) -> Floats:
        """Columns, rows, normal as rows of a matrix."""
        row, column = np.array(self.orientation[:3]), np.array(self.orientation[3:])
        return np.stack([row, column, np.cross(row, column)])

    def patient(self, uvw: Iterable[Sequence[float]] | Floats) -> Floats:
        """Return LPS points of points in the coordinates of the stack."""
        return np.asarray(np.array(self.origin) + np.asarray(list(uvw), float) @ self.axes)


# --- shapes: contours as (w, [(u, v), ...]) -----------------------------------------------------

CENTRE = (37.83, 41.37)  # no voxel centre lies on an edge


def ring(radius: float, n: int = 180, at: tuple[float, float] = CENTRE) -> Floats:
    """Return a regular polygon of n corners."""
    angle = (np.arange(n) + 0.31) * 2 * pi / n
    return np.stack([at[0] + radius * np.cos(angle), at[1] + radius * np.sin(angle)], axis=1)


def keyhole(outer: float, inner: float) -> Floats:
    """Return one path: around, in through a channel without width, back around, out again."""
    out, hole = ring(outer), ring(inner)[::-1]
    out, hole = np.vstack([out, out[:1]]), np.vstack([hole[-1:], hole])
    return np.vstack([out, hole])


Contours = list[tuple[float, Floats]]
_LONG = [20 * STEP + k * STEP for k in range(20)]


def _sphere(radius: float, w0: float) -> Contours:
    planes = [k * STEP for k in range(PLANES)]
    return [(w, ring((radius**2 - (w - w0) ** 2) ** 0.5)) for w in planes if abs(w - w0) < radius]


# name: contours, and the exact volume of the stack of slabs in cc
SHAPES: dict[str, Callable[[], Contours]] = {
    "SPHERE": lambda: _sphere(20.0, 29 * STEP),
    "CYL": lambda: [(w, ring(20.0)) for w in _LONG],
    "RING": lambda: [(w, c) for w in _LONG for c in (ring(25.0), ring(15.0))],
    "KEY": lambda: [(w, keyhole(25.0, 15.0)) for w in _LONG],
    "TWO": lambda: [(w, c) for w in _LONG
                    for c in (ring(10.0, at=(20.3, 30.1)), ring(10.0, at=(50.9, 50.7)))],
    "SMALL": lambda: [(w, ring(3.0)) for w in (30 * STEP, 31 * STEP)],
}
LARGE = ("SPHERE", "CYL", "RING", "KEY", "TWO")


def shoelace(points: Floats) -> float:
    """Return the signed area of a polygon."""
    x, y = points.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def volume_cc(name: str, contours: Contours) -> float:
    """Return polygon area times slice thickness; the inner contour of RING is taken off."""
    areas: dict[float, list[float]] = {}
    for w, points in contours:
        areas.setdefault(w, []).append(abs(shoelace(points)))
    total = sum(max(a) - min(a) if name == "RING" else sum(a) for a in areas.values())
    return total * STEP / 1000


def winding(points: Floats, u: Floats, v: Floats) -> NDArray[np.int64]:
    """Return the winding number of a polygon about points: by quadrants, not by crossings."""
    total = np.zeros(np.broadcast(u, v).shape, np.int64)
    for (u0, v0), (u1, v1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        step = _quadrant(u1 - u, v1 - v) - _quadrant(u0 - u, v0 - v)
        turn = (u0 - u) * (v1 - v) - (u1 - u) * (v0 - v)
        step = np.where(np.abs(step) == 2, 2 * np.sign(turn).astype(int), step)
        total += np.where(step == 3, -1, np.where(step == -3, 1, step))
    return total // 4


def _quadrant(du: Floats, dv: Floats) -> NDArray[np.int64]:
    return np.where(du > 0, np.where(dv > 0, 0, 3), np.where(dv > 0, 1, 2)).astype(np.int64)


def truth(contours: Contours, layout: Layout, rule: str = "xor", exclusive: bool = False
          ) -> NDArray[np.uint8]:
    """Return the voxels whose centre is inside, by winding numbers in the stack's coordinates."""
    u = np.arange(layout.size[0], dtype=np.float64)[None, :] * layout.spacing[0]
    v = np.arange(layout.size[1], dtype=np.float64)[:, None] * layout.spacing[1]
    found = np.zeros((len(layout.positions), layout.size[1], layout.size[0]), np.uint8)
    for plane, w in enumerate(layout.positions):
        here = [winding(c, u, v) != 0 for cw, c in contours if abs(cw - w) < 1e-6]
        for region in here:
            if rule == "xor" or (rule == "standard" and exclusive):
                found[plane] ^= region
            else:
                found[plane] |= region
    return found


# --- objects -------------------------------------------------------------------------------------

def decimal(value: float) -> str:
    """Return a decimal string of at most 16 characters."""
    return f"{round(float(value), 9) + 0.0:.10g}"


def new(sop_class: str, sop_uid: str, modality: str, series: str, **elements: object) -> Dataset:
    """Return an object of the one patient."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    ds.file_meta.MediaStorageSOPInstanceUID = UID(sop_uid)
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    values = {
        "SOPClassUID": sop_class, "SOPInstanceUID": sop_uid, "Modality": modality,
        "PatientID": "SOLIDS-1", "PatientName": "Solids^Test", "PatientBirthDate": "19500101",
        "PatientSex": "O", "StudyInstanceUID": uid("study"), "SeriesInstanceUID": series,
        "StudyDate": "20240205", "StudyTime": "080000", "SeriesNumber": 1, "InstanceNumber": 1,
        "StudyID": "1", "AccessionNumber": "", "ReferringPhysicianName": "",
        "Manufacturer": "rtgraph tests", "InstanceCreationDate": "20240205",
        "InstanceCreationTime": "080000",
    }
    for keyword, value in (values | elements).items():
        setattr(ds, keyword, value)
    return ds


def put_pixels(ds: Dataset, pixels: NDArray[np.generic]) -> None:
    """Set the Image Pixel module."""
    bits = pixels.dtype.itemsize * 8
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit, ds.PixelRepresentation = bits - 1, int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.tobytes()


def ct(layout: Layout, values: NDArray[np.int16] | None = None, name: str = "ct",
       **elements: object) -> list[Dataset]:
    """Return CT slices; without values the HU are a linear ramp of the voxel number."""
    made = []
    for k, w in enumerate(layout.positions):
        ds = new(CTImageStorage, uid(name, k), "CT", uid(name), InstanceNumber=k + 1,
                 ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], FrameOfReferenceUID=layout.frame_uid,
                 PositionReferenceIndicator="", RescaleSlope=1, RescaleIntercept=-1024,
                 RescaleType="HU", KVP="120", AcquisitionNumber=1, SliceThickness=STEP,
                 PatientPosition="",
                 PixelSpacing=[decimal(layout.spacing[1]), decimal(layout.spacing[0])],
                 ImageOrientationPatient=[decimal(x) for x in layout.orientation],
                 ImagePositionPatient=[decimal(x) for x in layout.patient(
                     [(layout.shear[0] * w, layout.shear[1] * w, w)])[0]])
        plane = (np.full(layout.size[::-1], 1024 + k, np.int16) if values is None
                 else (values[k] + 1024).astype(np.int16))
        put_pixels(ds, plane)
        for keyword, value in elements.items():
            setattr(ds, keyword, value)
        made.append(ds)
    return made


@dataclass
class RoiSpec:
    """An ROI to write; `contours` in the coordinates of the stack."""

    number: int
    name: str
    contours: Contours = field(default_factory=list)
    geometric_type: str = "CLOSED_PLANAR"
    interpreted_type: str = "ORGAN"


def structures(layout: Layout, rois: Sequence[RoiSpec], images: Sequence[Dataset] = (),
               name: str = "structures") -> Dataset:
    """Return a structure set of ROIs drawn on a stack."""
    ds = new(RTStructureSetStorage, uid(name), "RTSTRUCT", uid(name, "series"),
             FrameOfReferenceUID=layout.frame_uid, PositionReferenceIndicator="",
             StructureSetLabel="SOLIDS", StructureSetDate="20240205", StructureSetTime="080000",
             ApprovalStatus="UNAPPROVED")
    listed = [item(ReferencedSOPClassUID=i.SOPClassUID, ReferencedSOPInstanceUID=i.SOPInstanceUID)
              for i in images]
    series = images[0].SeriesInstanceUID if images else uid("ct")
    ds.ReferencedFrameOfReferenceSequence = [item(
        FrameOfReferenceUID=layout.frame_uid, RTReferencedStudySequence=[item(
            ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
            ReferencedSOPInstanceUID=uid("study"), RTReferencedSeriesSequence=[item(
                SeriesInstanceUID=series, ContourImageSequence=listed)])])]
    ds.StructureSetROISequence = [item(
        ROINumber=r.number, ROIName=r.name, ReferencedFrameOfReferenceUID=layout.frame_uid,
        ROIGenerationAlgorithm="MANUAL") for r in rois]
    ds.ROIContourSequence = [item(
        ReferencedROINumber=r.number, ROIDisplayColor=[255, r.number % 256, 0],
        ContourSequence=[contour(layout, w, points, r.geometric_type)
                         for w, points in r.contours]) for r in rois]
    ds.RTROIObservationsSequence = [item(
        ObservationNumber=k, ReferencedROINumber=r.number,
        RTROIInterpretedType=r.interpreted_type, ROIInterpreter="")
        for k, r in enumerate(rois, start=1)]
    return ds


def contour(layout: Layout, w: float, points: Floats, kind: str = "CLOSED_PLANAR") -> Dataset:
    """Return an item of ContourSequence."""
    uvw = np.column_stack([points, np.full(len(points), w)])
    ds = item(ContourGeometricType=kind, NumberOfContourPoints=len(points))
    ds[CONTOUR_DATA] = raw_decimals(layout.patient(uvw).ravel())
    return ds


CONTOUR_DATA = Tag(0x3006, 0x0050)


def raw_decimals(values: Iterable[float]) -> RawDataElement:
    """Return ContourData as it stands in a file: made fast, and read as from a file."""
    text = "\\".join(decimal(x) for x in values).encode()
    text += b" " * (len(text) % 2)
    return RawDataElement(CONTOUR_DATA, "DS", len(text), text, 0, False, True)


def item(**elements: object) -> Dataset:
    """Return a sequence item."""
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def dose(layout: Layout, stored: NDArray[np.unsignedinteger], scaling: float,
         offsets: Sequence[float], name: str = "dose", **elements: object) -> Dataset:
    """Return a dose; `stored` (frames, rows, columns) in the order of `offsets`."""
    ds = new(RTDoseStorage, uid(name), "RTDOSE", uid(name, "series"),
             FrameOfReferenceUID=layout.frame_uid, PositionReferenceIndicator="",
             ImagePositionPatient=[decimal(x) for x in layout.origin],
             ImageOrientationPatient=[decimal(x) for x in layout.orientation],
             PixelSpacing=[decimal(layout.spacing[1]), decimal(layout.spacing[0])],
             NumberOfFrames=len(offsets), FrameIncrementPointer=0x3004000C,
             GridFrameOffsetVector=[decimal(x) for x in offsets], DoseUnits="GY",
             DoseType="PHYSICAL", DoseSummationType="PLAN", DoseGridScaling=f"{scaling:.8g}",
             SliceThickness="")
    put_pixels(ds, stored)
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def save(objects: Iterable[Dataset], folder: Path) -> list[str]:
    """Write objects and return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for ds in objects:
        path = folder / f"{ds.Modality}-{ds.SOPInstanceUID[-24:]}.dcm"
        dcmwrite(path, ds, enforce_file_format=True)
        found.append(str(path))
    return found
