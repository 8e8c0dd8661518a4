"""Structure sets from masks: references, frame and decimal strings as planning systems want them.

Contours follow the edges of pixels, so the same voxels come back; holes are keyholes. What is
written is read back and compared before it is given away. PS3.3 A.19, C.8.8.5, C.8.8.6, C.8.8.8.
"""

import colorsys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from io import BytesIO
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, ImplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from rtgraph import __version__
from rtgraph.graphmodel.properties import LONGEST_DECIMAL
from rtgraph.output import write_file
from rtgraph.preprocess.contours import read_structures
from rtgraph.preprocess.geometry import Floats, Grid, grid_of
from rtgraph.preprocess.images import Series
from rtgraph.preprocess.masks import make_mask
from rtgraph.preprocess.outlines import outlines
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.sampling import resample

DETACHED_STUDY = "1.2.840.10008.3.1.2.3.1"  # retired class that structure sets state for the study
_CONTOUR_DATA = Tag(0x3006, 0x0050)
_COPIED = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
           "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
           "ReferringPhysicianName", "StudyDescription")


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """An ROI to write: voxels of the reference image.

    Attributes
    ----------
    array : (planes, rows, columns) bool
        On the grid of the image series.
    name : str
        ROIName.
    interpreted_type : str
        RTROIInterpretedType; may be empty.
    colour : (int, int, int), optional
        ROIDisplayColor; made from the number when absent.
    """

    array: NDArray[np.bool_]
    name: str
    interpreted_type: str = ""
    colour: tuple[int, int, int] | None = None


def structure_set(series: Series, regions: Sequence[Region], *, label: str, when: datetime
                  ) -> Dataset:
    """Return a structure set of regions on an image series.

    Parameters
    ----------
    series : Series
        The image; its planes must be those of the regions. Patient and study are those of the
        image.
    regions : sequence of Region
        ROIs in the order of their numbers, from 1.
    label : str
        StructureSetLabel, at most 16 characters.
    when : datetime
        Date and time of the structure set.

    Raises
    ------
    Refused
        MIXED_GEOMETRY: a region is not on the grid of the series. UNREADABLE: what was written
        does not give the same voxels.
    """
    grid = series.stack.grid
    for region in regions:
        if region.array.shape != grid.shape:
            raise Refused(Code.MIXED_GEOMETRY, f"a mask of {region.array.shape} is not on the "
                                               f"planes of the series, {grid.shape}")
    ds = _head(series, regions, label, when)
    frame = series.frame_uid
    images = [_reference(series, plane) for plane in range(grid.shape[0])]
    listed = _item(SeriesInstanceUID=series.header.SeriesInstanceUID,
                   ContourImageSequence=[images[k] for k in _once(series)])
    study = _item(ReferencedSOPClassUID=DETACHED_STUDY,
                  ReferencedSOPInstanceUID=series.header.StudyInstanceUID,
                  RTReferencedSeriesSequence=[listed])
    ds.ReferencedFrameOfReferenceSequence = [
        _item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])]
    ds.StructureSetROISequence = [
        _item(ROINumber=k, ReferencedFrameOfReferenceUID=frame, ROIName=r.name[:64],
              ROIGenerationAlgorithm="AUTOMATIC") for k, r in enumerate(regions, start=1)]
    ds.ROIContourSequence = [
        _contours(k, r, grid, images) for k, r in enumerate(regions, start=1)]
    ds.RTROIObservationsSequence = [
        _item(ObservationNumber=k, ReferencedROINumber=k,
              RTROIInterpretedType=r.interpreted_type, ROIInterpreter="")
        for k, r in enumerate(regions, start=1)]
    _check(ds, regions, grid)
    return ds


def save(ds: Dataset, path: Path, *, force: bool = False) -> None:
    """Write a structure set.

    Raises
    ------
    OutputError
        The file exists already, or cannot be written.
    """
    part10 = BytesIO()
    dcmwrite(part10, ds, enforce_file_format=True)
    write_file(part10.getvalue(), path, force=force)


def on_series(image: sitk.Image, series: Series) -> NDArray[np.int64]:
    """Return the labels of an image on the grid of a series, by the nearest voxel.

    Raises
    ------
    Refused
        MIXED_GEOMETRY: the label image does not reach into the series at all.
    """
    own = grid_of(image)
    labels = sitk.GetArrayFromImage(image)
    if own.same_as(series.stack.grid, 1e-2):
        return np.asarray(labels, np.int64)
    moved, covered = resample(labels.astype(np.float32), own, series.stack.grid, nearest=True)
    if not covered.any():
        raise Refused(Code.MIXED_GEOMETRY, "the label image lies beside the series")
    return np.rint(moved).astype(np.int64)


def decimal(value: float) -> str:
    """Return a decimal string of at most 16 characters, as exact as these allow.

    Raises
    ------
    ValueError
        The number has no such form.
    """
    for digits in range(14, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= LONGEST_DECIMAL:
            return "0" if float(text) == 0 else text
    raise ValueError("a number does not fit into 16 characters")


def _head(series: Series, regions: Sequence[Region], label: str, when: datetime) -> Dataset:
    digest = blake2b(digest_size=16)
    for part in (series.header.SeriesInstanceUID, label, when.isoformat(), __version__):
        digest.update(str(part).encode() + b"\0")
    for region in regions:
        digest.update(region.name.encode() + b"\0" + np.packbits(region.array).tobytes())
    seed = digest.hexdigest()
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = RTStructureSetStorage
    ds.file_meta.MediaStorageSOPInstanceUID = UID(_uid(seed, "instance"))
    # Explicit VR has no room for contours of more than 65,534 bytes (PS3.3 C.8.8.6).
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _COPIED:
        if keyword in series.header:
            ds[keyword] = series.header[keyword]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate",
                    "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"):
        if keyword not in ds:
            setattr(ds, keyword, "")
    date, time = f"{when:%Y%m%d}", f"{when:%H%M%S}"
    values = {
        "SOPClassUID": RTStructureSetStorage, "SOPInstanceUID": _uid(seed, "instance"),
        "Modality": "RTSTRUCT", "SeriesInstanceUID": _uid(seed, "series"), "SeriesNumber": None,
        "InstanceNumber": 1, "SeriesDescription": label, "OperatorsName": "",
        "InstanceCreationDate": date, "InstanceCreationTime": time, "Manufacturer": "rtgraph",
        "ManufacturerModelName": "rtgraph", "SoftwareVersions": __version__,
        "FrameOfReferenceUID": series.frame_uid, "PositionReferenceIndicator": "",
        "StructureSetLabel": label[:16], "StructureSetDate": date, "StructureSetTime": time,
        "ApprovalStatus": "UNAPPROVED",
    }
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def _uid(seed: str, what: str) -> str:
    return str(generate_uid(entropy_srcs=[seed, what]))


def _once(series: Series) -> Iterable[int]:
    """Return one plane for each object: a multi-frame object is listed once."""
    seen: dict[str, int] = {}
    for plane, s in enumerate(series.stack.slices):
        seen.setdefault(s.sop_uid, plane)
    return seen.values()


def _reference(series: Series, plane: int) -> Dataset:
    s = series.stack.slices[plane]
    ds = _item(ReferencedSOPClassUID=series.header.SOPClassUID, ReferencedSOPInstanceUID=s.sop_uid)
    if sum(other.sop_uid == s.sop_uid for other in series.stack.slices) > 1:
        ds.ReferencedFrameNumber = s.frame + 1
    return ds


def _contours(number: int, region: Region, grid: Grid, images: Sequence[Dataset]) -> Dataset:
    found: list[Dataset] = []
    for plane in np.flatnonzero(region.array.any(axis=(1, 2))).tolist():
        for path in outlines(region.array[plane]):
            points = grid.to_points(np.column_stack([path, np.full(len(path), plane)]))
            found.append(_contour(len(found) + 1, points, images[plane]))
    ds = _item(ROIDisplayColor=list(region.colour or _colour(number)), ReferencedROINumber=number)
    if found:
        ds.ContourSequence = found
    return ds


def _contour(number: int, points: Floats, image: Dataset) -> Dataset:
    ds = _item(ContourNumber=number, ContourImageSequence=[image],
               ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=len(points))
    text = "\\".join(decimal(x) for x in points.ravel().tolist()).encode()
    text += b" " * (len(text) % 2)
    ds[_CONTOUR_DATA] = RawDataElement(_CONTOUR_DATA, "DS", len(text), text, 0, True, True)
    return ds


def _colour(number: int) -> tuple[int, int, int]:
    """Return a colour that is far from those of neighbouring numbers."""
    red, green, blue = colorsys.hsv_to_rgb(number * 0.618 % 1, 0.9, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def _item(**elements: object) -> Dataset:
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def _check(ds: Dataset, regions: Sequence[Region], grid: Grid) -> None:
    """Read the structure set and compare its voxels with the regions."""
    for roi, region in zip(read_structures(ds).rois, regions, strict=True):
        mask = make_mask(roi, grid).mask
        again = np.zeros(grid.shape, np.uint8) if mask is None else mask.full()
        if not np.array_equal(again, region.array):
            raise Refused(Code.UNREADABLE, f"ROI {roi.number} does not come back as it was: "
                                           f"{int((again != region.array).sum())} voxels differ")
