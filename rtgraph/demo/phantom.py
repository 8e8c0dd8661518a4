"""The body of the synthetic patients: ellipsoids, and what images, contours and dose see of them.

Coordinates are LPS in mm, relative to the middle of the pelvis of a patient who lies head first
and supine: x to the left, y to the back, z to the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, inf, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from rtgraph.demo.objects import Grid

Points = NDArray[np.float64]
Vector = tuple[float, float, float]

AIR_HU = -1000
N_CONTOUR_POINTS = 32
SMALLEST_CONTOUR_MM = 3.0  # thinner tips are left out, as a person who draws would do


@dataclass(frozen=True, slots=True, kw_only=True)
class Organ:
    """An ellipsoid of tissue; an infinite third axis makes a cylinder along z.

    `hu` and `mr` are its value in CT and MR, None when images do not show it (a target volume).
    """

    number: int
    name: str
    roi_type: str
    colour: tuple[int, int, int]
    centre: Vector
    semi_axes: Vector
    hu: int | None = None
    mr: int | None = None

    def radius(self, points: Points) -> Points:
        """Return the distance from the centre in units of the semi axes; 1 on the surface."""
        scaled = (points - np.array(self.centre)) / np.array(self.semi_axes)
        return np.asarray(np.sqrt((scaled**2).sum(axis=-1)))

    def outline(self, z_mm: float) -> Points | None:
        """Return the contour at one height, shape (n, 3), or None where there is nothing."""
        rest = 1.0 - ((z_mm - self.centre[2]) / self.semi_axes[2]) ** 2
        a, b = (axis * max(rest, 0.0) ** 0.5 for axis in self.semi_axes[:2])
        if min(a, b) < SMALLEST_CONTOUR_MM:
            return None
        angle = np.arange(N_CONTOUR_POINTS) * 2 * pi / N_CONTOUR_POINTS
        x, y = self.centre[0] + a * np.cos(angle), self.centre[1] + b * np.sin(angle)
        return np.stack([x, y, np.full_like(x, z_mm)], axis=-1)


# Names of TG-263. Later organs lie over earlier ones in the images.
PELVIS = (
    Organ(number=1, name="External", roi_type="EXTERNAL", colour=(0, 255, 0),
          centre=(0, 0, 0), semi_axes=(108, 80, inf), hu=20, mr=300),
    Organ(number=2, name="PTV", roi_type="PTV", colour=(255, 0, 0),
          centre=(0, 8, -16), semi_axes=(26, 22, 24)),
    Organ(number=3, name="Bladder", roi_type="ORGAN", colour=(255, 255, 0),
          centre=(0, -18, 16), semi_axes=(30, 24, 20), hu=5, mr=900),
    Organ(number=4, name="Rectum", roi_type="ORGAN", colour=(160, 82, 45),
          centre=(0, 42, -4), semi_axes=(14, 12, 36), hu=-40, mr=500),
    Organ(number=5, name="Femur_Head_L", roi_type="ORGAN", colour=(0, 128, 255),
          centre=(70, 4, -10), semi_axes=(20, 20, 20), hu=450, mr=120),
    Organ(number=6, name="Femur_Head_R", roi_type="ORGAN", colour=(128, 0, 255),
          centre=(-70, 4, -10), semi_axes=(20, 20, 20), hu=450, mr=120),
)  # fmt: skip
TARGET = 1  # position of the PTV in the tuple


def moved(organs: Sequence[Organ], shift_mm: Vector) -> tuple[Organ, ...]:
    """Return the organs as they lie in a frame whose coordinates are larger by `shift_mm`."""
    return tuple(replace(o, centre=_vector(np.add(o.centre, shift_mm))) for o in organs)


def resized(organs: Sequence[Organ], name: str, factor: float) -> tuple[Organ, ...]:
    """Return the organs with one of them grown or shrunk about its centre."""
    return tuple(
        replace(o, semi_axes=_vector(np.multiply(o.semi_axes, factor))) if o.name == name else o
        for o in organs
    )


def _vector(values: Points) -> Vector:
    x, y, z = values.tolist()
    return (x, y, z)


def rigid(shift_mm: Vector = (0, 0, 0), turn_deg: float = 0.0) -> Points:
    """Return the 4x4 matrix that turns about z (from x to y), then shifts."""
    c, s = cos(radians(turn_deg)), sin(radians(turn_deg))
    x, y, z = shift_mm
    return np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, z], [0, 0, 0, 1]], dtype=np.float64)


def paint(
    organs: Sequence[Organ],
    grid: Grid,
    signal: str,
    background: int,
    noise: tuple[float, np.random.Generator],
    to_organs: Points | None = None,
) -> NDArray[np.int16]:
    """Return what a scanner sees, shape (z, y, x).

    Parameters
    ----------
    organs : sequence of Organ
        Later ones lie over earlier ones.
    grid : Grid
        Voxels of the image.
    signal : str
        "hu" or "mr": the value of the organs that is shown.
    background : int
        Value outside the body.
    noise : (float, Generator)
        Standard deviation and source of Gaussian noise.
    to_organs : (4, 4) float64, optional
        Matrix from coordinates of the image to those of the organs; identity when absent.
    """
    points = grid.points()
    if to_organs is not None:
        points = points @ to_organs[:3, :3].T + to_organs[:3, 3]
    values = np.full(points.shape[:-1], float(background))
    for organ in organs:
        value = getattr(organ, signal)
        if value is not None:
            values[organ.radius(points) <= 1.0] = value
    deviation, generator = noise
    values += generator.normal(0.0, deviation, values.shape)
    return np.asarray(np.rint(values), np.int16)


def outlines(organ: Organ, grid: Grid) -> list[tuple[int, Points]]:
    """Return the contours on the planes of an image: plane index and points (n, 3)."""
    found = ((index, organ.outline(z)) for index, z in enumerate(grid.axis(2)))
    return [(index, points) for index, points in found if points is not None]


def dose_gy(points: Points, target: Organ, prescription_gy: float) -> Points:
    """Return the dose at points (..., 3): flat over the target, falling off smoothly around it."""
    radius = target.radius(points)
    plateau = 1.0 / (1.0 + np.exp((radius - 1.4) / 0.08))
    bath = 0.12 * np.exp(-((radius / 3.5) ** 2))
    return np.asarray(prescription_gy * (0.92 * plateau + bath))


def dose_grid(organs: Sequence[Organ], grid: Grid, spacing_mm: float = 5.0) -> Grid:
    """Return a dose grid that covers the body in x and y and the image in z, with a margin."""
    body, z = organs[0], grid.axis(2)
    (x, y, _), (a, b, _) = body.centre, body.semi_axes
    step = spacing_mm
    low = np.floor(np.array([x - a, y - b, z[0]]) / step) * step - step
    high = np.ceil(np.array([x + a, y + b, z[-1]]) / step) * step + step
    nx, ny, nz = np.rint((high - low) / step).astype(int) + 1
    return Grid(_vector(low), (step, step, step), (int(nx), int(ny), int(nz)))


def organ_doses(organ: Organ, target: Organ, prescription_gy: float) -> Points:
    """Return the dose in Gy at points 2 mm apart inside an organ of finite size."""
    low = _vector(np.subtract(organ.centre, organ.semi_axes))
    nx, ny, nz = (int(axis) + 1 for axis in organ.semi_axes)
    points = Grid(low, (2.0, 2.0, 2.0), (nx, ny, nz)).points()
    return dose_gy(points[organ.radius(points) <= 1.0], target, prescription_gy)
