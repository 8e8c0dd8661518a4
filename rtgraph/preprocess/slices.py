"""Headers of image slices: one record a plane, from single-frame and multi-frame objects alike.

Attributes of a frame of an enhanced object stand in functional groups, of the frame or shared
(PS3.3 C.7.6.16); from here on both kinds look the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from rtgraph.preprocess.geometry import axes_of
from rtgraph.preprocess.refusals import Code, Refused

Floats = NDArray[np.float64]
# What tells phases, echoes and diffusion weights apart where slices share a position, in the order
# in which they are tried: attribute, and the functional group that holds it in enhanced objects.
STACK_KEYS = (
    ("TemporalPositionIdentifier", ""),
    ("TemporalPositionIndex", "FrameContentSequence"),
    ("NominalPercentageOfCardiacPhase", "CardiacSynchronizationSequence"),
    ("NominalPercentageOfRespiratoryPhase", "RespiratorySynchronizationSequence"),
    ("EchoTime", ""),
    ("EffectiveEchoTime", "MREchoSequence"),
    ("DiffusionBValue", "MRDiffusionSequence"),
    ("TriggerTime", ""),
    ("AcquisitionNumber", ""),
    ("FrameReferenceTime", ""),
    ("AcquisitionTime", ""),
    ("SeriesInstanceUID", ""),
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Slice:
    """One plane of an image.

    Attributes
    ----------
    source : int
        Place of the object in the list that was read.
    frame : int
        Frame of a multi-frame object, from 0.
    position : (3,) float64
        Centre of the first pixel, LPS, mm.
    axes : (3, 3) float64
        Along columns, along rows, across the plane.
    spacing : (float, float)
        Between columns and between rows, mm.
    slope, intercept : float
        Rescale of the stored values; 1 and 0 where they are absent (`has_rescale`).
    keys : dict
        Values that may tell stacks apart, by attribute.
    """

    source: int
    frame: int
    sop_uid: str
    position: Floats
    axes: Floats
    spacing: tuple[float, float]
    size: tuple[int, int]
    thickness_mm: float
    slope: float
    intercept: float
    has_rescale: bool
    number: int | None
    is_localizer: bool
    patient_position: str
    tilt_deg: float
    keys: dict[str, str]


def slices_of(ds: Dataset, source: int = 0) -> list[Slice]:
    """Return the planes of an image object.

    Parameters
    ----------
    ds : Dataset
        Header; the pixel data are not looked at.
    source : int
        Number to remember the object by.

    Raises
    ------
    Refused
        It states no position, orientation or spacing, or none that can be used.
    """
    frames = list(ds.get("PerFrameFunctionalGroupsSequence") or ())
    if not frames:
        return [_slice(ds, _Groups(ds, (), ()), source, 0)]
    shared = list(ds.get("SharedFunctionalGroupsSequence") or ())
    return [_slice(ds, _Groups(ds, (group,), shared), source, k) for k, group in enumerate(frames)]


@dataclass(frozen=True, slots=True)
class _Groups:
    """Where an attribute of a frame may stand: in its groups, the shared ones, the object."""

    ds: Dataset
    own: Sequence[Dataset]
    shared: Sequence[Dataset]

    def get(self, keyword: str, group: str = "") -> Any:
        for item in self._items(group):
            value = item.get(keyword)
            if value is not None and value != "":
                return value
        return None

    def _items(self, group: str) -> Iterator[Dataset]:
        if group:
            for groups in (*self.own, *self.shared):
                yield from groups.get(group) or ()
        yield self.ds


def _slice(ds: Dataset, groups: _Groups, source: int, frame: int) -> Slice:
    position = numbers(groups.get("ImagePositionPatient", "PlanePositionSequence"), 3)
    orientation = numbers(groups.get("ImageOrientationPatient", "PlaneOrientationSequence"), 6)
    spacing = numbers(groups.get("PixelSpacing", "PixelMeasuresSequence"), 2)
    if position is None or orientation is None or spacing is None or not np.all(spacing > 0):
        raise Refused(Code.GRID, "an image states no position, orientation or pixel spacing")
    slope = _number(groups.get("RescaleSlope", "PixelValueTransformationSequence"))
    intercept = _number(groups.get("RescaleIntercept", "PixelValueTransformationSequence"))
    kind = ds.get("ImageType") or ()
    kinds = [kind] if isinstance(kind, str) else list(kind)
    thickness = _number(groups.get("SliceThickness", "PixelMeasuresSequence"))
    return Slice(
        source=source, frame=frame, sop_uid=str(ds.get("SOPInstanceUID", "")), position=position,
        axes=axes_of(orientation.tolist()), spacing=(float(spacing[1]), float(spacing[0])),
        size=(int(ds.get("Columns") or 0), int(ds.get("Rows") or 0)),
        thickness_mm=thickness if thickness and thickness > 0 else 1.0,
        slope=1.0 if slope is None else slope, intercept=0.0 if intercept is None else intercept,
        has_rescale=slope is not None and intercept is not None,
        number=_whole(ds.get("InstanceNumber")),
        is_localizer=len(kinds) > 2 and kinds[2] == "LOCALIZER",
        patient_position=str(ds.get("PatientPosition") or ""),
        tilt_deg=_number(groups.get("GantryDetectorTilt")) or 0.0,
        keys={k: str(v) for k, group in STACK_KEYS if (v := groups.get(k, group)) is not None})


def numbers(value: Any, count: int) -> Floats | None:
    """Return that many finite numbers, or None."""
    try:
        numbers = np.array([float(v) for v in value], np.float64)
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and bool(np.all(np.isfinite(numbers))) else None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
