"""Volumes from image objects: rescaled values on the planes where they were measured.

CT becomes HU as int16, other images float32 after rescale. PET may become SUV by body weight.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from rtgraph.preprocess.files import opened, read
from rtgraph.preprocess.geometry import Floats, Grid, to_image
from rtgraph.preprocess.masks import Finding
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.sampling import resample
from rtgraph.preprocess.slices import Slice, slices_of
from rtgraph.preprocess.stacks import Stack, StackOptions, measured, stack_of
from rtgraph.preprocess.suv import suv_factor

AIR_HU = -1000
_NO_DECODER = (RuntimeError, NotImplementedError, AttributeError, ImportError)


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Values on a grid.

    Attributes
    ----------
    array : (planes, rows, columns)
        int16 HU for CT, else float32.
    valid : (planes, rows, columns) of bool, or None
        Voxels between measured ones; None when the array is as it was measured.
    """

    array: NDArray[Any]
    grid: Grid
    modality: str
    unit: str
    findings: tuple[Finding, ...] = ()
    valid: NDArray[np.bool_] | None = None

    @property
    def image(self) -> sitk.Image:
        """The volume as a SimpleITK image."""
        return to_image(self.array, self.grid)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """An image series whose headers are read: its stack, and where its pixels are."""

    locations: tuple[str, ...]
    stack: Stack
    modality: str
    frame_uid: str
    header: Dataset


def open_series(locations: Sequence[str], options: StackOptions | None = None,
                expected: Sequence[str] = ()) -> Series:
    """Read the headers of an image series and order its slices; opens no pixels.

    Parameters
    ----------
    locations : sequence of str
        Files, or members of archives.
    options : StackOptions, optional
        What is gone on with instead of being refused.
    expected : sequence of str
        SOP Instance UIDs that must be among them.

    Raises
    ------
    Refused
        A file cannot be read, several frames of reference are stated, or the slices make no
        stack (see `stack_of`).
    """
    slices: list[Slice] = []
    header, frames = None, set()
    for k, location in enumerate(locations):
        ds = read(location, pixels=False)
        slices += slices_of(ds, k)
        frames.add(str(ds.get("FrameOfReferenceUID") or ""))
        header = header or ds
    if header is None:
        raise Refused(Code.NO_IMAGE, "the series has no file")
    stack = stack_of(slices, options, expected)
    if len(frames) > 1:
        raise Refused(Code.MIXED_GEOMETRY, f"the series has {len(frames)} frames of reference")
    return Series(tuple(locations), stack, str(header.get("Modality") or ""), frames.pop(), header)


def read_volume(series: Series, *, suv: bool = False, grid: Grid | None = None) -> Volume:
    """Read the pixels of a series, one object at a time.

    Parameters
    ----------
    series : Series
        From `open_series`.
    suv : bool
        PET as standardised uptake values by body weight.
    grid : Grid, optional
        Where the values are wanted; absent: on the planes of the series, straightened where the
        options allowed uneven or sheared ones. Values are interpolated linearly, once.

    Raises
    ------
    Refused
        HEADER_ONLY, UNREADABLE, or SUV: the values for the standardised uptake are not stated.
    """
    array, own = _values(series), series.stack.grid
    findings = list(series.stack.findings)
    is_ct = series.modality == "CT"
    unit = {"CT": "HU", "PT": str(series.header.get("Units") or "")}.get(series.modality, "")
    if suv:
        factor, rule = suv_factor(series.header)
        array, unit = array * np.float32(factor), "SUVbw"
        findings.append(Finding("SUV_RULE", "info", "image", rule))
    target, valid = grid or own.straight(), None
    if not target.same_as(own):
        array, valid = resample(array, own, target, outside=AIR_HU if is_ct else 0.0)
        if not own.uniform:
            valid &= np.stack([measured(own, own.to_local(target.plane_points(k))[:, 2])
                               for k in range(target.shape[0])]).reshape(target.shape)
            findings.append(Finding(
                "RESAMPLED_PLANES", "warning", "image",
                f"{float(1 - valid.mean()):.1%} of the voxels were not measured"))
    if is_ct:
        array = np.clip(np.rint(array), -32768, 32767).astype(np.int16)
    return Volume(array, target, series.modality, unit, tuple(findings), valid)


def _values(series: Series) -> NDArray[np.float32]:
    """Return rescaled values, plane by plane in the order of the stack."""
    array = np.empty(series.stack.grid.shape, np.float32)
    order: dict[int, list[tuple[int, Slice]]] = {}
    for plane, s in enumerate(series.stack.slices):
        order.setdefault(s.source, []).append((plane, s))
    for source, planes in order.items():
        frame_of = _frames(series.locations[source])
        for plane, s in planes:
            values = frame_of(s)
            if values.shape != array.shape[1:]:
                raise Refused(Code.UNREADABLE, f"the pixels of {s.sop_uid} are not its matrix")
            array[plane] = values
    return array


def _frames(location: str) -> Callable[[Slice], Floats]:
    """Return what gives the rescaled pixels of a frame of an object."""
    ds = read(location)
    if not any(k in ds for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise Refused(Code.HEADER_ONLY, f"{ds.SOPInstanceUID} has no pixel data")
    if "TransferSyntaxUID" not in getattr(ds, "file_meta", {}):
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    try:
        stored = np.asarray(ds.pixel_array)
    except _NO_DECODER:
        return partial(_by_gdcm, location)
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(Code.UNREADABLE, f"the pixels of {ds.SOPInstanceUID} cannot be read "
                                       f"({type(error).__name__})") from error
    stored = stored.reshape(-1, *stored.shape[-2:])
    return lambda s: stored[s.frame] * s.slope + s.intercept


def _by_gdcm(location: str, s: Slice) -> Floats:
    """Read compressed pixels with the decoders of SimpleITK, which rescale them, too."""
    import tempfile

    try:
        with opened(location) as stream, tempfile.NamedTemporaryFile(suffix=".dcm") as copy:
            copy.write(stream.read())
            copy.flush()
            image = sitk.ReadImage(copy.name, sitk.sitkFloat64, imageIO="GDCMImageIO")
    except RuntimeError as error:
        raise Refused(Code.UNREADABLE, f"the compressed pixels of {s.sop_uid} cannot be read"
                      ) from error
    return np.asarray(sitk.GetArrayFromImage(image)[s.frame], np.float64)
