"""Cohorts of the shape of a clinic's archive, in numbers only: what there is, not its bytes.

The reference is the cohort of 1,869 patients, 12,406 studies, 349,246 series and 6,370,243
instances: 96.8 % of the files are slices, the rest RT objects. Every study has its share of each
kind, so that a part of a cohort has the same mix as the whole. The same totals and the same seed
always give the same cohort, patient by patient, without anything kept in memory.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bench.objects import ROOT

SEED = 20
SHARES = {"RTRECORD": 0.02, "RTSTRUCT": 0.004, "RTPLAN": 0.003, "RTDOSE": 0.003, "REG": 0.002}
RECORDS_IN_SERIES = 5
LEAST_PATIENTS = 20  # of a small cohort, so that writers have patients to share
_DESCRIPTIONS = ("Planning CT 3 mm", "Scout", "T2 axial", "T1 axial contrast", "CBCT", "Diffusion",
                 "Follow-up", "Reconstruction")
_MIX = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class Totals:
    """How much of everything a cohort has."""

    patients: int = 1_869
    studies: int = 12_406
    series: int = 349_246
    instances: int = 6_370_243

    @classmethod
    def of_files(cls, files: int) -> "Totals":
        """Return the totals of a cohort with exactly so many files, in the same proportions."""
        whole = cls()
        if files == whole.instances:
            return whole
        studies = max(1, round(files * whole.studies / whole.instances))
        patients = max(round(studies * whole.patients / whole.studies),
                       min(studies, LEAST_PATIENTS))
        series = max(studies * 8, round(files * whole.series / whole.instances))
        return cls(patients, studies, series, files)

    @classmethod
    def of_patients(cls, patients: int) -> "Totals":
        """Return the totals of a cohort with so many patients, in the same proportions."""
        whole = cls()
        share = patients / whole.patients
        return cls(patients, round(whole.studies * share), round(whole.series * share),
                   round(whole.instances * share))


@dataclass(frozen=True, slots=True)
class Series:
    """A series: its kind, how many objects, its frame, and the series that it refers to."""

    kind: str
    number: int
    uid: str
    size: int
    frame: str
    clock: str
    about: tuple["Series", ...] = ()

    @property
    def description(self) -> str:
        """The description, of a width that templates can hold."""
        return f"{_DESCRIPTIONS[self.number % len(_DESCRIPTIONS)]:<20}"[:20]

    def sop(self, i: int) -> str:
        """Return the UID of the object with index `i`."""
        return f"{self.uid}.{10_001 + i}"

    @staticmethod
    def position(i: int) -> float:
        """Return the position of a slice, mm."""
        return 3.0 * i - 150.0


@dataclass(frozen=True)
class Study:
    """A study and its patient."""

    patient: int
    number: int
    uid: str
    date: str
    clock: str
    series: tuple[Series, ...] = field(repr=False)

    @cached_property
    def patient_id(self) -> str:
        """The PatientID."""
        return f"B{self.patient_number}"

    @property
    def patient_number(self) -> str:
        """The number of the patient, seven digits."""
        return f"{1_000_000 + self.patient}"

    @property
    def birth(self) -> str:
        """The birth date of the patient."""
        return f"19{30 + self.patient % 60:02}{1 + self.patient % 12:02}{1 + self.patient % 28:02}"


def studies(totals: Totals, seed: int = SEED) -> Iterator[Study]:
    """Yield all studies, the patients one after the other."""
    for s in range(totals.studies):
        rng = random.Random(f"{seed}/{s}")
        # studies of a patient stand together: study s is of the patient whose share it falls into
        patient = ((s + 1) * totals.patients - 1) // totals.studies
        yield _study(s, patient, totals, rng, seed)


def _study(s: int, patient: int, totals: Totals, rng: random.Random, seed: int) -> Study:
    n_rt = {kind: _share(s, round(totals.instances * share), totals.studies)
            for kind, share in SHARES.items()}
    instances = _share(s, totals.instances, totals.studies)
    wanted = _share(s, totals.series, totals.studies)
    in_records = -(-n_rt["RTRECORD"] // RECORDS_IN_SERIES)
    alone = sum(n for kind, n in n_rt.items() if kind != "RTRECORD")
    slices = instances - sum(n_rt.values())
    n_images = max(1, min(slices, wanted - in_records - alone))
    uid = _uid("1", seed, s, 0)
    maker = _Maker(s, seed, [_uid("3", seed, s, f) for f in range(n_images + 2)], rng)
    images = maker.images(_sizes(slices, n_images, rng))
    maker.rt(images, n_rt, in_records)
    date = f"20{10 + s % 15:02}{1 + s % 12:02}{1 + s % 28:02}"
    return Study(patient, s, uid, date, f"{8 + s % 10:02}{s % 60:02}00", tuple(maker.series))


def _share(index: int, total: int, parts: int) -> int:
    """Return the share of one part when a total is spread evenly; all shares make the total."""
    return (index + 1) * total // parts - index * total // parts


def _sizes(slices: int, n: int, rng: random.Random) -> list[int]:
    """Return the sizes of image series: a planning CT, a localizer, and others of any size."""
    weights = [rng.uniform(0.1, 1.6) for _ in range(n)]
    weights[0] = 0.2 * n
    left = max(0, slices - n)  # every series has one at least
    total = sum(weights) - (weights[1] if n > 1 else 0)
    sizes = [1 + int(left * w / total) for w in weights]
    if n > 1:
        sizes[1] = 1
    sizes[0] += slices - sum(sizes)
    return sizes


def _uid(kind: str, seed: int, *numbers: int) -> str:
    """Return a UID of 44 characters; those of different series lie anywhere, as in an archive."""
    x = int(kind) + seed * 11
    for n in numbers:  # splitmix64
        x = (x + n + 0x9E3779B97F4A7C15) & _MIX
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MIX
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MIX
        x ^= x >> 31
    return f"{ROOT}{10**17 + x % (9 * 10**17)}"


@dataclass(slots=True)
class _Maker:
    """Makes the series of one study; frame 0 is that of planning, the others are of few series."""

    study: int
    seed: int
    frames: Sequence[str]
    rng: random.Random
    series: list[Series] = field(default_factory=list)

    def _add(self, kind: str, size: int, frame: str, *about: Series) -> Series:
        number = len(self.series) + 1
        made = Series(kind, number, _uid("2", self.seed, self.study, number), size, frame,
                      f"{9 + number % 8:02}{number % 60:02}30", about)
        self.series.append(made)
        return made

    def images(self, sizes: Sequence[int]) -> list[Series]:
        """Make CT and MR series; series share a frame in pairs, four of them that of an MR day.

        Every third CT series refers to the localizer.
        """
        made = [self._add("CT", sizes[0], self.frames[0])]
        for n, size in enumerate(sizes[1:], 1):
            kind = "MR" if n % 3 == 2 else "CT"
            frame = self.frames[0 if n == 1 else 1 if n in (2, 5, 8, 11) else 2 + n // 2]
            about = (made[1],) if n > 1 and n % 3 == 0 else ()
            made.append(self._add(kind, size, frame, *about))
        return made

    def rt(self, images: Sequence[Series], n: dict[str, int], in_records: int) -> None:
        """Make RT objects; the first of each is about the planning CT."""
        planning = images[0]
        sets = [self._add("RTSTRUCT", 1, "", images[k * 2 % len(images)])
                for k in range(n["RTSTRUCT"])]
        plans = [self._add("RTPLAN", 1, planning.frame, *(sets[k % len(sets)],) * bool(sets))
                 for k in range(n["RTPLAN"])]
        for k in range(n["RTDOSE"] if plans and sets else 0):
            self._add("RTDOSE", 1, planning.frame, plans[k % len(plans)], sets[k % len(sets)])
        for k in range(n["REG"]):
            self._add("REG", 1, planning.frame, planning, images[(2 + k) % len(images)])
        left = n["RTRECORD"] if plans else 0
        for _ in range(in_records):
            size = min(left, RECORDS_IN_SERIES)
            left -= size
            if size:
                self._add("RTRECORD", size, "", self.rng.choice(plans))
