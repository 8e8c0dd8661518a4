"""On which side of the body a structure lies, by its mask and that of the body."""

import numpy as np

from rtgraph.graphmodel.standard_names import Side
from rtgraph.preprocess.geometry import Floats
from rtgraph.preprocess.masks import Mask

MIDLINE_MM = 10.0  # nearer to the middle of the body, a structure has no side


def profile_of(mask: Mask) -> Floats:
    """Return plane, volume and the middle in x (LPS, mm) of each plane of a mask, (n, 3)."""
    areas = mask.array.sum(axis=(1, 2), dtype=np.float64)
    planes = np.flatnonzero(areas)
    columns = mask.array.sum(axis=1, dtype=np.float64)[planes] @ np.arange(mask.array.shape[2])
    rows = mask.array.sum(axis=2, dtype=np.float64)[planes] @ np.arange(mask.array.shape[1])
    index = np.column_stack([columns / areas[planes] + mask.start[2],
                             rows / areas[planes] + mask.start[1], planes + mask.start[0]])
    volumes = areas[planes] * mask.grid.thicknesses[planes + mask.start[0]]
    return np.column_stack([index[:, 2], volumes, mask.grid.to_points(index)[:, 0]])


def side_of(profile: Floats | None, body: Floats | None) -> Side | None:
    """Return the side of the body on which the centroid of a structure is, by their profiles.

    The middle of the body is that of the planes of the structure. None without a body, and within
    `MIDLINE_MM` of its middle.
    """
    if profile is None or body is None or not len(profile) or not len(body):
        return None
    middle = dict(zip(body[:, 0], body[:, 2], strict=True))
    shared = np.array([plane in middle for plane in profile[:, 0]])
    x = float(np.average(profile[:, 2], weights=profile[:, 1]))
    if shared.any():
        x_body = float(np.average([middle[p] for p in profile[shared, 0]],
                                  weights=profile[shared, 1]))
    else:
        x_body = float(np.average(body[:, 2], weights=body[:, 1]))
    if abs(x - x_body) < MIDLINE_MM:
        return None
    return Side.LEFT if x > x_body else Side.RIGHT
