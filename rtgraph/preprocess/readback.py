"""Files of a case read back with the usual reader of their format, and compared with the arrays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from rtgraph.preprocess.geometry import grid_of
from rtgraph.preprocess.making import Made
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.settings import Settings


def read_back(made: Made, split: str, settings: Settings, folder: Path) -> None:
    """Compare the image and the dose of a case with what its files hold.

    Raises
    ------
    Refused
        OUTPUT: values or geometry are not those that were written.
    """
    wanted: dict[str, NDArray[Any]] = {}
    if made.image is not None:
        wanted["image"] = made.image.array
    if made.dose is not None:
        wanted["dose"] = made.dose
    for name, array in _arrays(made, split, settings, folder):
        if name in wanted and not np.array_equal(array, wanted[name], equal_nan=True):
            raise Refused(Code.OUTPUT, f"the {name} does not come back as it was written")


def _arrays(made: Made, split: str, settings: Settings, folder: Path
            ) -> Iterator[tuple[str, NDArray[Any]]]:
    kind, case = settings["format"], made.case_id
    if kind == "npz":
        with np.load(folder / f"{case}.npz", allow_pickle=False) as held:
            yield from ((name, held[name]) for name in ("image", "dose") if name in held)
    elif kind == "hdf5":
        import h5py

        with h5py.File(folder / f"{case}.h5", "r") as file:
            yield from ((name, file[case][name][:]) for name in ("image", "dose")
                        if name in file[case])
    elif kind == "zarr":
        import zarr

        group = zarr.open_group(str(folder / "cohort.zarr" / case), mode="r")
        yield from ((name, np.asarray(group[name])) for name in ("image", "dose")
                    if name in group)
    else:
        ending = ".nrrd" if kind == "nrrd" else ".nii.gz"
        paths = {n: folder / case / f"{n}{ending}" for n in ("image", "dose")}
        if kind == "nnunet":
            suffix = "Ts" if split == "test" else "Tr"
            paths = {"image": folder / f"images{suffix}" / f"{case}_0000.nii.gz"}
        for name, path in paths.items():
            if path.exists():
                image = sitk.ReadImage(str(path))
                if not grid_of(image).same_as(made.grid, 1e-2):
                    raise Refused(Code.OUTPUT, f"the {name} does not come back on its grid")
                yield name, sitk.GetArrayFromImage(image)
