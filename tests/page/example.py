"""A patient as a clinic would have it, with planted problems and hostile places for text."""

from datetime import UTC, datetime

from bench.rows import Chart
from rtgraph.cypher.library import checks
from rtgraph.graphmodel.tables import Tables
from rtgraph.viz.findings import Finding
from rtgraph.viz.picture import Material, Validation

PATIENT_KEY = "4d1f0c9a72e3b856"
BROWSER = "http://127.0.0.1:7474/browser/?dbms=bolt://neo4j@127.0.0.1:7687&db=neo4j"


def chart() -> Chart:
    """Return CT, MR, registration, two structure sets and plans, doses, records, a missing plan."""
    made = Chart(PATIENT_KEY)
    study, treatment = made.opened("RT planning pelvis", 0), made.opened("Treatment", 7)
    frame = made.uid()
    ct_series, ct = made.scan(study, "CT", "Pelvis 3 mm planning", 0, 40, missing=2, frame=frame)
    _, mr = made.scan(study, "MR", "T2 axial small field of view", 0, 24, frame=made.uid())
    made.registered(study, "MR on CT rigid", 0, ct, mr)
    approved = made.contours(study, "Pelvis approved", 1, ct)
    boost_set = made.contours(study, "Pelvis boost after MR review", 1, ct)
    plan = made.planned(study, "PROSTATE 39Fx", 2, approved, 39)
    boost = made.planned(study, "BOOST 5Fx", 3, boost_set, 5)
    made.refer(boost, plan, "PREDECESSOR_PLAN")
    for text, of, structures in (("Plan dose", plan, approved), ("Boost dose", boost, boost_set)):
        dose = made.dose(study, "PLAN", text, 3, of)
        made.refer(dose, structures, "DVH_STRUCTURE_SET")
    made.delivered(treatment, plan, [7, 8, 9, 10, 11, 14])
    made.delivered(treatment, boost, [15, 16, 17])
    made.delivered(treatment, made.lost("RTPLAN"), [18])
    for row in made.tables["series"]:
        if row["StudyInstanceUID"] == study and row["Modality"] in ("RTSTRUCT", "RTPLAN"):
            made.frame(row["SeriesInstanceUID"], frame)
    assert ct_series
    return made


def patient() -> Tables:
    """Return the rows of the patient."""
    return chart().tables


def titled(tables: Tables, title: str) -> str:
    """Return the UID of the object with this title."""
    (uid,) = [r["SOPInstanceUID"] for r in tables["instances"] if r["title"] == title]
    return str(uid)


def described(tables: Tables, description: str) -> str:
    """Return the UID of the series with this description."""
    (uid,) = [r["SeriesInstanceUID"] for r in tables["series"]
              if r["SeriesDescription"] == description]
    return str(uid)


def finding(about: str, rule: str = "PLN-07", severity: str = "warning", **more: object) -> Finding:
    """Return a finding about a node."""
    values = {
        "rule": rule, "severity": severity, "waived": False,
        "title": "An approved external beam plan has at least one dose", "fix": "Export the dose.",
        "about": about, "series_uid": None, "target": None, "since": "2025-03-20", **more,
    }
    return Finding(**values)  # type: ignore[arg-type]


def material(tables: Tables, *findings: Finding, key: str = PATIENT_KEY) -> Material:
    """Return what a picture is made of, as if a validation were stored."""
    if not findings:
        return Material(key, tables)
    validation = Validation(datetime(2025, 3, 20, 9, 30, tzinfo=UTC), findings,
                            {c.id: c for c in checks()})
    return Material(key, tables, validation=validation, browser=BROWSER, from_graph=True)
