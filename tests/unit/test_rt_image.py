"""Pixels of RT images in mm: worked by hand, refused where the plane is not known, real files."""

from math import cos, radians, sin
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import RTImageStorage

from rtgraph.preprocess.refusals import Refused
from rtgraph.preprocess.rtimage import read_rt_image
from tests.conftest import DATA
from tests.data import solids


def image(**elements: Any) -> Dataset:
    """Return an RT image of 1024 x 768 pixels of 0.4 x 0.5 mm, 1500 mm from the source.

    The middle of the image is the origin of the receptor: half of 1023 columns and of 767 rows.
    """
    values = {"RTImagePlane": "NORMAL", "ImagePlanePixelSpacing": ["0.5", "0.4"],
              "RTImagePosition": ["-204.6", "191.75"], "RTImageSID": "1500",
              "RadiationMachineSAD": "1000", "XRayImageReceptorAngle": "0",
              "XRayImageReceptorTranslation": ["0", "0", "-500"]}
    ds = solids.new(RTImageStorage, solids.uid("rt image"), "RTIMAGE", solids.uid("rt images"),
                    Rows=768, Columns=1024)
    for keyword, value in (values | elements).items():
        if value is not None:
            setattr(ds, keyword, value)
    return ds


# 3 mm along x and 2 along y in the plane of the image are 2 and 4/3 at the isocentre.
MIDDLE, FIRST, CORNER = (511.5, 383.5), (0, 0), (1023, 767)
HALF = 2**-0.5
WORKED = [
    # name                 elements                                        pixel    mm at isocentre
    ("middle",             {},                                             MIDDLE,  (0, 0)),
    ("first pixel", {}, FIRST, (-136.4, 191.75 / 1.5)),
    ("last pixel", {}, CORNER, (136.4, -191.75 / 1.5)),
    ("a column further", {}, (512.5, 383.5), (0.4 / 1.5, 0)),
    ("a row further", {}, (511.5, 384.5), (0, -0.5 / 1.5)),
    ("at the isocentre", {"RTImageSID": "1000"}, FIRST, (-204.6, 191.75)),
    ("before it", {"RTImageSID": "800"}, FIRST, (-255.75, 239.6875)),
    ("nothing of the receptor", {"XRayImageReceptorAngle": None,
                            "XRayImageReceptorTranslation": None}, FIRST, (-136.4, 191.75 / 1.5)),
    ("shifted receptor",   {"XRayImageReceptorTranslation": [3, -6, -500]}, MIDDLE, (2, -4)),
    ("receptor at 90", {"XRayImageReceptorAngle": "90"}, (512.5, 383.5), (0, 0.4 / 1.5)),
    ("receptor at 90, row", {"XRayImageReceptorAngle": "90"}, (511.5, 384.5), (0.5 / 1.5, 0)),
    ("turned and shifted", {"XRayImageReceptorAngle": "90",
                            "XRayImageReceptorTranslation": [3, 0, 0]},    FIRST,
     (2 - 191.75 / 1.5, -136.4)),
    ("stated orientation", {"RTImageOrientation": [1, 0, 0, 0, -1, 0]},    CORNER,
     (136.4, -191.75 / 1.5)),
    ("rows along y",       {"RTImageOrientation": [0, 1, 0, 1, 0, 0]},     (10, 0),
     (-136.4, (191.75 + 4) / 1.5)),
    ("seen from behind",   {"RTImageOrientation": [-1, 0, 0, 0, -1, 0],
                            "RTImagePosition": ["204.6", "191.75"]},       CORNER,
     (-136.4, -191.75 / 1.5)),
    ("oblique rows",       {"RTImageOrientation": [HALF, HALF, 0, HALF, -HALF, 0],
                            "RTImagePosition": [0, 0]},                    (15, 0),
     (4 * HALF, 4 * HALF)),
]  # fmt: skip


@pytest.mark.parametrize(("elements", "pixel", "mm"), [w[1:] for w in WORKED],
                         ids=[w[0] for w in WORKED])
def test_worked_by_hand(elements: dict[str, Any], pixel: tuple[float, float],
                        mm: tuple[float, float]) -> None:
    found = read_rt_image(image(**elements))
    assert found.at_isocentre([pixel])[0] == pytest.approx(mm, abs=1e-9)
    assert found.pixels_at([mm])[0] == pytest.approx(pixel, abs=1e-6)
    assert found.size == (1024, 768)
    assert found.assumed == (("XRayImageReceptorAngle", "XRayImageReceptorTranslation")
                             if None in elements.values() else ())


def test_a_turned_receptor_is_turned_anticlockwise() -> None:
    """As seen from the source: +x of the receptor goes towards +y of the gantry."""
    plane = read_rt_image(image(XRayImageReceptorAngle="30"))
    x = plane.at_image([(512.5, 383.5)])[0] / 0.4
    assert x == pytest.approx((cos(radians(30)), sin(radians(30))))
    many = np.random.default_rng(1).uniform(0, 700, (50, 2))
    assert plane.pixels_at(plane.at_isocentre(many)) == pytest.approx(many)
    apart = np.linalg.norm(plane.at_isocentre([(0, 0), (30, 0), (0, 30)]), axis=1)
    assert apart[0] == pytest.approx(np.hypot(204.6, 191.75) / 1.5)


REFUSED = [
    # name                elements                                          message
    ("not normal", {"RTImagePlane": "NON_NORMAL"}, "NON_NORMAL, not NORMAL"),
    ("plane not stated", {"RTImagePlane": None}, "not stated, not NORMAL"),
    ("no spacing", {"ImagePlanePixelSpacing": None}, "ImagePlanePixelSpacing"),
    ("empty position", {"RTImagePosition": ""}, "state RTImagePosition"),
    ("no distances",      {"RTImageSID": None, "RadiationMachineSAD": ""},
     "RTImageSID, RadiationMachineSAD"),
    ("spacing of 0",      {"ImagePlanePixelSpacing": [0, 0.4]},             "not above 0"),
    ("SAD below 0",       {"RadiationMachineSAD": "-1000"},                 "not above 0"),
    ("tilted",            {"RTImageOrientation": [1, 0, 0, 0, -HALF, HALF]}, "RTImageOrientation"),
    ("no right angle",    {"RTImageOrientation": [1, 0, 0, HALF, -HALF, 0]}, "RTImageOrientation"),
    ("no RT image",       {"Modality": "CT"},                               "no RT image"),
]  # fmt: skip


@pytest.mark.parametrize(("elements", "message"), [r[1:] for r in REFUSED],
                         ids=[r[0] for r in REFUSED])
def test_refused_with_the_reason(elements: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        read_rt_image(image(**elements))


REAL = [
    # file                                         mm at the isocentre of the middle   of a pixel
    ("pinnacle-dangling/99999999_RTIMAGE_0001.DCM", (0, 0),                            0.78125),
    ("eclipse-prostate-phantom/RI.1.2.246.352.71.3.2088656855.2381134.20110921150951.dcm",
     (0, 0),                                                                           0.9765625),
    ("varian-qa-mixed/distinct02.dcm",              (-0.3009 / 1.5, 0.2371 / 1.5),     0.784 / 1.5),
]  # fmt: skip


@pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files beside the repository")
@pytest.mark.parametrize(("name", "middle", "step"), REAL, ids=[r[0].split("/")[0] for r in REAL])
def test_real_images(name: str, middle: tuple[float, float], step: float) -> None:
    """Images that their systems centre on the axis, or on the receptor, have their middle there."""
    plane = read_rt_image(dcmread(DATA / name, stop_before_pixels=True))
    columns, rows = plane.size
    at = plane.at_isocentre([((columns - 1) / 2, (rows - 1) / 2)])[0]
    assert at == pytest.approx(middle, abs=2e-3)
    assert np.diff(plane.at_isocentre([(0, 0), (1, 0)]), axis=0)[0] == pytest.approx((step, 0))
    assert np.diff(plane.at_isocentre([(0, 0), (0, 1)]), axis=0)[0] == pytest.approx((0, -step))
