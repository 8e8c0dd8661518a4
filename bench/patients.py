"""Patients for the figure: five typical ones, and generated ones of any size.

Nothing here is read or written: a patient is the rows that reading the files would give.
"""

from collections.abc import Callable

from bench.rows import Chart, working_days
from rtgraph.graphmodel.tables import Tables


def single_course() -> Chart:
    """One plan on CT and MR, thirty fractions, cone beam CTs on ten of the days."""
    chart = Chart(seed=1)
    frame, mr_frame = chart.uid(), chart.uid()
    planning = chart.opened("Prostate planning", 0)
    diagnostic = chart.opened("MR pelvis", -4)
    treatment = chart.opened("Treatment", 14)
    _, ct = chart.scan(planning, "CT", "Pelvis 3 mm planning", 0, 60, frame=frame)
    for text in ("T2 axial", "T2 sagittal", "T1 axial", "DWI b1000", "ADC"):
        mr_series, mr = chart.scan(diagnostic, "MR", text, -4, 24, frame=mr_frame)
    assert mr_series
    chart.registered(planning, "MR on CT rigid", 1, ct, mr)
    structures = chart.contours(planning, "Pelvis approved", 2, ct)
    plan = chart.planned(planning, "PROSTATE 30Fx", 4, structures, 30)
    chart.dose(planning, "PLAN", "Plan dose", 4, plan)
    drrs = chart.series_of(planning, "RTIMAGE", "DRR", 4)
    for i in range(4):
        drr = chart.object(planning, "RTIMAGE", "", 4, series=drrs, title=f"DRR {i + 1}")
        chart.refer(drr, plan, "RTIMAGE_PLAN")
    days = working_days(14, 30)
    chart.delivered(treatment, plan, days)
    for day in days[::3]:
        _, cone_beam = chart.scan(treatment, "CT", "CBCT", day, 20, frame=chart.uid())
        chart.registered(treatment, "CBCT to planning CT", day, ct, cone_beam)
    for series in (r["SeriesInstanceUID"] for r in chart.tables["series"]
                   if r["StudyInstanceUID"] == planning and r["Modality"] != "CT"):
        chart.frame(series, frame)
    return chart


def adaptive() -> Chart:
    """Two plans: after nine fractions a new CT, structure set and plan that name the first ones."""
    chart = Chart(seed=2)
    first, second = chart.opened("Planning CT", 0), chart.opened("Repeat CT", 25)
    treatment = chart.opened("Treatment", 14)
    _, ct_1 = chart.scan(first, "CT", "Head neck 2 mm", 0, 60)
    _, ct_2 = chart.scan(second, "CT", "Head neck 2 mm repeat", 25, 60)
    contours_1 = chart.contours(first, "HN initial", 2, ct_1)
    plan_1 = chart.planned(first, "HN 35Fx", 5, contours_1, 35)
    chart.dose(first, "PLAN", "Dose initial", 5, plan_1)
    chart.registered(second, "Repeat CT to planning CT", 25, ct_1, ct_2)
    contours_2 = chart.contours(second, "HN adapted", 26, ct_2)
    chart.refer(contours_2, contours_1, "PREDECESSOR_STRUCTURE_SET")
    plan_2 = chart.planned(second, "HN adapted 26Fx", 27, contours_2, 26)
    chart.refer(plan_2, plan_1, "PREDECESSOR_PLAN")
    chart.dose(second, "PLAN", "Dose adapted", 27, plan_2)
    records = chart.series_of(treatment, "RTRECORD", "Treatment records", 14)
    days = working_days(14, 35)
    chart.delivered(treatment, plan_1, days[:9], records)
    chart.delivered(treatment, plan_2, days[11:33], records)
    for i, day in enumerate(days[::4]):
        _, cone_beam = chart.scan(treatment, "CT", "CBCT", day, 20)
        chart.registered(treatment, "CBCT", day, ct_1 if i < 3 else ct_2, cone_beam)
    return chart


def brachytherapy() -> Chart:
    """Four fractions with a CT, structure set, plan, dose and record each, and one MR."""
    chart = Chart(seed=3)
    staging = chart.opened("MR cervix", -3)
    _, mr = chart.scan(staging, "MR", "T2 axial with applicator", -3, 30)
    before = None
    for i in range(4):
        study = chart.opened(f"Brachytherapy {i + 1}", 7 * i)
        _, ct = chart.scan(study, "CT", f"Applicator CT {i + 1}", 7 * i, 40)
        contours = chart.contours(study, f"Fraction {i + 1}", 7 * i, ct)
        plan = chart.planned(study, f"HDR 7 Gy #{i + 1}", 7 * i, contours, 1)
        chart.dose(study, "PLAN", "HDR dose", 7 * i, plan)
        if before:
            chart.refer(plan, before, "PRIOR_PLAN")
        before = plan
        chart.delivered(study, plan, [7 * i])
        if i == 0:
            chart.registered(study, "MR to CT 1", 0, ct, mr)
    return chart


def proton() -> Chart:
    """A 4D CT, an ion plan with doses of beams, twenty-five fractions, three verification CTs."""
    chart = Chart(seed=4)
    planning, treatment = chart.opened("Lung 4D planning", 0), chart.opened("Proton treatment", 16)
    _, average = chart.scan(planning, "CT", "4D average", 0, 50)
    for phase in range(0, 100, 10):
        chart.scan(planning, "CT", f"4D phase {phase} %", 0, 50)
    structures = chart.contours(planning, "Lung ITV", 3, average)
    plan = chart.planned(planning, "PBS lung 25Fx", 8, structures, 25)
    chart.dose(planning, "PLAN", "Plan dose RBE 1.1", 8, plan)
    doses = chart.series_of(planning, "RTDOSE", "Beam doses", 8)
    for i in range(3):
        dose = chart.object(planning, "RTDOSE", "", 8, series=doses, title="BEAM", number=i + 1)
        chart.refer(dose, plan, "DOSE_PLAN")
    chart.delivered(treatment, plan, working_days(16, 25))
    for week, day in enumerate((20, 27, 34), 1):
        study = chart.opened(f"Verification CT {week}", day)
        _, ct = chart.scan(study, "CT", f"Verification {week}", day, 50)
        chart.registered(study, f"Verification {week} to average", day, average, ct)
        chart.dose(study, "PLAN", f"Recalculated week {week}", day, plan)
    return chart


def dangling() -> Chart:
    """An export that lost things: a plan, a structure set, images, a whole series."""
    chart = Chart(seed=5)
    study, treatment = chart.opened("Breast planning", 0), chart.opened("Treatment", 10)
    _, ct = chart.scan(study, "CT", "Breast 3 mm", 0, 60)
    lost_images = chart.scan(study, "CT", "Breast deep inspiration", 0, 60, missing=7)[1]
    structures = chart.contours(study, "Breast left", 1, ct)
    second = chart.contours(study, "Breast left DIBH", 1, lost_images)
    plan = chart.planned(study, "BREAST 15Fx", 3, structures, 15)
    chart.dose(study, "PLAN", "Plan dose", 3, plan)
    chart.refer(second, structures, "PREDECESSOR_STRUCTURE_SET")
    lost = chart.lost("RTPLAN")
    chart.delivered(treatment, lost, working_days(10, 3))
    chart.delivered(treatment, plan, working_days(15, 8))
    orphan = chart.object(study, "RTDOSE", "Old dose", 3, title="PLAN")
    chart.refer(orphan, chart.lost("RTPLAN"), "DOSE_PLAN")
    gone = chart.series(chart.uid(), None, study=None)
    chart.refer(second, gone, "SR_SOURCE_SERIES", target_level="series")
    twice = chart.uid()
    for series in (r["SeriesInstanceUID"] for r in chart.tables["series"][:2]):
        chart.instance(twice, series, "CT", missing=True)
    registration = chart.object(study, "REG", "Free breathing to DIBH", 1)
    chart.refer(registration, twice, "REGISTRATION_IMAGE")
    return chart


TYPICAL: dict[str, Callable[[], Chart]] = {
    "single course": single_course, "adaptive": adaptive, "brachytherapy": brachytherapy,
    "proton": proton, "dangling": dangling,
}


def generated(n_series: int, *, broken: int = 0, images: int = 3) -> Tables:
    """Return a patient of exactly so many series, course after course.

    A course has CT, structure set, plan and two doses; its fractions, 5 to 30 of them, have a
    cone beam CT, a registration, a record and an image each.

    Parameters
    ----------
    broken : int
        Records whose plan is missing.
    """
    chart = Chart(seed=6)
    while len(chart.tables["series"]) < n_series:
        _course(chart, n_series, images)
    records = [r for r in chart.tables["references"] if r["role"] == "RECORD_PLAN"]
    for row in records[:broken]:
        row["target_uid"], row["resolved"] = chart.lost("RTPLAN"), False
    return chart.tables


def _course(chart: Chart, n_series: int, images: int) -> None:
    number = len(chart.tables["studies"]) // 2
    day = 90 * number

    def full() -> bool:
        return len(chart.tables["series"]) >= n_series

    planning = chart.opened(f"Planning {number + 1}", day)
    _, ct = chart.scan(planning, "CT", "Planning CT", day, images)
    if full():
        return
    structures = chart.contours(planning, f"Structures {number + 1}", day + 1, ct)
    if full():
        return
    plan = chart.planned(planning, f"Plan {number + 1}", day + 3, structures, 30)
    for kind in ("PLAN", "BEAM"):
        if not full():
            chart.dose(planning, kind, f"{kind.title()} dose", day + 3, plan)
    treatment = chart.opened(f"Treatment {number + 1}", day + 7)
    for when in working_days(day + 7, 5 + number * 7 % 26):
        if not full():
            _, cone_beam = chart.scan(treatment, "CT", "CBCT", when, images)
        if not full():
            chart.registered(treatment, "CBCT to CT", when, ct, cone_beam)
        if not full():
            chart.delivered(treatment, plan, [when])
        if not full():
            portal = chart.object(treatment, "RTIMAGE", "Portal", when, title="Portal")
            chart.refer(portal, plan, "RTIMAGE_PLAN")
