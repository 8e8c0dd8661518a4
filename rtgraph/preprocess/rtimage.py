"""Where pixels of an RT image are: in the plane of the image, and in that of the isocentre.

PS3.3 C.8.8.2. An RT image is a conical projection, so what it shows at the isocentre is smaller
than its pixels by the ratio of the distances from the source. Both planes have the axes of the IEC
GANTRY system, x and y in mm, with the axis of the beam at 0, 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from pydicom.dataset import Dataset

from rtgraph.preprocess.geometry import Floats
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.slices import numbers

_ALONG_BEAM = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)  # seen from the source, C.8.8.2.7
_NEEDED = (("ImagePlanePixelSpacing", 2), ("RTImagePosition", 2), ("RTImageSID", 1),
           ("RadiationMachineSAD", 1))
_UNIT = 1e-3  # direction cosines are written with few decimals


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RtImagePlane:
    """The plane of an RT image that is normal to the axis of its beam.

    Attributes
    ----------
    uid : str
        SOPInstanceUID.
    size : (int, int)
        Number of columns and of rows.
    position : (2,) float64
        Centre of the first pixel, in the plane of the image, axes of the gantry, mm.
    steps : (2, 2) float64
        From a pixel to the next column and to the next row, one a row, mm.
    sid_mm, sad_mm : float
        Distance from the source of the plane of the image, and of the isocentre.
    assumed : tuple of str
        Attributes that the object does not state, for which 0 is taken.
    """

    uid: str
    size: tuple[int, int]
    position: Floats
    steps: Floats
    sid_mm: float
    sad_mm: float
    assumed: tuple[str, ...] = ()

    def at_image(self, pixels: ArrayLike) -> Floats:
        """Return where pixels are in the plane of the image.

        Parameters
        ----------
        pixels : (n, 2)
            Column and row, from 0; fractions are allowed.

        Returns
        -------
        (n, 2) float64
            x and y of the IEC GANTRY system, mm.
        """
        return self.position + np.asarray(pixels, np.float64) @ self.steps

    def at_isocentre(self, pixels: ArrayLike) -> Floats:
        """Return what pixels show in the plane through the isocentre, as `at_image`."""
        return self.at_image(pixels) * (self.sad_mm / self.sid_mm)

    def pixels_at(self, points: ArrayLike) -> Floats:
        """Return column and row, as fractions, of points (n, 2) in the plane of the isocentre."""
        there = np.asarray(points, np.float64) * (self.sid_mm / self.sad_mm)
        return np.asarray((there - self.position) @ np.linalg.inv(self.steps), np.float64)


def read_rt_image(ds: Dataset) -> RtImagePlane:
    """Return the plane of an RT image.

    Parameters
    ----------
    ds : Dataset
        RT Image; pixels are not needed.

    Raises
    ------
    Refused
        REFERENCE: it is no RT image. GRID: RTImagePlane is not NORMAL, or position, spacing,
        orientation or distances are missing or cannot be.

    Notes
    -----
    PS3.3 C.8.8.2: RTImagePosition is the centre of the first pixel in the IEC X-RAY IMAGE
    RECEPTOR system, ImagePlanePixelSpacing the distance of rows and of columns in the plane of the
    image, which is RTImageSID away from the source. C.8.8.2.7: without RTImageOrientation the rows
    run along +x and the columns along -y, as seen from the source. XRayImageReceptorAngle turns
    the receptor anticlockwise as seen from the source, XRayImageReceptorTranslation is where its
    origin is in the IEC GANTRY system. Either may be absent, and is 0 then (`assumed`).
    """
    uid = str(ds.get("SOPInstanceUID", ""))
    if str(ds.get("Modality")) != "RTIMAGE":
        raise Refused(Code.REFERENCE, f"{uid} is no RT image")
    plane = str(ds.get("RTImagePlane") or "")
    if plane != "NORMAL":
        raise Refused(Code.GRID, f"RTImagePlane of {uid} is {plane or 'not stated'}, not NORMAL")
    values = {name: numbers(_listed(ds, name), n) for name, n in _NEEDED}
    lacking = [name for name, value in values.items() if value is None]
    if lacking:
        raise Refused(Code.GRID, f"{uid} does not state {', '.join(lacking)}")
    spacing, position, sid, sad = (np.asarray(v, np.float64) for v in values.values())
    if not (np.all(spacing > 0) and sid[0] > 0 and sad[0] > 0):
        raise Refused(Code.GRID, f"{uid} states a spacing or distance that is not above 0")
    angle = numbers(_listed(ds, "XRayImageReceptorAngle"), 1)
    translation = numbers(_listed(ds, "XRayImageReceptorTranslation"), 3)
    turned = np.radians(0.0 if angle is None else float(angle[0]))
    # rows of the matrix are the axes of the receptor in the system of the gantry
    receptor = np.array([[np.cos(turned), np.sin(turned)], [-np.sin(turned), np.cos(turned)]])
    origin = np.zeros(2) if translation is None else np.asarray(translation[:2], np.float64)
    axes = _axes(ds, uid)
    return RtImagePlane(
        uid=uid, size=(int(ds.get("Columns") or 0), int(ds.get("Rows") or 0)),
        position=origin + position @ receptor,
        steps=np.stack([axes[0] * spacing[1], axes[1] * spacing[0]]) @ receptor,
        sid_mm=float(sid[0]), sad_mm=float(sad[0]), assumed=tuple(
            name for name, value in (("XRayImageReceptorAngle", angle),
                                     ("XRayImageReceptorTranslation", translation))
            if value is None))


def _listed(ds: Dataset, name: str) -> object:
    """Return the values of an attribute as a list; None when it is absent or empty."""
    value = ds.get(name)
    if value is None or value == "":
        return None
    return value if hasattr(value, "__len__") and not isinstance(value, str) else [value]


def _axes(ds: Dataset, uid: str) -> Floats:
    """Return the directions of rows and of columns (2, 2) in the plane of the receptor."""
    stated = _listed(ds, "RTImageOrientation")
    cosines = np.array(_ALONG_BEAM) if stated is None else numbers(stated, 6)
    if cosines is not None:
        axes = np.reshape(np.asarray(cosines, np.float64), (2, 3))
        if np.abs(axes @ axes.T - np.eye(2)).max() < _UNIT and np.abs(axes[:, 2]).max() < _UNIT:
            return np.ascontiguousarray(axes[:, :2])
    raise Refused(Code.GRID, f"RTImageOrientation of {uid} is not two unit vectors at right angles "
                             "in the plane of the receptor")
