"""Builders of images (CT, localizer, MR, RT Image) and of the registrations between them.

Sources: PS3.3 C.8.2 (CT), C.8.3 (MR), C.8.8.2 (RT Image), C.20.2 (Spatial Registration).
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, RTImageStorage, SpatialRegistrationStorage

from rtgraph.demo.objects import (
    Grid,
    ImageStack,
    ObjectRef,
    Series,
    code,
    da,
    decimal,
    decimals,
    fill,
    item,
    new_object,
    put_common_references,
    put_pixels,
    tm,
)

CT_OFFSET_HU = 1024  # stored value minus HU
AXIAL = decimals([1, 0, 0, 0, 1, 0])
CORONAL = decimals([1, 0, 0, 0, 0, -1])
SAD_MM = 1000.0


def _put_image(ds: Dataset, when: datetime, image_type: Sequence[str]) -> None:
    """Set the General Image and General Acquisition values of an image of a scanner."""
    fill(
        ds,
        ImageType=list(image_type),
        AcquisitionNumber=1,
        AcquisitionDate=da(when),
        AcquisitionTime=tm(when),
        ContentDate=da(when),
        ContentTime=tm(when),
        PatientPosition="HFS",
    )


def _put_plane(
    ds: Dataset,
    position: Sequence[float],
    spacing: Sequence[float],
    thickness_mm: float,
    orientation: Sequence[str] = AXIAL,
) -> None:
    """Set the Image Plane module; `spacing` is (between rows, between columns) in mm."""
    fill(
        ds,
        ImagePositionPatient=decimals(position),
        ImageOrientationPatient=list(orientation),
        PixelSpacing=decimals(spacing),
        SliceThickness=decimal(thickness_mm),
    )


def _put_ct(ds: Dataset, values_hu: NDArray[np.int16]) -> None:
    """Set the CT Image and Image Pixel modules."""
    put_pixels(ds, values_hu + np.int16(CT_OFFSET_HU))
    fill(ds, RescaleIntercept=-CT_OFFSET_HU, RescaleSlope=1, RescaleType="HU", KVP=120)


def _slices(stack: ImageStack, image_type: Sequence[str]) -> list[Dataset]:
    """Return the slices of a stack without pixels and without what one modality needs."""
    grid, when, made = stack.grid, stack.series.when, []
    for index, uid in enumerate(stack.uids):
        ds = new_object(
            stack.series,
            stack.sop_class,
            uid,
            number=index + 1,
            when=when,
            frame_uid=stack.frame_uid,
        )
        _put_image(ds, when, image_type)
        position = (grid.origin[0], grid.origin[1], float(grid.axis(2)[index]))
        _put_plane(ds, position, (grid.spacing[1], grid.spacing[0]), grid.spacing[2])
        made.append(ds)
    return made


def ct_series(
    stack: ImageStack, values_hu: NDArray[np.int16], localizer: ObjectRef | None = None
) -> list[Dataset]:
    """Return the slices of a CT, foot to head.

    Parameters
    ----------
    stack : ImageStack
        Series, frame, grid and UIDs.
    values_hu : (z, y, x) int16
        HU.
    localizer : ObjectRef, optional
        Image that each slice names as its localizer.
    """
    slices = _slices(stack, ("ORIGINAL", "PRIMARY", "AXIAL"))
    for ds, plane in zip(slices, values_hu, strict=True):
        _put_ct(ds, plane)
        if localizer is not None:
            purpose = [code("121311", "DCM", "Localizer")]
            ds.ReferencedImageSequence = [localizer.item(PurposeOfReferenceCodeSequence=purpose)]
    return slices


def localizer_image(
    series: Series, uid: str, frame_uid: str, grid: Grid, values_hu: NDArray[np.int16]
) -> Dataset:
    """Return the frontal localizer of a CT, made from its values (z, y, x) in HU."""
    ds = new_object(
        series, CTImageStorage, uid, number=1, when=series.when, frame_uid=frame_uid
    )  # fmt: skip
    _put_image(ds, series.when, ("ORIGINAL", "PRIMARY", "LOCALIZER"))
    top = (grid.origin[0], float(grid.axis(1).mean()), float(grid.axis(2)[-1]))
    _put_plane(ds, top, (grid.spacing[2], grid.spacing[0]), grid.spacing[1], CORONAL)
    _put_ct(ds, _frontal(values_hu).astype(np.int16))
    return ds


def mr_series(stack: ImageStack, values: NDArray[np.int16]) -> list[Dataset]:
    """Return the slices of a T2-weighted spin echo MR with these values (z, y, x)."""
    slices = _slices(stack, ("ORIGINAL", "PRIMARY", "M", "SE"))
    for ds, plane in zip(slices, values, strict=True):
        put_pixels(ds, plane)
        fill(
            ds,
            ScanningSequence="SE",
            SequenceVariant="SK",
            ScanOptions="",
            MRAcquisitionType="2D",
            RepetitionTime=4000,
            EchoTime=90,
            EchoTrainLength=16,
            FlipAngle=90,
            MagneticFieldStrength=3,
        )
    return slices


def _frontal(values_hu: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the mean along the beam of a frontal view: rows from head to foot."""
    return np.asarray(values_hu.mean(axis=1, dtype=np.float64)[::-1])


def rt_image(
    series: Series,
    uid: str,
    *,
    when: datetime,
    number: int,
    kind: str,
    label: str,
    plan: ObjectRef,
    beam: tuple[int, float],
    grid: Grid,
    values_hu: NDArray[np.int16],
    machine: str,
    frame_uid: str | None = None,
    fraction: int | None = None,
    image_plane_mm: float = SAD_MM,
) -> Dataset:
    """Return a frontal DRR or portal image of a beam.

    Parameters
    ----------
    series, uid, when, number
        Series, UID, time and InstanceNumber of the object.
    kind : str
        "DRR" or "PORTAL": ImageType value 3.
    label : str
        RTImageLabel.
    plan : ObjectRef
        Plan the beam belongs to; the image names its fraction group 1.
    beam : (int, float)
        BeamNumber and gantry angle in degrees.
    grid, values_hu : Grid, (z, y, x) int16
        CT the image is projected from. The view is frontal whatever the angle.
    machine : str
        RadiationMachineName.
    frame_uid : str, optional
        Frame of reference, for a DRR.
    fraction : int, optional
        FractionNumber, for a portal image.
    image_plane_mm : float
        Distance of the image plane from the source.
    """
    ds = new_object(series, RTImageStorage, uid, number=number, when=when, frame_uid=frame_uid)
    calculated = kind == "DRR"
    view = np.clip(_frontal(values_hu) - (-1000.0), 0, 4095).astype(np.uint16)
    put_pixels(ds, view)
    step = np.array([grid.spacing[2], grid.spacing[0]]) * image_plane_mm / SAD_MM
    rows, columns = view.shape
    fill(
        ds,
        ImageType=["DERIVED" if calculated else "ORIGINAL", "SECONDARY", kind],
        ConversionType="WSD" if calculated else "DI",
        PatientOrientation="",
        ContentDate=da(when),
        ContentTime=tm(when),
        RTImageLabel=label,
        ReportedValuesOrigin="PLAN" if calculated else "ACTUAL",
        RTImagePlane="NORMAL",
        XRayImageReceptorTranslation=decimals([0, 0, image_plane_mm * -1 + SAD_MM]),
        XRayImageReceptorAngle="0",
        RTImageOrientation=decimals([1, 0, 0, 0, -1, 0]),
        ImagePlanePixelSpacing=decimals(step),
        RTImagePosition=decimals([-(columns - 1) / 2 * step[1], (rows - 1) / 2 * step[0]]),
        RadiationMachineName=machine,
        RadiationMachineSAD=decimal(SAD_MM),
        RTImageSID=decimal(image_plane_mm),
        PrimaryDosimeterUnit="MU",
        GantryAngle=decimal(beam[1]),
        ReferencedRTPlanSequence=[plan.item()],
        ReferencedBeamNumber=beam[0],
        ReferencedFractionGroupNumber=1,
    )
    if fraction is not None:
        ds.FractionNumber = fraction
    return ds


def registration(
    series: Series,
    uid: str,
    *,
    when: datetime,
    number: int,
    fixed: ImageStack,
    moving: ImageStack,
    matrix: NDArray[np.float64],
) -> Dataset:
    """Return a rigid spatial registration with an item for each of two image series.

    Parameters
    ----------
    series, uid, when, number
        Series, UID, time and InstanceNumber of the object.
    fixed, moving : ImageStack
        The object is in the frame of `fixed`, whose item holds the identity.
    matrix : (4, 4) float64
        From points of `moving` to points of `fixed`, mm.
    """
    ds = new_object(
        series,
        SpatialRegistrationStorage,
        uid,
        number=number,
        when=when,
        frame_uid=fixed.frame_uid,
    )
    fill(
        ds,
        ContentDate=da(when),
        ContentTime=tm(when),
        ContentLabel="REGISTRATION",
        ContentDescription=series.description,
        ContentCreatorName="",
        RegistrationSequence=[
            _registration_item(fixed, np.eye(4)),
            _registration_item(moving, matrix),
        ],
    )
    put_common_references(ds, [fixed, moving])
    return ds


def _registration_item(stack: ImageStack, matrix: NDArray[np.float64]) -> Dataset:
    """Return an item of RegistrationSequence: the images and their matrix to the fixed frame."""
    transform = item(
        FrameOfReferenceTransformationMatrixType="RIGID",
        FrameOfReferenceTransformationMatrix=decimals(matrix.ravel()),
    )
    kind = code("125025", "DCM", "Visual Alignment")
    return item(
        FrameOfReferenceUID=stack.frame_uid,
        ReferencedImageSequence=[ref.item() for ref in stack.refs],
        MatrixRegistrationSequence=[
            item(RegistrationTypeCodeSequence=[kind], MatrixSequence=[transform])
        ],
    )
