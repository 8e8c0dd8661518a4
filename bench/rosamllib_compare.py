"""The published tool of the field, rosamllib, and rtgraph on the same folder.

    python -m bench.rosamllib_compare FOLDER --files 5000
    python -m bench.rosamllib_compare FOLDER --data CORPUS    any folder, as that of bench.corpus

Not part of CI: it makes a virtual environment in FOLDER/rosamllib-env and installs
rosamllib 0.6.3 there, with IPython, which it imports without naming it. Both read the cohort
FOLDER/cohort-N into memory (`DICOMLoader.load`, `rtgraph scan`); rtgraph then also writes it into
Neo4j (`python -m bench.ingest`), which rosamllib's loader has no counterpart for.
rosamllib is run twice: with the few attributes that it indexes unless told otherwise, and with
those that rtgraph keeps.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from bench.cohort import Totals
from bench.files import write
from bench.ingest import Ran, Row, rtgraph, run, warm
from bench.results import LINES, keep, show
from rtgraph.graphmodel.families import FAMILIES
from rtgraph.graphmodel.nodes import INSTANCE, PATIENT, SERIES, STUDY

VERSION = "0.6.3"
LOAD = """\
import json, sys
from rosamllib.readers import DICOMLoader

loader = DICOMLoader(sys.argv[1])
loader.load(tags_to_index=json.loads(sys.argv[2]) or None)
found = sum(1 for _ in loader.dataset.iter_instances())
edges = sum(len(i.referenced_sop_instance_uids) for i in loader.dataset.iter_instances())
print(f"files {found} instances, {edges} references")
if found != int(sys.argv[3]):  # the loader keeps errors to itself
    sys.exit("not all instances were loaded")
"""


def environment(folder: Path) -> Path:
    """Return the Python of an environment that has rosamllib."""
    home = folder / "rosamllib-env"
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"rosamllib=={VERSION}",
                        "ipython"], check=True)
        (home / "ready").touch()
    return python


def planned() -> list[str]:
    """Return the attributes that rtgraph keeps."""
    levels = (PATIENT, STUDY, SERIES, INSTANCE, *(f.properties for f in FAMILIES))
    return sorted({p.name for level in levels for p in level if p.stated and not p.below})


def _row(label: str, files: int, ran: Ran, base: Ran) -> Row:
    highest = ran.watch.parent_mb + ran.watch.workers_mb
    return {
        "tool": label, "seconds": round(ran.seconds, 1), "files/s": round(files / ran.seconds),
        "CPU us": round(ran.client_cpu / files * 1e6), "MB": round(highest),
        "CPU, times rtgraph": round(ran.client_cpu / base.client_cpu, 1),
        "time, times rtgraph": round(ran.seconds / base.seconds, 1),
    }


def main() -> None:
    """Measure both, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.rosamllib_compare")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--data", type=Path, help="a folder of files that are all DICOM objects")
    parser.add_argument("--lines", type=Path, default=LINES)
    given = parser.parse_args()
    folder, n = given.folder.resolve(), given.files
    work = folder / "work-rosamllib"
    work.mkdir(parents=True, exist_ok=True)
    if given.data is None:
        write(folder / f"cohort-{n}", Totals.of_files(n))
    data = str(given.data.resolve() if given.data else folder / f"cohort-{n}" / "data")
    n = sum(1 for _ in Path(data).rglob("*.dcm"))
    warm(Path(data))
    python = str(environment(folder))
    ours = run(rtgraph("scan", data), dict(os.environ), work)
    rows = [_row("rtgraph scan", n, ours, ours)]
    for label, tags in (("own attributes", []), ("those of rtgraph", planned())):
        theirs = run([python, "-c", LOAD, data, json.dumps(tags), str(n)], dict(os.environ), work)
        rows.append(_row(f"rosamllib {VERSION}, {label}", n, theirs, ours))
    shutil.rmtree(work, ignore_errors=True)
    what = given.data.name if given.data else "cohort"
    title = f"Reading {n:,} files ({what}) into memory, rtgraph and rosamllib"
    show(title, rows)
    keep(f"rosamllib {what} {n:>9}", title, rows, [
        "both with the processes or threads that they take by themselves"], given.lines)


if __name__ == "__main__":
    main()
