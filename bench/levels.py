"""The cost of `validate --level geometry` and `pixel`, for each structure set and each dose.

    python -m bench.levels FOLDER --rois 30 --slices 150

The case is that of bench.masks: a CT of 512 x 512 pixels, ROIs of the sizes of a body, lungs and
small organs, a dose of 2.5 mm with a DVH of every ROI. Each measurement runs alone, in a process of
its own, as a worker does it: from the files to the properties. No server takes part.
"""

import argparse
import json
import sys
from pathlib import Path

from bench.masks import case, measured
from bench.results import LINES, Row, keep, show
from rtgraph.graphmodel.measured import Measure

# What is measured, and how it is called on the page.
WHAT = {
    "image": "planes of the image alone",
    Measure.contours: "contours of a structure set",
    Measure.coverage: "ROIs in the grid of a dose",
    Measure.values: "values and DVHs of a dose",
}


def own(folder: Path, what: str, rois: int) -> None:
    """Measure one thing and print how many parts it has."""
    from rtgraph.preprocess.cases import SourceFile
    from rtgraph.preprocess.files import read
    from rtgraph.preprocess.images import open_series
    from rtgraph.preprocess.measuring import DoseTask, Unit, measure_unit

    def source(path: Path) -> SourceFile:
        status, ds = path.stat(), read(str(path), pixels=False)
        return SourceFile(str(ds.SOPInstanceUID), "", str(path), status.st_size,
                          status.st_mtime_ns, "")

    slices = sorted((folder / "ct").iterdir())
    if what == "image":
        print(json.dumps({"planes": len(open_series([str(p) for p in slices]).stack.slices)}))
        return
    structures, dose = (source(next((folder / name).iterdir())) for name in ("rs", "rd"))
    image = tuple(SourceFile(p.name, "", str(p), p.stat().st_size, p.stat().st_mtime_ns, "")
                  for p in slices)
    task = DoseTask(dose, "mark", curves=tuple((str(n), n) for n in range(1, rois + 1)))
    unit = {Measure.contours: Unit(structures, image, contours="mark"),
            Measure.coverage: Unit(structures, image, coverage=(task,)),
            Measure.values: Unit(structures, image, values=(task,))}[Measure(what)]
    (outcome,) = measure_unit(unit)
    if outcome.refused:
        raise SystemExit(f"not measured: {outcome.refused}")
    print(json.dumps({"parts": len(outcome.parts)}))


def main() -> None:
    """Measure each thing in turn, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.levels")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rois", type=int, default=30)
    parser.add_argument("--slices", type=int, default=150)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--only", choices=list(WHAT), help=argparse.SUPPRESS)
    parser.add_argument("--lines", type=Path, default=LINES)
    given = parser.parse_args()
    folder = given.folder.resolve() / f"masks-{given.rois}-{given.slices}"
    if given.only:
        own(folder, given.only, given.rois)
        return
    case(folder, given.rois, given.slices)
    this = [sys.executable, "-m", "bench.levels", str(given.folder.resolve()),
            "--rois", str(given.rois), "--slices", str(given.slices), "--only"]
    rows: list[Row] = []
    for what, name in WHAT.items():
        seconds, cpu, mb = min(measured([*this, what]) for _ in range(given.runs))
        rows.append({"what": name, "seconds": round(seconds, 1), "CPU s": round(cpu, 1),
                     "MB": round(mb)})
    title = (f"Geometry and pixel pass: {given.rois} ROIs on 512 x 512 x {given.slices}, and a "
             "dose")
    notes = ["each with the start of a process and the planes of the image, which a worker reads "
             "once for a structure set and its doses"]
    show(title, rows)
    keep("levels", title, rows, notes, lines=given.lines)


if __name__ == "__main__":
    main()
