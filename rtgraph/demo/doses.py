"""Builder of RT Doses with their DVHs (PS3.3 C.8.8.3, C.8.8.4). Doses are in Gy, lengths in mm."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import RTDoseStorage

from rtgraph.demo.objects import (
    Grid,
    ObjectRef,
    Series,
    da,
    decimal,
    decimals,
    fill,
    item,
    new_object,
    put_pixels,
    tm,
)

DVH_BIN_GY = 0.5
DVH_POINT_CC = 0.008


def dose(
    series: Series,
    uid: str,
    *,
    when: datetime,
    number: int,
    frame_uid: str,
    grid: Grid,
    values_gy: NDArray[np.float64],
    plans: Sequence[ObjectRef],
    summation: str = "PLAN",
    bits: int = 16,
    structures: ObjectRef | None = None,
    dvhs: Mapping[int, NDArray[np.float64]] | None = None,
) -> Dataset:
    """Return a dose grid, with DVHs when a structure set is given.

    Parameters
    ----------
    series, uid, when, number
        Series, UID, time and InstanceNumber of the object.
    frame_uid : str
        Frame of the grid.
    grid, values_gy : Grid, (z, y, x) float64
        Dose planes, Gy.
    plans : sequence of ObjectRef
        Plans the dose was calculated for.
    summation : str
        DoseSummationType.
    bits : int
        16 or 32 bits a voxel.
    structures : ObjectRef, optional
        Structure set of the DVHs.
    dvhs : mapping of ROINumber to (n,) float64, optional
        Dose in Gy at points of an ROI, 2 mm apart.
    """
    ds = new_object(series, RTDoseStorage, uid, number=number, when=when, frame_uid=frame_uid)
    # Pixels are divided by the scaling as it is written, with its few digits.
    scaling = f"{float(values_gy.max()) * 1.0001 / (2**bits - 1):.6g}"
    stored = np.rint(values_gy / float(scaling))
    put_pixels(ds, stored.astype(np.uint16 if bits == 16 else np.uint32))
    fill(
        ds,
        ContentDate=da(when),
        ContentTime=tm(when),
        ImagePositionPatient=decimals(grid.origin),
        ImageOrientationPatient=decimals([1, 0, 0, 0, 1, 0]),
        PixelSpacing=decimals([grid.spacing[1], grid.spacing[0]]),
        SliceThickness="",
        NumberOfFrames=grid.shape[2],
        FrameIncrementPointer=Tag("GridFrameOffsetVector"),
        GridFrameOffsetVector=decimals(grid.axis(2) - grid.origin[2]),
        DoseUnits="GY",
        DoseType="PHYSICAL",
        DoseSummationType=summation,
        DoseGridScaling=scaling,
        TissueHeterogeneityCorrection="IMAGE",
        ReferencedRTPlanSequence=[ref.item() for ref in plans],
    )
    if structures is not None:
        ds.ReferencedStructureSetSequence = [structures.item()]
        ds.DVHSequence = [_dvh(roi, doses_gy) for roi, doses_gy in (dvhs or {}).items()]
    return ds


def _dvh(roi_number: int, doses_gy: NDArray[np.float64]) -> Dataset:
    """Return a cumulative DVH from the dose at points that stand for 2 x 2 x 2 mm each."""
    edges = np.arange(0.0, float(doses_gy.max()) + DVH_BIN_GY, DVH_BIN_GY)
    volumes_cc = [float((doses_gy >= edge).sum()) * DVH_POINT_CC for edge in edges]
    pairs = [value for volume in volumes_cc for value in (DVH_BIN_GY, volume)]
    return item(
        DVHReferencedROISequence=[
            item(ReferencedROINumber=roi_number, DVHROIContributionType="INCLUDED")
        ],
        DVHType="CUMULATIVE",
        DoseUnits="GY",
        DoseType="PHYSICAL",
        DVHDoseScaling="1",
        DVHVolumeUnits="CM3",
        DVHNumberOfBins=len(volumes_cc),
        DVHData=decimals(pairs),
        DVHMinimumDose=decimal(round(float(doses_gy.min()), 4)),
        DVHMaximumDose=decimal(round(float(doses_gy.max()), 4)),
        DVHMeanDose=decimal(round(float(doses_gy.mean()), 4)),
    )
