"""A builder of table rows: patients for the figure, without files and without a database."""

from datetime import date, datetime, time, timedelta
from typing import Any

from rtgraph.graphmodel.modalities import series_type
from rtgraph.graphmodel.tables import TABLES, Tables

IMAGES = ("CT", "MR", "PT")
FAMILIES = {
    "CT": "CTImage", "MR": "MRImage", "PT": "PTImage", "RTSTRUCT": "RTStruct", "RTPLAN": "RTPlan",
    "RTDOSE": "RTDose", "RTRECORD": "RTRecord", "REG": "Registration", "RTIMAGE": "RTImage",
}


class Rows:
    """Adds rows to the tables of one patient; what is not said is None."""

    def __init__(self, patient_key: str = "p1") -> None:
        self.tables: Tables = {name: [] for name in TABLES}
        self.patient_key = patient_key
        self._series: dict[str | None, Any] = {}
        self._missing: set[str] = set()

    def add(self, table: str, **values: Any) -> None:
        """Add a row; columns that are not named are None."""
        self.tables[table].append({**dict.fromkeys(TABLES[table]), **values})

    def patient(self, **values: Any) -> None:
        """Add the row of the patient."""
        self.add("patients", patient_key=self.patient_key, n_studies=1, **values)

    def study(self, uid: str, patient_key: str | None = None, **values: Any) -> str:
        """Add a study of this patient, or of another one."""
        self.add("studies", StudyInstanceUID=uid, missing=False,
                 patient_key=patient_key or self.patient_key, **values)
        return uid

    def series(
        self, uid: str, modality: str | None, study: str | None = "1", **values: Any
    ) -> str:
        """Add a series; one without a study is known from references only."""
        row = series_type(modality)
        stated = {
            "patient_key": self.patient_key if study else None, "StudyInstanceUID": study,
            "SeriesInstanceUID": uid, "Modality": modality, "label": row.label,
            "layer": row.layer, "missing": study is None, "n_instances": 0,
            "n_missing_instances": 0,
        }
        self.add("series", **{**stated, **values})
        self._series[uid] = self.tables["series"][-1]
        if study is None:
            self._missing.add(uid)
        return uid

    def instance(
        self, uid: str, series: str | None, modality: str, missing: bool = False, **values: Any
    ) -> str:
        """Add an instance; the Modality of a missing one is not known, its family is."""
        self.add(
            "instances", SOPInstanceUID=uid, SeriesInstanceUID=series,
            Modality=None if missing else modality, family=FAMILIES.get(modality, modality),
            is_image=modality in IMAGES, missing=missing, **values,
        )
        if missing:
            self._missing.add(uid)
        if series in self._series:
            self._series[series]["n_missing_instances" if missing else "n_instances"] += 1
        return uid

    def images(self, series: str | None, modality: str, n: int, missing: int = 0) -> list[str]:
        """Add images `<series>.1` and so on; the last ones may be missing."""
        return [
            self.instance(f"{series or 'loose'}.{i}", series, modality, i > n - missing,
                          InstanceNumber=i)
            for i in range(1, n + 1)
        ]

    def refer(
        self, source: str, target: str, role: str, source_level: str = "instance",
        target_level: str = "instance",
    ) -> None:
        """Add a reference."""
        self.add("references", source_level=source_level, source_uid=source, role=role,
                 target_level=target_level, target_uid=target, n=1,
                 resolved=target not in self._missing)

    def frame(
        self, series: str, frame_uid: str, kind: str = "PATIENT", n_patients: int = 1
    ) -> None:
        """Say that a series is in a frame of reference."""
        self.add("frames", SeriesInstanceUID=series, FrameOfReferenceUID=frame_uid, kind=kind,
                 source="MODULE", n_instances=1, n_patients=n_patients)


class Chart(Rows):
    """Adds whole objects of a course on given days, each in a series of its own unless told."""

    def __init__(self, patient_key: str = "4d1f0c9a72e3b856", seed: int = 1) -> None:
        super().__init__(patient_key)
        self._n = seed * 10**6
        self.patient(PatientID=f"CANARY-{seed}", PatientBirthDate=date(1950, 12, 31),
                     PatientSex="O")

    def uid(self) -> str:
        """Return a new UID of the length that real ones have."""
        self._n += 1
        return f"1.2.826.0.1.3680043.8.498.{self._n * 7919 % 10**12:012}{self._n:014}{self._n:012}"

    def opened(self, text: str, day: int) -> str:
        """Add a study of a day."""
        return self.study(self.uid(), StudyDescription=text, StudyDate=at(day).date())

    def scan(self, study: str, modality: str, text: str, day: int, n: int = 40,
             missing: int = 0, frame: str | None = None) -> tuple[str, list[str]]:
        """Add an image series, and return it with its images."""
        series = self._new(study, modality, text, day)
        if frame:
            self.frame(series, frame)
        return series, self.images(series, modality, n, missing)

    def object(self, study: str, modality: str, text: str, day: int, *, title: str | None = None,
               series: str | None = None, hour: int = 12, number: int = 1, **values: Any) -> str:
        """Add an object that is no image."""
        series = series or self._new(study, modality, text, day)
        uid = self.uid()
        return self.instance(
            uid, series, modality, title=title, InstanceNumber=number, datetime=at(day, hour),
            SOPClassUID="1.2.840.10008.5.1.4.1.1.481", file_path=f"archive:CANARY-PATH/{uid}.dcm",
            **values)

    def series_of(self, study: str, modality: str, text: str, day: int) -> str:
        """Add a series for several objects."""
        return self._new(study, modality, text, day)

    def contours(self, study: str, label: str, day: int, images: list[str],
                 **values: Any) -> str:
        """Add a structure set on images."""
        uid = self.object(study, "RTSTRUCT", "Structures", day, title=label,
                          ApprovalStatus="APPROVED",
                          roi_names=["PTV", "Bladder", "Rectum", "Femur_Head_L"], **values)
        for image in images:
            self.refer(uid, image, "STRUCTURE_SET_IMAGE")
        return uid

    def planned(self, study: str, label: str, day: int, structures: str, fractions: int,
                **values: Any) -> str:
        """Add a plan on a structure set."""
        uid = self.object(study, "RTPLAN", "Plan", day, title=label, ApprovalStatus="APPROVED",
                          n_fractions_planned=fractions, **values)
        self.refer(uid, structures, "PLAN_STRUCTURE_SET")
        return uid

    def dose(self, study: str, kind: str, text: str, day: int, plan: str) -> str:
        """Add a dose of a plan."""
        uid = self.object(study, "RTDOSE", text, day, title=kind)
        self.refer(uid, plan, "DOSE_PLAN")
        return uid

    def registered(self, study: str, text: str, day: int, fixed: list[str], moving: list[str]
                   ) -> str:
        """Add a registration of two scans."""
        uid = self.object(study, "REG", text, day)
        for image in (*fixed, *moving):
            self.refer(uid, image, "REGISTRATION_IMAGE")
        return uid

    def delivered(self, study: str, plan: str, days: list[int], series: str | None = None
                  ) -> list[str]:
        """Add the records of the fractions of a plan, one a day, in one series."""
        series = series or self._new(study, "RTRECORD", "Treatment records", days[0])
        records = [self.object(study, "RTRECORD", "", day, series=series, hour=8, number=i,
                               fraction_numbers=[i]) for i, day in enumerate(days, 1)]
        for record in records:
            self.refer(record, plan, "RECORD_PLAN")
        return records

    def lost(self, modality: str) -> str:
        """Add an object that only references state."""
        return self.instance(self.uid(), None, modality, missing=True)

    def _new(self, study: str, modality: str, text: str, day: int) -> str:
        return self.series(self.uid(), modality, study, SeriesDescription=text, SeriesNumber=1,
                           SeriesDate=at(day).date(), series_datetime=at(day, 7))


def at(day: int, hour: int = 10) -> datetime:
    """Return a moment of a day of the course; day 0 is a Monday."""
    return datetime.combine(date(2025, 3, 3) + timedelta(days=day), time(hour))


def working_days(first: int, n: int) -> list[int]:
    """Return the days of so many fractions, without weekends."""
    return [first + i // 5 * 7 + i % 5 for i in range(n)]
