"""Masks and label maps from files, on the image series of a folder."""

import json
from collections.abc import Mapping
from pathlib import Path

import SimpleITK as sitk

from rtgraph.errors import UsageError
from rtgraph.preprocess.files import read
from rtgraph.preprocess.images import Series, open_series
from rtgraph.preprocess.refusals import Refused
from rtgraph.preprocess.rtstruct import Region, on_series


def series_in(folder: Path, series_uid: str | None = None) -> Series:
    """Return the image series of a folder.

    Raises
    ------
    UsageError
        There is none, or several and none is named.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else ():
        try:
            ds = read(str(path), pixels=False)
        except Refused:
            continue
        if str(ds.get("Modality")) in ("CT", "MR", "PT"):
            found.setdefault(str(ds.get("SeriesInstanceUID")), []).append(str(path))
    if series_uid is not None:
        if series_uid not in found:
            raise UsageError("The folder has no image series of this UID.")
        return open_series(found[series_uid])
    if len(found) != 1:
        raise UsageError(f"The folder has {len(found)} image series.",
                         "Name one with --series UID." if found else "")
    return open_series(next(iter(found.values())))


def regions_of(series: Series, masks: Mapping[str, str], labels: Path | None, names: Path | None
               ) -> list[Region]:
    """Return the regions of mask files and of a label map, on the planes of a series.

    Parameters
    ----------
    series : Series
        The image.
    masks : mapping of str to str
        File by ROI name; what is above 0.5 belongs to the ROI.
    labels, names : Path, optional
        Label map and JSON of name to label; without names, labels are called Label_1 and so on.
    """
    found = [Region(on_series(sitk.Cast(_image(Path(f)) >= 0.5, sitk.sitkUInt8), series) > 0, n)
             for n, f in masks.items()]
    if labels is None:
        return found
    array = on_series(_image(labels), series)
    try:
        table = json.loads(names.read_text(encoding="utf-8")) if names else {
            f"Label_{k}": k for k in sorted(set(array[array > 0].tolist()))}
        pairs = [(str(name), int(label)) for name, label in table.items() if int(label) > 0]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UsageError("The names are no JSON of name to label.") from error
    return found + [Region(array == label, name) for name, label in pairs]


def _image(path: Path) -> sitk.Image:
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise UsageError(f"{path.name} cannot be read as an image.") from error
