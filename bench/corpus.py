"""The corpus that reading is measured on: full-size objects, every encoding, the same bytes always.

    python -m bench.corpus OUT --patients 10 --slices 100

Each patient has one study: a CT series, an MR series and one object of each RT kind that refer to
one another as the export of a planning system does. `files.json` names the column of each file.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom.dataset import Dataset

from bench import objects
from bench.encode import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, file_bytes
from bench.objects import ROOT, Identity, Images

SEED = 20
# Of each 20 patients: 11 explicit, 7 implicit, 1 deflated, 1 big endian; every tenth has two sorts
# of text besides plain ASCII, and every other one sequences of undefined length.
SYNTAXES = "EIEIEIDEIBEIEEIEEIEE"
_UIDS = {"E": EXPLICIT, "I": IMPLICIT, "D": DEFLATED, "B": BIG_ENDIAN}
_NAMES = {
    2: (("ISO_IR 192",), "Wäng^XiaoDong=王^小東=Ван^Сяо"),
    5: (("", "ISO 2022 IR 87"), "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    8: (("ISO_IR 100",), "Müller^Jürgen"),
}
FULL_SIZE_SLICES = 40  # one CT slice in so many has 512 x 512 pixels


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything; the defaults are the small corpus."""

    patients: int = 10
    slices: int = 100
    mr_slices: int = 5
    rois: int = 30
    contours: int = 60
    beams: int = 9
    control_points: int = 100
    record_points: int = 50
    leaves: int = 60
    grid: tuple[int, int, int] = (100, 100, 60)
    dvhs: int = 20
    registered: int = 100  # images of each set, listed twice: 400 references


@dataclass(frozen=True, slots=True)
class Made:
    """A file of the corpus: where it stands, its column in the tables, how it is encoded."""

    path: str
    column: str
    data: bytes
    syntax: str
    undefined: bool


def contour_points(rng: random.Random, least: int = 40, most: int = 220) -> Iterator[str]:
    """Yield the coordinates of contours as DICOM text, without end."""
    ring = [f"{rng.uniform(-200, 200):.2f}\\{rng.uniform(-200, 200):.2f}\\-12.50"
            for _ in range(most)]
    while True:
        n = rng.randint(least, most)
        start = rng.randrange(most)
        yield "\\".join((ring + ring)[start : start + n])


def corpus(size: Size, seed: int = SEED) -> Iterator[Made]:
    """Yield all files, patient by patient."""
    for p in range(size.patients):
        yield from _patient(p, size, random.Random(f"{seed}/{p}"))


def _identity(p: int, series: int, charset: tuple[str, ...], name: str) -> Identity:
    study = f"{ROOT}1.{10_000 + p}.1"
    return Identity(
        sop="", series=f"{study}.{series}", study=study, patient=f"CORPUS{p:06}", name=name,
        frame=f"{study}.9", birth=f"19{40 + p % 60}0{1 + p % 9}15", date=f"2025{1 + p % 12:02}14",
        study_time="081500", time=f"0830{series:02}", series_number=str(series), number="1",
        description=f"Series {series}", charset=charset)


def _patient(p: int, size: Size, rng: random.Random) -> Iterator[Made]:
    syntax, undefined = SYNTAXES[p % 20], p % 2 == 1
    charset, name = _NAMES.get(p % 10, ((), f"Corpus^Patient{p}"))

    def who(series: int, number: int = 1) -> Identity:
        base = _identity(p, series, charset, name)
        return replace(base, sop=f"{base.series}.{number}", number=str(number))

    def made(kind: str, column: str, number: int, ds: Dataset) -> Made:
        if kind not in ("CT", "MR"):
            column += " undefined" if undefined else " defined"
        column += {"D": " deflated", "B": " big endian"}.get(syntax, "")
        return Made(f"p{p:04}/{kind}/{number:04}.dcm", column,
                    file_bytes(ds, _UIDS[syntax], undefined=undefined), syntax, undefined)

    def images(series: int, n: int, modality: str) -> Images:
        return Images(who(series).series, who(series).frame, modality,
                      [who(series, i + 1).sop for i in range(n)])

    for i in range(size.slices):
        large = (p * size.slices + i) % FULL_SIZE_SLICES == 7
        yield made("CT", "CT full size" if large else "CT", i, objects.ct(
            who(1, i + 1), f"{3 * i - 150}", localizer=who(2).sop, rows=512 if large else 32))
    for i in range(size.mr_slices):
        yield made("MR", "MR", i, objects.mr(
            who(3, i + 1), f"{4 * i - 80}", rows=128,
            private_bytes=1024 * rng.randint(50, 150)))
    ct, points = images(1, size.slices, "CT"), contour_points(rng)
    yield made("RTSTRUCT", "RTSTRUCT", 0, objects.rtstruct(
        replace(who(4), frame=""), ct, rois=size.rois, contours=size.contours, points=points))
    yield made("RTPLAN", "RTPLAN", 0, objects.rtplan(
        who(5), who(4).sop, beams=size.beams, control_points=size.control_points,
        leaves=size.leaves))
    yield made("RTDOSE", "RTDOSE", 0, objects.rtdose(
        who(6), who(5).sop, who(4).sop, grid=size.grid, dvhs=size.dvhs))
    yield made("REG", "REG", 0, objects.reg(
        who(7), images(1, size.registered, "CT"), images(3, size.registered, "MR")))
    yield made("RTRECORD", "RTRECORD", 0, objects.rtrecord(
        replace(who(8), frame=""), who(5).sop, beams=size.beams,
        control_points=size.record_points, leaves=size.leaves))


def write(folder: Path, size: Size, seed: int = SEED) -> dict[str, str]:
    """Write the corpus; return the column of each file."""
    columns = {}
    for made in corpus(size, seed):
        path = folder / made.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.data)
        columns[made.path] = made.column
    (folder / "files.json").write_text(json.dumps(columns, indent=0), encoding="utf-8")
    return columns


def main() -> None:
    """Write the corpus into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.corpus")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=Size().patients)
    parser.add_argument("--slices", type=int, default=Size().slices, help="CT slices a patient")
    parser.add_argument("--mr-slices", type=int, default=Size().mr_slices)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    began = time.perf_counter()
    columns = write(given.folder, Size(given.patients, given.slices, given.mr_slices), given.seed)
    print(f"{len(columns):,} files in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
