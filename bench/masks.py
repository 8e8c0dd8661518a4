"""Masks of every ROI and the dose on the image: rtgraph and dcmrtstruct2nii on the same case.

    python -m bench.masks FOLDER --rois 30 --slices 150
    python -m bench.masks FOLDER --rois 200 --slices 200 --alone

Not part of CI: it makes a virtual environment in FOLDER/dcmrtstruct2nii-env and installs
dcmrtstruct2nii 5 there. The case is a CT of 512 x 512 pixels with ROIs of the sizes of a body,
lungs and small organs. Both read the DICOM files and write the image and one compressed NIfTI file
an ROI; each runs alone in a process of its own, the first run of a pair is thrown away. rtgraph
then puts a dose of 2.5 mm onto the image, which dcmrtstruct2nii has no counterpart for. With
--alone only rtgraph is measured.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

import numpy as np

from bench.results import LINES, Row, keep, show
from tests.data import solids
from tests.data.solids import Layout, RoiSpec, ring

VERSION = "5"
OTHER = """\
import sys
from dcmrtstruct2nii import dcmrtstruct2nii
dcmrtstruct2nii(sys.argv[1], sys.argv[2], sys.argv[3], gzip=True)
"""


def case(folder: Path, rois: int, slices: int) -> None:
    """Write CT, structure set and dose, unless they are there."""
    if (folder / "ready").exists():
        return
    layout = Layout(origin=(-250.0, -250.0, 0.0), spacing=(0.977, 0.977), size=(512, 512),
                    positions=tuple(3.0 * k for k in range(slices)))
    rng = np.random.default_rng(1)
    values = rng.integers(-1000, 1500, (1, 512, 512), np.int16).repeat(slices, axis=0)
    radii = [180.0, 80.0, 80.0, *rng.uniform(8, 40, max(rois - 3, 0))][:rois]
    specs = []
    for number, radius in enumerate(radii, start=1):
        at = (250.3 + rng.uniform(-60, 60) * (number > 1), 250.7 + rng.uniform(-60, 60))
        planes = range(slices) if radius > 60 else range(slices // 4, 3 * slices // 4)
        points = ring(radius, int(np.clip(radius * 4, 60, 400)), at)
        specs.append(RoiSpec(number, f"ROI{number}", [(3.0 * k, points) for k in planes]))
    images = solids.ct(layout, values)
    solids.save(images, folder / "ct")
    solids.save([solids.structures(layout, specs, images)], folder / "rs")
    grid = Layout(origin=(-240.0, -240.0, 2.0), spacing=(2.5, 2.5), size=(192, 192),
                  positions=tuple(2.5 * k for k in range(int(slices * 1.15))))
    stored = rng.integers(0, 60000, (len(grid.positions), 192, 192), np.uint32)
    solids.save([solids.dose(grid, stored, 0.001, grid.positions)], folder / "rd")
    (folder / "ready").touch()


def environment(folder: Path) -> Path:
    """Return the Python of an environment that has dcmrtstruct2nii."""
    home = folder / "dcmrtstruct2nii-env"
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet",
                        f"dcmrtstruct2nii=={VERSION}", "pydicom<3"], check=True)
        (home / "ready").touch()
    return python


def own(folder: Path, out: Path, dose: bool) -> None:
    """Do rtgraph's part: image and masks, or the dose on the image."""
    import SimpleITK as sitk
    from pydicom import dcmread

    from rtgraph.preprocess.contours import read_structures
    from rtgraph.preprocess.dose import dose_on, read_dose
    from rtgraph.preprocess.geometry import to_image
    from rtgraph.preprocess.images import open_series, read_volume
    from rtgraph.preprocess.masks import make_mask

    out.mkdir(parents=True, exist_ok=True)
    series = open_series([str(p) for p in sorted((folder / "ct").iterdir())])
    grid = series.stack.grid
    if dose:
        found = read_dose(dcmread(next((folder / "rd").iterdir())))
        values, _ = dose_on(found, grid)
        print(json.dumps({"largest": float(values.max())}))
        return
    sitk.WriteImage(read_volume(series).image, str(out / "image.nii.gz"), useCompression=True)
    voxels = 0
    for roi in read_structures(dcmread(next((folder / "rs").iterdir()))).rois:
        mask = make_mask(roi, grid).mask
        if mask is not None:
            voxels += int(mask.array.sum(dtype=np.int64))
            sitk.WriteImage(to_image(mask.full(), grid), str(out / f"{roi.name}.nii.gz"),
                            useCompression=True)
    print(json.dumps({"voxels": voxels}))


def measured(words: list[str]) -> tuple[float, float, float]:
    """Return seconds, CPU seconds and the highest memory in MB of a command."""
    began = time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          cwd=Path(__file__).parents[1]) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} failed")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Measure both in turn, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.masks")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rois", type=int, default=30)
    parser.add_argument("--slices", type=int, default=150)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--alone", action="store_true", help="leave dcmrtstruct2nii out")
    parser.add_argument("--only", choices=["masks", "dose"], help=argparse.SUPPRESS)
    parser.add_argument("--lines", type=Path, default=LINES)
    given = parser.parse_args()
    folder = given.folder.resolve() / f"masks-{given.rois}-{given.slices}"
    if given.only:
        own(folder, folder / "own", given.only == "dose")
        return
    case(folder, given.rois, given.slices)
    this = [sys.executable, "-m", "bench.masks", str(given.folder.resolve()),
            "--rois", str(given.rois), "--slices", str(given.slices), "--only"]
    commands = {"rtgraph, masks": [*this, "masks"], "rtgraph, dose": [*this, "dose"]}
    if not given.alone:
        (folder / "other.py").write_text(OTHER, encoding="utf-8")
        commands["dcmrtstruct2nii, masks"] = [
            str(environment(given.folder.resolve())), str(folder / "other.py"),
            str(next((folder / "rs").iterdir())), str(folder / "ct"), str(folder / "other")]
    runs = {name: [measured(words) for _ in range(given.pairs + 1)][1:]
            for name, words in commands.items()}
    best = {name: min(found) for name, found in runs.items()}
    base = best["rtgraph, masks"]
    rows: list[Row] = [{
        "what": name, "seconds": round(s, 1), "CPU s": round(cpu, 1), "MB": round(mb),
        "time, times rtgraph": round(s / base[0], 1) if "masks" in name else ""}
        for name, (s, cpu, mb) in best.items()]
    title = f"Masks of {given.rois} ROIs on 512 x 512 x {given.slices}, and a dose on it"
    show(title, rows)
    keep("masks, alone" if given.alone else "masks", title, rows, lines=given.lines)


if __name__ == "__main__":
    main()
