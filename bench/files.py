"""A cohort on disk, in folders patient/study/series, for measuring the whole of an ingest.

    python -m bench.files OUT --files 50000

About 6 KB a file and 8 KB of disk; a second call finds the cohort and leaves it.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bench.cohort import SEED, Totals, studies
from bench.templates import files_of

NAME = "cohort.json"


def cohort_files(totals: Totals, seed: int = SEED) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the folder and the files of each series."""
    for study in studies(totals, seed):
        for series in study.series:
            file = files_of(study, series)
            yield (f"{study.patient_id}/{study.uid}/{series.uid}",
                   (file(i) for i in range(series.size)))


def file_name(i: int) -> str:
    """Return the name of the file of the object with index `i` in its folder."""
    return f"{i + 1:05}.dcm"


def write(folder: Path, totals: Totals, seed: int = SEED) -> int:
    """Write a cohort below `folder`/data; return the number of files, which are there or new."""
    known, made = folder / NAME, asdict(totals) | {"seed": seed}
    if known.exists() and json.loads(known.read_text(encoding="utf-8")) == made:
        return totals.instances
    n = 0
    began = time.perf_counter()
    for where, files in cohort_files(totals, seed):
        base = os.path.join(folder, "data", where)
        os.makedirs(base, exist_ok=True)
        for i, data in enumerate(files):
            with open(os.path.join(base, file_name(i)), "wb", buffering=0) as stream:
                stream.write(data)
        before, n = n, n + i + 1
        if n // 50_000 != before // 50_000:
            print(f"{n:,} files, {(time.perf_counter() - began) / n * 1e6:.0f} us each",
                  flush=True)
    known.write_text(json.dumps(made), encoding="utf-8")  # last: says that all is there
    return n


def main() -> None:
    """Write a cohort into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.files")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--patients", type=int, help="instead of --files")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    totals = Totals.of_patients(given.patients) if given.patients else Totals.of_files(given.files)
    began = time.perf_counter()
    n = write(given.folder, totals, given.seed)
    print(f"{n:,} files in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
