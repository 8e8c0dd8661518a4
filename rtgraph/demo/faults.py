"""The course with planted faults: each once, and stated with the check that must find it."""

from pydicom.uid import RTIonPlanStorage, RTPlanStorage

from rtgraph.demo.chart import LINAC, PLANNING, Chart, Scan
from rtgraph.demo.courses import BEAMS, PTV_NUMBER, centred_grid, treatment_day
from rtgraph.demo.objects import ObjectRef, Study
from rtgraph.demo.phantom import PELVIS, moved
from rtgraph.demo.treatment import Prescription

PRESCRIPTION = Prescription(PTV_NUMBER, 25.0, 5)
SHIFT_MM = (-6.0, 4.0, 21.0)
N_SLICES, N_LOST_SLICES = 30, 4
FRACTION_WITH_WRONG_CLASS = 2


def faulty_course(chart: Chart) -> None:
    """Write a patient with seven faults."""
    study = chart.study("ct 1", chart.at(0), "Planning")
    grid = centred_grid((64, 64, N_SLICES))
    ct = chart.ct(study, "ct 1", chart.at(0), grid, PELVIS)
    contours = chart.structure_set(study, "Pelvis 1", chart.at(1), ct)
    _structure_set_in_other_frame(chart, study, ct)
    repeat_ct = _incomplete_repeat(chart)

    plan = chart.plan(study, "Plan 1", chart.at(3), ct, contours, PRESCRIPTION, BEAMS)
    _dose_of_lost_plan(chart, study, ct)
    _dose_in_other_frame(chart, study, repeat_ct, plan, contours)
    _sum_of_one_plan(chart, study, ct, plan)
    _records_with_wrong_class(chart, plan)


def _structure_set_in_other_frame(chart: Chart, study: Study, ct: Scan) -> None:
    frame_uid = chart.uid("frame", "copy")
    wrong = chart.structure_set(study, "Pelvis copy", chart.at(1, 15), ct, frame_uid=frame_uid)
    text = "The structure set states another frame of reference than its CT."
    chart.fault("FOR-01", wrong.uid, ct.stack.series.uid, text)


def _incomplete_repeat(chart: Chart) -> Scan:
    """Write a CT whose last slices were lost, and a plan on it that has no dose."""
    study = chart.study("ct 2", chart.at(2), "Repeat CT")
    grid, organs = centred_grid((64, 64, N_SLICES), SHIFT_MM), moved(PELVIS, SHIFT_MM)
    # Lost at the end, as in a transfer that broke off: a gap would be a fault of its own.
    ct = chart.ct(study, "ct 2", chart.at(2), grid, organs, text="Repeat CT", n_lost=N_LOST_SLICES)
    contours = chart.structure_set(study, "Pelvis 2", chart.at(2, 12), ct)
    text = f"The last {N_LOST_SLICES} slices of the CT of this structure set are not there."
    chart.fault("REF-08", contours.uid, ct.stack.series.uid, text)

    plan = chart.plan(study, "Plan 2", chart.at(4), ct, contours, PRESCRIPTION, BEAMS)
    chart.fault("PLN-07", plan.uid, None, "An approved plan has no dose.")
    chart.side_finding("CHN-01", plan.uid, None, "The plan without dose, as a gap in the chain.")
    return ct


def _dose(
    chart: Chart, study: Study, name: str, ct: Scan, plan: ObjectRef, summation: str = "PLAN"
) -> str:
    """Write a dose in a series of its own and return its UID."""
    when = chart.at(3, 10)
    series = chart.series(study, "RTDOSE", name, when, name, PLANNING)
    return chart.dose(series, name, when, ct, plan, PRESCRIPTION, summation=summation).uid


def _dose_of_lost_plan(chart: Chart, study: Study, ct: Scan) -> None:
    lost = ObjectRef(RTPlanStorage, chart.uid("plan", "lost"))
    chart.missing.append(lost.uid)
    uid = _dose(chart, study, "Dose of a lost plan", ct, lost)
    chart.fault("REF-01", uid, lost.uid, "The plan of this dose is not there.")
    chart.side_finding("CHN-01", uid, None, "The dose of the lost plan, as a gap in the chain.")


def _dose_in_other_frame(
    chart: Chart, study: Study, repeat_ct: Scan, plan: ObjectRef, contours: ObjectRef
) -> None:
    uid = _dose(chart, study, "Dose on the repeat CT", repeat_ct, plan)
    text = "The dose is in another frame of reference than the structure set of its plan."
    chart.fault("FOR-03", uid, contours.uid, text)


def _sum_of_one_plan(chart: Chart, study: Study, ct: Scan, plan: ObjectRef) -> None:
    uid = _dose(chart, study, "Sum of one plan", ct, plan, "MULTI_PLAN")
    chart.fault("DOS-01", uid, None, "A MULTI_PLAN dose names one plan.")


def _records_with_wrong_class(chart: Chart, plan: ObjectRef) -> None:
    """Write the fractions; one record calls the plan an RT Ion Plan."""
    study = chart.study("treatment", chart.at(7), "Treatment")
    series = chart.series(study, "RTRECORD", "plan 1", chart.at(7), "Records", LINAC)
    for fraction in range(1, PRESCRIPTION.fractions + 1):
        wrong = fraction == FRACTION_WITH_WRONG_CLASS
        uid = chart.record(
            series,
            "plan 1",
            chart.at(treatment_day(fraction), 9),
            plan,
            fraction,
            PRESCRIPTION,
            BEAMS,
            stated_class=RTIonPlanStorage if wrong else None,
        )
        if wrong:
            text = "The record states the class of its plan as RT Ion Plan, which it is not."
            chart.fault("REF-02", uid, plan.uid, text)
