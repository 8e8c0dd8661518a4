"""The files of one synthetic patient in their order, and the manifest entries about them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

from pydicom.dataset import Dataset

from rtgraph.demo.manifest import Fault, ManifestInstance, ManifestReference
from rtgraph.demo.objects import Device, ObjectRef, Patient, Series, Study, make_uid, save

FIRST_MONDAY = datetime(2024, 1, 8, 8)


class PatientFiles:
    """Names, times and numbers of one patient; what was written, and what is true about it."""

    def __init__(self, folder: Path, number: int, seed: int, name: str) -> None:
        self.folder, self.number, self.seed = folder, number, seed
        born = date(1945 + number % 20, 1 + number % 12, 1 + number % 28)
        self.patient = Patient(f"DEMO-{number}", name, born, "M")
        self.instances: list[ManifestInstance] = []
        self.references: set[ManifestReference] = set()
        self.frames: dict[str, set[str]] = defaultdict(set)
        self.missing: list[str] = []
        self.faults: list[Fault] = []
        self.side_findings: list[Fault] = []
        self._n_series: Counter[str] = Counter()
        self._n_in_series: Counter[str] = Counter()
        self._n_of_modality: Counter[str] = Counter()

    def uid(self, *names: object) -> str:
        """Return the UID of something of this patient."""
        return make_uid(self.seed, self.number, *names)

    def at(self, day: int, hour: int = 8, minute: int = 0) -> datetime:
        """Return a time, days after the planning CT (a Monday); patients start a week apart."""
        week = (self.number - 1) % 40
        return FIRST_MONDAY + timedelta(weeks=week, days=day, hours=hour - 8, minutes=minute)

    def study(self, name: str, when: datetime, description: str) -> Study:
        """Return a new study."""
        return Study(self.uid("study", name), self.patient, when, description)

    def series(
        self, study: Study, modality: str, name: str, when: datetime, text: str, device: Device
    ) -> Series:
        """Return a new series; its number runs within the study."""
        self._n_series[study.uid] += 1
        uid = self.uid("series", modality, name)
        return Series(uid, study, modality, self._n_series[study.uid], when, text, device)

    def put(self, series: Series, uid: str, ds: Dataset, frame_uid: str | None = None) -> None:
        """Write an object and enter it in the manifest."""
        modality = series.modality
        self._n_of_modality[modality] += 1
        name = f"{modality}.{self._n_of_modality[modality]:04}.dcm"
        path = f"patient-{self.number}/{modality}/{name}"
        study = series.study
        self.instances.append(
            ManifestInstance(uid, series.uid, study.uid, study.patient.id, modality, path)
        )
        if frame_uid is not None:
            self.frames[frame_uid].add(series.uid)
        save(ds, self.folder / path)

    def refers(self, source: str, targets: Iterable[ObjectRef | None], role: str) -> None:
        """State that `source`, an object or a series of images, refers to the targets."""
        found = (ref for ref in targets if ref is not None)
        self.references.update(ManifestReference(source, ref.uid, role) for ref in found)

    def next_number(self, series: Series) -> int:
        """Return the next InstanceNumber of a series."""
        self._n_in_series[series.uid] += 1
        return self._n_in_series[series.uid]

    def fault(self, check: str, subject: str, target: str | None, text: str) -> None:
        """State a planted fault and the check that must find it."""
        self.faults.append(Fault(check, subject, target, text))

    def side_finding(self, check: str, subject: str, target: str | None, text: str) -> None:
        """State what another check reports: a consequence of a fault, or a normal fact."""
        self.side_findings.append(Fault(check, subject, target, text))
