"""Print masks, doses and DVHs of solids beside their analytic truth, in every orientation.

The truth is that of the tests: winding numbers of voxel centres, polygon areas, a linear field.
Figures of other tools are measurements on the same solids in axial HFS. Ends with 1 when a figure
is outside its tolerance.
"""

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np

from rtgraph import __version__
from rtgraph.preprocess.contours import Roi, read_structures
from rtgraph.preprocess.dose import Dose, dose_at, read_dose, summed
from rtgraph.preprocess.dvh import dvh_of
from rtgraph.preprocess.geometry import Grid, axes_of
from rtgraph.preprocess.masks import MaskOptions, Mode, make_mask
from tests.data import solids
from tests.data.solids import LARGE, ORIENTATIONS, SHAPES, STEP, Layout, RoiSpec

# Volumes in cc, axial HFS, 1.2 x 1.5 x 3 mm, in the order of SHAPES.
OTHERS = (
    ("dcmrtstruct2nii 5",         "33.67", "75.60", "76.46",  "76.46", "38.02", "0.17"),
    ("pydcm 0.5.0",               "33.67", "75.60", "118.37", "76.46", "38.02", "0.17"),
    ("scikit-rt 0.8.2",           "33.64", "74.74", "117.72", "75.06", "38.45", "0.17"),
    ("dicompyler-core 0.5.6",     "33.39", "75.96", "73.80",  "73.80", "36.0",  "0.14"),
    ("platipy 0.7.2, dicomrttool 6.2.0", "36.37", "81.22", "78.08", "86.62", "44.06", "0.27"),
    ("pydicomrt 0.9.1",           "36.37", "81.22", "77.98",  "86.40", "44.06", "0.28"),
    ("rt-utils 1.2.7, pyradise 0.2.3", "36.64", "81.76", "87.26", "87.26", "43.42", "0.27"),
    ("med-imagetools 2.16.0",     "36.37", "81.22", "124.42", "86.62", "44.06", "0.27"),
)  # fmt: skip
OFFSETS = {"relative": 1.0, "descending": -1.0, "uneven": 1.0}


def grid_of(layout: Layout) -> Grid:
    """Return the image grid of a layout."""
    return Grid(origin=np.array(layout.origin), axes=axes_of(layout.orientation),
                spacing=layout.spacing, positions=np.array(layout.positions), size=layout.size,
                thickness_mm=STEP)


def roi_of(shape: str, layout: Layout) -> Roi:
    """Return a solid as it is read from a structure set."""
    return read_structures(solids.structures(layout, [RoiSpec(1, shape, SHAPES[shape]())])).rois[0]


def masks() -> Iterator[tuple[str, bool]]:
    """Yield the table of volumes and whether each line is within its tolerance."""
    truths = {s: solids.volume_cc(s, SHAPES[s]()) for s in SHAPES}
    voxels = {s: solids.truth(SHAPES[s](), Layout()) for s in SHAPES}
    yield _line("truth: polygon area x thickness", [f"{v:.2f}" for v in truths.values()]), True
    for name, orientation in ORIENTATIONS.items():
        layout = Layout(orientation)
        centres, shares, equal = [], [], 0
        good = True
        for shape in SHAPES:
            roi, grid = roi_of(shape, layout), grid_of(layout)
            mask = make_mask(roi, grid).mask
            share = make_mask(roi, grid, MaskOptions(Mode.area_fraction)).mask
            if mask is None or share is None:
                yield f"{name}: {shape} has no mask", False
                return
            equal += int((mask.full() != voxels[shape]).sum())
            centres.append(mask.volume_cc)
            shares.append(share.volume_cc)
            if shape in LARGE:
                good &= abs(centres[-1] / truths[shape] - 1) < 0.015
                good &= abs(shares[-1] / truths[shape] - 1) < 0.005
        text = f"rtgraph: {name}, voxel centres ({equal} voxels differ)"
        yield _line(text, [f"{v:.2f}" for v in centres]), good and equal == 0
        yield _line(f"rtgraph: {name}, area fraction", [f"{v:.2f}" for v in shares]), good
    for tool, *figures in OTHERS:
        yield _line(f"{tool}, HFS", figures), True


def doses() -> Iterator[tuple[str, bool]]:
    """Yield the largest error of a linear field, at stored points and between, by orientation."""
    for name, orientation in ORIENTATIONS.items():
        layout = Layout(orientation, spacing=(2.0, 3.0), size=(14, 11))
        worst, twice = 0.0, 0.0
        for form, sign in OFFSETS.items():
            along = sign * (np.array([0, 2.5, 5, 10, 12.5, 13.5, 17]) if form == "uneven"
                            else np.arange(7) * 2.5)
            dose, error = _field(layout, along)
            worst = max(worst, error)
            total = summed([dose, dose], [1.0, 1.0])
            twice = max(twice, float(np.abs(total.array - 2 * dose.array).max()))
        yield (f"{name:10} largest error against the stored grid {worst:.1e} Gy, "
               f"of the sum with itself {twice:.1e} Gy"), worst < 1e-4 and twice == 0


def _field(layout: Layout, along: np.ndarray) -> tuple[Dose, float]:
    """Return a dose with a linear field, and its largest error at 300 points."""
    scaling = 0.0005

    def field(points: np.ndarray) -> np.ndarray:
        return np.asarray(20 + points @ np.array([0.11, -0.07, 0.05]))

    uvw = np.array([(c * 2.0, r * 3.0, w) for w in along for r in range(11) for c in range(14)])
    stored = np.rint(field(layout.patient(uvw)) / scaling).astype(np.uint32)
    ds = solids.dose(layout, stored.reshape(len(along), 11, 14), scaling, along.tolist())
    dose = read_dose(ds)
    at = np.arange(0, len(uvw), max(1, len(uvw) // 300))
    found = dose_at(dose, layout.patient(uvw[at]))
    return dose, float(np.abs(found - stored[at] * scaling).max())


def dvhs() -> Iterator[tuple[str, bool]]:
    """Yield mean, D95 and V20Gy of a field of 0.8 Gy a mm, 30 Gy in the middle of the solids."""
    layout = Layout()
    u = np.arange(45) * 2.0 - 6.3
    array = np.broadcast_to(30 + 0.8 * (u - solids.CENTRE[0]), (80, 33, 45))
    dose = Dose(np.ascontiguousarray(array, np.float32), Grid(
        origin=layout.patient([(-6.3, -5.9, -7.1)])[0], axes=np.eye(3), spacing=(2.0, 3.0),
        positions=np.arange(80, dtype=np.float64) * 2.5, size=(45, 33)), "", "")
    x = np.linspace(-26, 26, 200_001)
    for shape in ("SPHERE", "CYL", "RING"):
        volumes = _right_of(shape, x)
        found = dvh_of(roi_of(shape, layout), grid_of(layout), dose)
        d95 = 30 + 0.8 * float(np.interp(-0.95 * volumes[0], -volumes, x))
        v20 = float(np.interp(-12.5, x, volumes)) / volumes[0] * 100
        pairs = [("Dmean", found.mean_gy, 30.0), ("D95", found.metric("D95"), d95),
                 ("V20Gy", found.metric("V20Gy"), v20)]
        text = ", ".join(f"{n} {a:.2f} for {b:.2f}" for n, a, b in pairs)
        yield (f"{shape:7} {text}, V60Gy {found.metric('V60Gy'):.2f} for 0.00",
               all(abs(a / b - 1) < 0.005 for _, a, b in pairs) and found.metric("V60Gy") == 0)


def _right_of(shape: str, x: np.ndarray) -> np.ndarray:
    if shape == "SPHERE":
        x = np.clip(x, -20, 20)
        return np.asarray(np.pi * (20.0 - x) ** 2 * (40.0 + x) / 3000)

    def disc(radius: float) -> np.ndarray:
        y = np.clip(x, -radius, radius)
        return np.asarray(radius**2 * np.arccos(y / radius) - y * np.sqrt(radius**2 - y**2))

    return (disc(20.0) if shape == "CYL" else disc(25.0) - disc(15.0)) * 0.06


def _line(name: str, figures: list[str]) -> str:
    return f"{name:52}" + "".join(f"{f:>9}" for f in figures)


def main() -> int:
    """Print all tables; return 0 when every figure is within its tolerance."""
    print(f"rtgraph {__version__}, Python {platform.python_version()}, numpy {np.__version__}, "
          f"SimpleITK {version('SimpleITK')}, pydicom {version('pydicom')}\n")
    failed = 0
    for title, lines in (
        (_line("Volumes in cc, 1.2 x 1.5 x 3 mm", list(SHAPES)), masks()),
        ("Doses, pixels of 2 x 3 mm, offsets relative, descending, uneven", doses()),
        ("DVHs of a linear field", dvhs()),
    ):
        print(title)
        for line, good in lines:
            failed += not good
            print(f"  {line}{'' if good else '   outside its tolerance'}")
        print()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
