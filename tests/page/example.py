"""Table rows written by hand: a builder, and a patient as a clinic would have it."""

import datetime
from typing import Any

from rtgraph.graphmodel.modalities import series_type
from rtgraph.graphmodel.tables import TABLES, Tables

IMAGES = ("CT", "MR", "PT")
FAMILIES = {
    "CT": "CTImage", "MR": "MRImage", "PT": "PTImage", "RTSTRUCT": "RTStruct", "RTPLAN": "RTPlan",
    "RTDOSE": "RTDose", "RTRECORD": "RTRecord", "REG": "Registration",
}


class Rows:
    """Adds rows to the tables of one patient; what is not said is None."""

    def __init__(self) -> None:
        self.tables: Tables = {name: [] for name in TABLES}

    def add(self, table: str, **values: Any) -> None:
        self.tables[table].append({**dict.fromkeys(TABLES[table]), **values})

    def study(self, uid: str, patient_key: str = "p1", **values: Any) -> None:
        self.add("studies", StudyInstanceUID=uid, patient_key=patient_key, missing=False, **values)

    def series(
        self, uid: str, modality: str | None, study: str | None = "1", **values: Any
    ) -> None:
        """Add a series; one without a study is known from references only."""
        row = series_type(modality)
        stated = {
            "patient_key": "p1" if study else None, "StudyInstanceUID": study,
            "SeriesInstanceUID": uid, "Modality": modality, "label": row.label,
            "layer": row.layer, "missing": study is None, "n_instances": 0,
            "n_missing_instances": 0,
        }
        self.add("series", **{**stated, **values})

    def instance(
        self, uid: str, series: str | None, modality: str, missing: bool = False, **values: Any
    ) -> str:
        """Add an instance; the Modality of a missing one is not known, its family is."""
        self.add(
            "instances", SOPInstanceUID=uid, SeriesInstanceUID=series,
            Modality=None if missing else modality, family=FAMILIES[modality],
            is_image=modality in IMAGES, missing=missing, **values,
        )
        for row in self.tables["series"]:
            if row["SeriesInstanceUID"] == series:
                row["n_missing_instances" if missing else "n_instances"] += 1
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
        self.add("references", source_level=source_level, source_uid=source, role=role,
                 target_level=target_level, target_uid=target, n=1)

    def frame(
        self, series: str, frame_uid: str, kind: str = "PATIENT", n_patients: int = 1
    ) -> None:
        self.add("frames", SeriesInstanceUID=series, FrameOfReferenceUID=frame_uid, kind=kind,
                 source="MODULE", n_instances=1, n_patients=n_patients)


def patient() -> Tables:
    """Return CT, MR, registration, two structure sets, plans, doses, records, a missing plan."""
    rows = Rows()
    root = "1.2.826.0.1.3680043.8.498"
    ct, mr, reg, ss, plans, doses, records = (f"{root}.{i}" for i in range(10, 17))
    day = datetime.date(2025, 3, 3)
    rows.study(f"{root}.1", StudyDescription="RT planning pelvis", StudyDate=day)
    rows.study(f"{root}.2", StudyDescription="Treatment", StudyDate=day)
    for uid, modality, study, description in (
        (ct, "CT", "1", "Pelvis 3 mm planning"), (mr, "MR", "1", "T2 axial small field of view"),
        (reg, "REG", "1", "MR on CT rigid"), (ss, "RTSTRUCT", "1", "Structures"),
        (plans, "RTPLAN", "1", "Plans"), (doses, "RTDOSE", "1", "Doses"),
        (records, "RTRECORD", "2", "Fractions"),
    ):
        rows.series(uid, modality, f"{root}.{study}", SeriesDescription=description,
                    SeriesDate=day, SeriesNumber=1)
    ct_images, mr_images = rows.images(ct, "CT", 40, missing=2), rows.images(mr, "MR", 24)

    def objects(series: str, modality: str, titles: list[str | None]) -> list[str]:
        return [
            rows.instance(f"{series}.{i}", series, modality, title=title, InstanceNumber=i,
                          SOPClassUID="1.2.840.10008.5.1.4.1.1.481",
                          file_path=f"archive:CANARY-PATH/{modality}{i}.dcm")
            for i, title in enumerate(titles, 1)
        ]

    (registration,) = objects(reg, "REG", [None])
    sets = objects(ss, "RTSTRUCT", ["Pelvis approved", "Pelvis boost after MR review"])
    plan, boost = objects(plans, "RTPLAN", ["PROSTATE 39Fx", "BOOST 5Fx"])
    dose_uids = objects(doses, "RTDOSE", ["PLAN", "BEAM", "PLAN"])
    record_uids = objects(records, "RTRECORD", [None] * 10)
    lost = rows.instance(f"{root}.99", None, "RTPLAN", missing=True)
    for structure_set in sets:
        for image in ct_images:
            rows.refer(structure_set, image, "STRUCTURE_SET_IMAGE")
        rows.refer(structure_set, ct, "STRUCTURE_SET_SERIES", target_level="series")
    for image in (*ct_images, *mr_images):
        rows.refer(registration, image, "REGISTRATION_IMAGE")
    rows.refer(plan, sets[0], "PLAN_STRUCTURE_SET")
    rows.refer(boost, sets[1], "PLAN_STRUCTURE_SET")
    rows.refer(boost, plan, "PLAN_PREDECESSOR")
    for dose, of in zip(dose_uids, (plan, plan, boost), strict=True):
        rows.refer(dose, of, "DOSE_PLAN")
        rows.refer(dose, sets[0] if of is plan else sets[1], "DVH_STRUCTURE_SET")
    for i, record in enumerate(record_uids):
        rows.refer(record, plan if i < 6 else boost if i < 9 else lost, "RECORD_PLAN")
    for series in (ct, reg, ss, plans, doses):
        rows.frame(series, f"{root}.7")
    rows.frame(mr, f"{root}.8")
    return rows.tables
