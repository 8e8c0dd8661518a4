"""Slices as pictures: grey values, outlines of masks, dose wash; PNG without a plotting library."""

import base64
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from rtgraph.output import write_file
from rtgraph.preprocess.geometry import Grid
from rtgraph.preprocess.masks import Mask

WINDOW = (-160.0, 240.0)  # HU of black and white for a CT
COLOURS = ((255, 64, 64), (64, 200, 255), (255, 220, 0), (0, 220, 90), (255, 120, 255),
           (255, 150, 40), (150, 150, 255), (160, 255, 200))
_WASH = 0.35


class Pictures:
    """Pictures in a row; shows itself in a notebook, `save` writes a PNG.

    Attributes
    ----------
    array : (rows, columns, 3) uint8
        All slices beside each other.
    planes : tuple of int
        Planes of the image that are shown.
    """

    def __init__(self, array: NDArray[np.uint8], planes: Sequence[int]) -> None:
        self.array, self.planes = array, tuple(planes)

    def png(self) -> bytes:
        """Return the pictures as PNG."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "slices.png"
            sitk.WriteImage(sitk.GetImageFromArray(self.array, isVector=True), str(path))
            return path.read_bytes()

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write a PNG file; refuse to overwrite without `force`.

        Raises
        ------
        OutputError
            The file exists already, or cannot be written.
        """
        file = Path(path)
        write_file(self.png(), file, force=force)
        return file

    def _repr_html_(self) -> str:
        return f'<img src="data:image/png;base64,{base64.b64encode(self.png()).decode()}">'


def draw(image: NDArray[np.generic], masks: Mapping[str, Mask],
         dose: NDArray[np.float32] | None, grid: Grid, n_slices: int = 3) -> Pictures:
    """Return slices through the first mask with outlines and dose wash.

    Parameters
    ----------
    image : (planes, rows, columns)
        HU for CT; other images are stretched between their percentiles.
    masks : mapping of str to Mask
        On the grid; outlined in the order of COLOURS.
    dose : (planes, rows, columns) float32, optional
        Gy; its colours run from 10 % of the maximum.
    grid : Grid
        Of the arrays; rows are stretched so that a pixel is as wide as it is high.
    n_slices : int
        Number of slices.
    """
    low, high = WINDOW if image.dtype == np.int16 else np.percentile(
        image.astype(np.float64), (1, 99)).tolist()
    planes = _planes(masks, image.shape[0], n_slices)
    rows = max(1, round(image.shape[1] * grid.spacing[1] / grid.spacing[0]))
    row = np.minimum((np.arange(rows) * image.shape[1] / rows).astype(int), image.shape[1] - 1)
    shown = []
    for plane in planes:
        grey = np.clip((image[plane].astype(np.float64) - low) / max(high - low, 1e-9), 0, 1)
        picture = np.repeat(grey[..., None] * 255, 3, axis=2)
        if dose is not None:
            picture = _washed(picture, dose[plane], float(dose.max()))
        for k, mask in enumerate(masks.values()):
            picture[_outline(mask, plane)] = COLOURS[k % len(COLOURS)]
        shown.append(picture[row])
    return Pictures(np.concatenate(shown, axis=1).astype(np.uint8), planes)


def _planes(masks: Mapping[str, Mask], count: int, n_slices: int) -> list[int]:
    first = next(iter(masks.values()), None)
    low, high = (0, count - 1) if first is None else (
        first.start[0], first.start[0] + first.array.shape[0] - 1)
    n = min(n_slices, high - low + 1)
    return sorted({round(low + (high - low) * (k + 1) / (n + 1)) for k in range(n)})


def _washed(picture: NDArray[np.float64], dose: NDArray[np.float32], top: float
            ) -> NDArray[np.float64]:
    """Lay colours from blue over green to red on the picture."""
    share = dose / max(top, 1e-9)
    colour = np.stack([np.clip(2 * share - 1, 0, 1), 1 - np.abs(2 * share - 1),
                       np.clip(1 - 2 * share, 0, 1)], axis=2) * 255
    alpha = np.where(share >= 0.1, _WASH, 0.0)[..., None]
    return np.asarray(picture * (1 - alpha) + colour * alpha)


def _outline(mask: Mask, plane: int) -> NDArray[np.bool_]:
    """Return the pixels of a mask that have a neighbour outside."""
    whole = np.zeros(mask.grid.shape[1:], bool)
    k = plane - mask.start[0]
    if 0 <= k < mask.array.shape[0]:
        whole[mask.box[1:]] = mask.array[k] >= 0.5
    padded = np.pad(whole, 1)
    inner = (padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:])
    return np.asarray(whole & ~inner)
