"""Files of one case in each format: the same arrays, on one grid, with the same bytes every time.

World coordinates are LPS in mm; NIfTI holds them in its own convention by the sign of its affine.
Arrays are in the order z, y, x. File names hold pseudonyms and sanitised ROI names only.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from rtgraph.preprocess.geometry import to_image
from rtgraph.preprocess.making import Made, NamedMask, geometry
from rtgraph.preprocess.refusals import Code, Refused
from rtgraph.preprocess.settings import Settings
from rtgraph.text import file_name

CHUNK = 64
_NO_ROOM = (OSError, RuntimeError)


def write_case(made: Made, split: str, settings: Settings, folder: Path) -> list[str]:
    """Write the files of a case.

    Parameters
    ----------
    made : Made
        Arrays and record.
    split : str
        train, validation or test.
    settings : Settings
        The configuration.
    folder : Path
        Of the export.

    Returns
    -------
    list of str
        Paths below the folder, with forward slashes, sorted.

    Raises
    ------
    Refused
        OUTPUT: the files cannot be written, for example because the disk is full.
    """
    _one_grid(made)
    try:
        written = _WRITERS[settings["format"]](made, split, settings, folder)
    except _NO_ROOM as error:
        raise Refused(Code.OUTPUT, f"the files cannot be written "
                                   f"({getattr(error, 'strerror', None) or type(error).__name__})"
                      ) from error
    return sorted(str(p.relative_to(folder).as_posix()) for p in written)


def digest_of(folder: Path, names: list[str]) -> str:
    """Return a digest over the names and bytes of files."""
    found = blake2b(digest_size=16)
    for name in sorted(names):
        found.update(name.encode() + b"\0")
        with (folder / name).open("rb") as stream:
            while block := stream.read(1 << 20):
                found.update(block)
    return found.hexdigest()


def label_map(made: Made, names: tuple[str, ...]) -> NDArray[np.uint8]:
    """Return labels from 1 in the order of the names; a later one lies over an earlier one.

    Raises
    ------
    Refused
        NO_CONTOURS: an ROI is missing; an empty label would say that it was looked for.
    """
    by_name = {m.name: m.mask for m in made.masks}
    lacking = [n for n in names if n not in by_name]
    if lacking:
        raise Refused(Code.NO_CONTOURS, f"a label map needs every ROI; missing: "
                                        f"{', '.join(lacking)}")
    labels = np.zeros(made.grid.shape, np.uint8)
    for label, name in enumerate(names, start=1):
        mask = by_name[name]
        part = labels[mask.box]
        part[mask.array >= 0.5] = label
    return labels


def _one_grid(made: Made) -> None:
    """Assert that every array of a case is on the grid of the case."""
    shapes = {"image": made.image.array.shape if made.image else made.grid.shape,
              "dose": made.dose.shape if made.dose is not None else made.grid.shape}
    other = [m.name for m in made.masks if not m.mask.grid.same_as(made.grid)]
    wrong = [k for k, shape in shapes.items() if shape != made.grid.shape] + other
    if wrong or (made.image is not None and not made.image.grid.same_as(made.grid)):
        raise Refused(Code.MIXED_GEOMETRY, f"arrays on another grid: {', '.join(wrong)}")


def _volumes(made: Made) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield name and array of everything but masks, one at a time."""
    if made.image is not None:
        yield "image", made.image.array
        if made.image.valid is not None:
            yield "image_valid", made.image.valid.astype(np.uint8)
    if made.dose is not None and made.covered is not None:
        yield "dose", made.dose
        yield "dose_coverage", made.covered.astype(np.uint8)


def _mask_files(made: Made) -> Iterator[tuple[str, NamedMask]]:
    for m in made.masks:
        numbers = "-".join(str(n) for n in m.numbers)
        yield f"{file_name(m.name) or 'roi'}-{numbers}", m


def _body(made: Made, settings: Settings) -> NDArray[np.uint8] | None:
    """Return where dose is possible: the body, as far as the dose grid reaches."""
    if not settings["masks.possible_dose"] or made.body is None:
        return None
    body = made.body.full() >= 0.5
    return (body & made.covered if made.covered is not None else body).astype(np.uint8)


def _image_files(made: Made, split: str, settings: Settings, folder: Path) -> list[Path]:
    ending = ".nrrd" if settings["format"] == "nrrd" else ".nii.gz"
    place = folder / made.case_id
    (place / "masks").mkdir(parents=True, exist_ok=True)
    written = []
    for name, array in _volumes(made):
        written.append(_save(array, made, place / f"{name}{ending}"))
    for name, m in _mask_files(made):
        if ending == ".nrrd":
            about = {"Segment0_ID": name, "Segment0_Name": m.name, "Segment0_LabelValue": "1",
                     "Segment0_Layer": "0"}
            path = place / "masks" / f"{name}.seg.nrrd"
            written.append(_save(m.mask.full(), made, path, about))
        else:
            written.append(_save(m.mask.full(), made, place / "masks" / f"{name}{ending}"))
    body = _body(made, settings)
    if body is not None:
        written.append(_save(body, made, place / f"possible_dose{ending}"))
    return [*written, *_beams(made, place)]


def _monai(made: Made, split: str, settings: Settings, folder: Path) -> list[Path]:
    place = folder / made.case_id
    place.mkdir(parents=True, exist_ok=True)
    written = [_save(array, made, place / f"{name}.nii.gz") for name, array in _volumes(made)]
    if settings.makes("masks"):
        labels = label_map(made, settings["masks.rois"])
        written.append(_save(labels, made, place / "label.nii.gz"))
    return [*written, *_beams(made, place)]


def _nnunet(made: Made, split: str, settings: Settings, folder: Path) -> list[Path]:
    suffix = "Ts" if split == "test" else "Tr"
    written = []
    if made.image is not None:
        images = folder / f"images{suffix}"
        images.mkdir(parents=True, exist_ok=True)
        written.append(_save(made.image.array, made, images / f"{made.case_id}_0000.nii.gz"))
    if settings.makes("masks"):
        labels = folder / f"labels{suffix}"
        labels.mkdir(parents=True, exist_ok=True)
        array = label_map(made, settings["masks.rois"])
        written.append(_save(array, made, labels / f"{made.case_id}.nii.gz"))
    return written


def _npz(made: Made, split: str, settings: Settings, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{made.case_id}.npz"
    with path.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **_arrays(made, settings))
    return [path]


def _arrays(made: Made, settings: Settings) -> dict[str, NDArray[Any]]:
    """Return all arrays of a case by name, with geometry and names as JSON."""
    g = geometry(made.grid)
    found: dict[str, NDArray[Any]] = {
        "spacing": np.array(g["spacing"]), "origin": np.array(g["origin"]),
        "direction": np.array(g["direction"]), "metadata": np.array(_about(made))}
    for name, array in _volumes(made):
        found["coverage" if name == "dose_coverage" else name] = array
    if settings.makes("masks"):
        found["masks"] = (np.stack([m.mask.full() for m in made.masks]) if made.masks
                          else np.zeros((0, *made.grid.shape), np.uint8))
    body = _body(made, settings)
    if body is not None:
        found["possible_dose"] = body
    return found


def _about(made: Made) -> str:
    return json.dumps({
        "case": made.case_id, "coordinates": "LPS, mm; arrays z, y, x",
        "masks": [{"name": m.name, "numbers": list(m.numbers)} for m in made.masks],
        "unit": made.record.get("unit"), "steps": made.record.get("steps"),
        "beams": made.beams}, sort_keys=True)


def _hdf5(made: Made, split: str, settings: Settings, folder: Path) -> list[Path]:
    h5py = _extra("h5py", "hdf5")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{made.case_id}.h5"
    with h5py.File(path, "w", track_order=False) as file:
        group = file.create_group(made.case_id)
        for name, array in _arrays(made, settings).items():
            if name in ("spacing", "origin", "direction"):
                group.attrs[name] = array
            elif name == "metadata":
                group.attrs[name] = str(array)
            else:
                group.create_dataset(name, data=array, chunks=_chunks(array), compression="gzip",
                                     track_times=False)
    return [path]


def _zarr(made: Made, split: str, settings: Settings, folder: Path) -> list[Path]:
    zarr = _extra("zarr", "zarr")
    place = folder / "cohort.zarr"
    zarr.open_group(str(place), mode="a")
    group = zarr.open_group(str(place / made.case_id), mode="w")
    attributes: dict[str, Any] = {}
    for name, array in _arrays(made, settings).items():
        if name in ("spacing", "origin", "direction"):
            attributes[name] = array.tolist()
        elif name == "metadata":
            attributes |= json.loads(str(array))
        else:
            axes = ("roi", "z", "y", "x")[-array.ndim:]
            group.create_array(name, data=array, chunks=_chunks(array), dimension_names=axes)
    group.attrs.update(attributes)
    return [p for p in (place / made.case_id).rglob("*") if p.is_file()]


def _chunks(array: NDArray[Any]) -> tuple[int, ...]:
    sizes = [min(max(n, 1), CHUNK) for n in array.shape]
    return tuple([1, *sizes[1:]] if array.ndim == 4 else sizes)


def _extra(module: str, extra: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Refused(Code.OUTPUT, f"the package {module} is not installed",
                      f"Install rtgraph with the extra {extra}.") from error


def _beams(made: Made, place: Path) -> list[Path]:
    if not made.beams:
        return []
    path = place / "beams.json"
    path.write_text(json.dumps(made.beams, indent=1, sort_keys=True), encoding="utf-8")
    return [path]


def _save(array: NDArray[Any], made: Made, path: Path,
          about: Mapping[str, str] | None = None) -> Path:
    image = to_image(array, made.grid)
    for key, value in (about or {}).items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path), useCompression=True)
    return path


_WRITERS: Mapping[str, Callable[[Made, str, Settings, Path], list[Path]]] = {
    "nifti": _image_files, "nrrd": _image_files, "npz": _npz, "hdf5": _hdf5, "zarr": _zarr,
    "nnunet": _nnunet, "monai": _monai}
