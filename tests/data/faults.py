"""Small sets of files with one fault each, for faults that the demo cohort does not hold.

Each builder writes its files into a folder and returns the findings that checks must report.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
from pydicom.uid import CTImageStorage

from rtgraph.demo.chart import LINAC, SCANNER, Chart
from rtgraph.demo.courses import BEAMS, PTV_NUMBER, centred_grid
from rtgraph.demo.images import ct_series
from rtgraph.demo.manifest import Fault
from rtgraph.demo.objects import ImageStack, Patient, Series, Study, make_uid, save
from rtgraph.demo.phantom import PELVIS
from rtgraph.demo.treatment import Prescription

WHEN = datetime(2024, 2, 5, 8)
ANNE = Patient("FAULT-1", "FAULT^ONE", date(1950, 1, 2), "F")
BERT = Patient("FAULT-2", "FAULT^TWO", date(1951, 3, 4), "M")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Files that were written, and what checks must find in them."""

    files: tuple[Path, ...]
    findings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _CT:
    """The identity of a small CT; the defaults give one sound series."""

    folder: str
    patient: Patient = ANNE
    study: str = "study"
    series: str = "series"
    frame: str = "frame"
    images: tuple[str, ...] = ("image 1", "image 2")
    value_hu: int = 0

    def write(self, root: Path) -> list[Path]:
        """Write the slices; equal names of study, series, frame and image are equal UIDs."""
        study = Study(make_uid("fault", self.study), self.patient, WHEN, "Fault")
        series_uid = make_uid("fault", self.series)
        series = Series(series_uid, study, "CT", 1, WHEN, "CT", SCANNER)
        uids = tuple(make_uid("fault", name) for name in self.images)
        grid = centred_grid((8, 8, len(uids)))
        stack = ImageStack(series, make_uid("fault", self.frame), CTImageStorage, uids, grid)
        values = np.full(grid.shape[::-1], self.value_hu, np.int16)
        files = []
        for number, ds in enumerate(ct_series(stack, values), start=1):
            files.append(root / self.folder / f"CT.{number:04}.dcm")
            save(ds, files[-1])
        return files


def _scenario(root: Path, cts: Sequence[_CT], *findings: tuple[str, str, str]) -> Scenario:
    files = [path for ct in cts for path in ct.write(root)]
    faults = (Fault(check, make_uid("fault", name), None, text) for check, name, text in findings)
    return Scenario(tuple(files), tuple(faults))


def series_in_two_studies(root: Path) -> Scenario:
    """HIE-01: two slices of one series state two studies."""
    return _scenario(
        root,
        [
            _CT(folder="a", study="study a", images=("image 1",)),
            _CT(folder="b", study="study b", images=("image 2",)),
        ],
        ("HIE-01", "series", "The series is in two studies."),
    )


def study_of_two_patients(root: Path) -> Scenario:
    """HIE-02: two series of one study state two patients."""
    return _scenario(
        root,
        [
            _CT(folder="a", patient=ANNE, series="series a", frame="frame a", images=("image 1",)),
            _CT(folder="b", patient=BERT, series="series b", frame="frame b", images=("image 2",)),
        ],
        ("HIE-02", "study", "The study is under two patients."),
    )


def object_with_two_contents(root: Path) -> Scenario:
    """HIE-03: two files hold different data sets under one SOP Instance UID."""
    return _scenario(
        root,
        [
            _CT(folder="a", images=("image 1", "image 2")),
            _CT(folder="b", images=("image 1",), value_hu=50),
        ],
        ("HIE-03", "image 1", "Two files with one UID hold different data sets."),
    )


def object_in_two_series(root: Path) -> Scenario:
    """HIE-04: two files hold one SOP Instance UID in two series; their contents differ too."""
    return _scenario(
        root,
        [
            _CT(folder="a", series="series a", images=("image 1", "image 2")),
            _CT(folder="b", series="series b", images=("image 1", "image 3")),
        ],
        ("HIE-04", "image 1", "The object is in two series."),
        ("HIE-03", "image 1", "The two files differ in their series."),
    )


def frame_of_two_patients(root: Path) -> Scenario:
    """FOR-05: the images of two patients state one frame of reference."""
    return _scenario(
        root,
        [
            _CT(folder="a", patient=ANNE, study="study a", series="series a", images=("image 1",)),
            _CT(folder="b", patient=BERT, study="study b", series="series b", images=("image 2",)),
        ],
        ("FOR-05", "frame", "The frame is shared by two patients."),
    )


def reference_across_patients(root: Path) -> Scenario:
    """REF-03: a treatment record of one patient names the plan of another, who is complete."""
    owner, other = Chart(root, 1, 0, "FAULT^ONE"), Chart(root, 2, 0, "FAULT^TWO")
    prescription = Prescription(PTV_NUMBER, 10.0, 1)

    study = owner.study("planning", WHEN, "Planning")
    ct = owner.ct(study, "ct", WHEN, centred_grid((64, 64, 8)), PELVIS)
    contours = owner.structure_set(study, "Pelvis", WHEN, ct)
    plan = owner.plan(study, "Plan", WHEN, ct, contours, prescription, BEAMS)
    doses = owner.series(study, "RTDOSE", "plan", WHEN, "Plan dose", SCANNER)
    owner.dose(doses, "plan", WHEN, ct, plan, prescription)

    study = other.study("treatment", WHEN, "Treatment")
    records = other.series(study, "RTRECORD", "plan", WHEN, "Records", LINAC)
    other.record(records, "plan", WHEN, plan, 1, prescription, BEAMS)

    plan_series = next(i.series_uid for i in owner.instances if i.uid == plan.uid)
    text = "The record names the plan of another patient."
    files = tuple(root / i.path for i in (*owner.instances, *other.instances))
    return Scenario(files, (Fault("REF-03", records.uid, plan_series, text),))


SCENARIOS: dict[str, Callable[[Path], Scenario]] = {
    "HIE-01": series_in_two_studies,
    "HIE-02": study_of_two_patients,
    "HIE-03": object_with_two_contents,
    "HIE-04": object_in_two_series,
    "FOR-05": frame_of_two_patients,
    "REF-03": reference_across_patients,
}
