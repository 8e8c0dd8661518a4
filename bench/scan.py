"""CPU of reading a file, against plain pydicom taking out the same.

    python -m bench.scan CORPUS

All take turns in one process in batches of at most 50 files of a column, all files warm; the
ratio is the median of the ratios of the rounds. rtgraph finds references in every sequence, so
pydicom looks into every sequence too. The second ratio is to pydicom along the table of references
only, which finds less and skips what has a defined length.

Gates, on the first ratio: one below its gate, one a fifth below the last that was kept, or a clean
little-endian file that was left to pydicom, exits with 1.
"""

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import plain
from bench.corpus import Size, write
from bench.results import LINES, keep, newest, show
from rtgraph.ingest.parse import Plan, parse, parse_many
from rtgraph.ingest.records import Found, Instance

BATCH, ROUNDS = 50, 5
FEW = {"RTSTRUCT": 5, "RTPLAN": 5, "RTRECORD": 5}  # files a round: pydicom takes 0.2 s for one
# Ratio that must be reached, and the goal.
GATES = {
    "CT": (10, 15),
    "RTSTRUCT undefined": (10, 15), "RTPLAN undefined": (10, 15), "RTRECORD undefined": (10, 15),
    "RTSTRUCT defined": (5, 8), "RTPLAN defined": (5, 8), "RTRECORD defined": (5, 8),
    "RTDOSE defined": (5, 8), "REG defined": (5, 8),
}
# Shares of the files of a clinic; half of the structure sets and plans have undefined lengths.
MIX = {
    "CT": 0.968, "RTRECORD defined": 0.01, "RTRECORD undefined": 0.01,
    "RTSTRUCT defined": 0.002, "RTSTRUCT undefined": 0.002, "RTPLAN defined": 0.0015,
    "RTPLAN undefined": 0.0015, "RTDOSE defined": 0.003, "REG defined": 0.002,
}
MIX_GOAL_US = 200
DROP = 0.2  # of a ratio, against the run before
UNCLEAN = ("deflated", "big endian")  # encodings that may be left to pydicom


@dataclass
class Column:
    """The files of one sort, and what they took: CPU in us a file, one value a round."""

    name: str
    files: list[Found]
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    table_only: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the ratios of the rounds."""
        return median(b / a for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio_of_table(self) -> float:
        """The same to pydicom along the table of references only."""
        return median(b / a for a, b in zip(self.ours, self.table_only, strict=True))


def columns_of(corpus: Path, columns: Mapping[str, str]) -> list[Column]:
    """Return the files of the corpus by column."""
    by_name: dict[str, list[Found]] = defaultdict(list)
    for path, column in columns.items():
        place = corpus / path
        by_name[column].append(Found(str(place), f"corpus:{path}", place.stat().st_size, 0))
    return [Column(name, files) for name, files in sorted(by_name.items())]


def _cpu(work: Callable[[Sequence[Found]], object], files: Sequence[Found]) -> float:
    """Return us of CPU for each file."""
    began = time.process_time()
    work(files)
    return (time.process_time() - began) / len(files) * 1e6


def measure(columns: Sequence[Column], rounds: int = ROUNDS) -> None:
    """Let both read all columns in turn; files of one column stand in directory order."""
    plan = Plan("00" * 32)

    def ours(files: Sequence[Found]) -> object:
        return parse_many(files, plan)  # chunks, as a worker of an ingest gets them

    def theirs(files: Sequence[Found]) -> object:
        return [plain.read(f.location, everything=True) for f in files]

    def table_only(files: Sequence[Found]) -> object:
        return [plain.read(f.location, everything=False) for f in files]

    for column in columns:
        for file in column.files:  # into the page cache, and modules loaded
            Path(file.location).read_bytes()
        size = FEW.get(column.name.split()[0], BATCH)
        for n in range(rounds):
            at = n * size % len(column.files)
            files = (column.files + column.files)[at : at + min(size, len(column.files))]
            _cpu(ours, files[:2])
            column.ours.append(_cpu(ours, files))
            column.theirs.append(_cpu(theirs, files))
            column.table_only.append(_cpu(table_only, files))
        print(f"{column.name:<28} {median(column.ours):>10,.0f} us {column.ratio:6.1f} x "
              f"({column.ratio_of_table:.1f} x)", flush=True)


def fallbacks(columns: Sequence[Column]) -> tuple[Counter[str], int]:
    """Return why clean little-endian files were left to pydicom, and the number of such files."""
    plan, reasons, n = Plan("00" * 32), Counter[str](), 0
    for column in columns:
        if not column.name.endswith(UNCLEAN):
            for file in column.files:
                read = parse(file, plan)
                n += 1
                if isinstance(read, Instance):
                    reason = read.fallback
                    reasons.update([reason] if reason else [])
                else:
                    reasons[f"REJECTED {read.reason}"] += 1
    return reasons, n


def mix_us(columns: Sequence[Column]) -> float | None:
    """Return CPU of a file of a clinic's mix; None when a column of it is missing."""
    by_name = {c.name: median(c.ours) for c in columns}
    if not set(MIX) <= set(by_name):
        return None
    return sum(share * by_name[name] for name, share in MIX.items())


def missed(columns: Sequence[Column], reasons: Counter[str], last: Mapping[str, float]
           ) -> list[str]:
    """Return the gates that are not passed; `last` are the ratios of the run before."""
    by_name = {c.name: c.ratio for c in columns if c.name in GATES}
    found = [f"{name}: {ratio:.1f} times less than pydicom, gate {GATES[name][0]}"
             for name, ratio in by_name.items() if ratio < GATES[name][0]]
    found += [f"{name}: {ratio:.1f} times less than pydicom, {last[name]:.1f} in the run before"
              for name, ratio in by_name.items() if ratio < (1 - DROP) * last.get(name, 0.0)]
    return found + [f"{n} clean files left to pydicom: {why}" for why, n in reasons.items()]


def main() -> int:
    """Measure, print, keep; return 1 when a gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.scan")
    parser.add_argument("corpus", type=Path, help="written when it is not there")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--lines", type=Path, default=LINES)
    given = parser.parse_args()
    listed = given.corpus / "files.json"
    found: dict[str, str] = (json.loads(listed.read_text(encoding="utf-8")) if listed.exists()
                             else write(given.corpus, Size()))
    columns = columns_of(given.corpus, found)
    measure(columns, given.rounds)
    rows = [{
        "files": c.name, "rtgraph us": round(median(c.ours)), "pydicom us": round(
            median(c.theirs)), "ratio": round(c.ratio, 1),
        "pydicom, table only us": round(median(c.table_only)),
        "ratio to that": round(c.ratio_of_table, 1),
        "goal": GATES[c.name][1] if c.name in GATES else None,
        "gate": GATES[c.name][0] if c.name in GATES else None,
    } for c in columns]
    mix = mix_us(columns)
    reasons, n = fallbacks(columns)
    notes = [
        f"clinic mix {mix:,.0f} us a file, goal {MIX_GOAL_US}" if mix else "no clinic mix",
        f"left to pydicom: {reasons.total()} of {n} clean little-endian files"
        + "".join(f"; {why} {times}" for why, times in reasons.items()),
        f"median of {given.rounds} rounds, user and system CPU of one process, files warm",
    ]
    show("Reading, CPU us a file", rows)
    print(*notes, sep="\n")
    before = newest("scan", given.lines)
    last = {str(row["files"]): float(row["ratio"]) for row in before}
    keep("scan", "Reading a file, CPU against plain pydicom", rows, notes, given.lines)
    lost = missed(columns, reasons, last)
    for line in lost:
        print(f"gate missed: {line}", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
