"""The two courses in which nothing is wrong: a clean one and an adaptive one.

clean      CT with localizer, MR registered to it, structure set, plan with DRRs, dose with
           DVHs, ten fractions with records and a portal image
adaptive   four fractions of a first plan, a new CT that is registered to the first, structure
           set and plan with their predecessors, four fractions of the second plan, CBCTs
"""

from dataclasses import dataclass

from rtgraph.demo.chart import LINAC, PLANNING, Chart, Scan
from rtgraph.demo.objects import Grid, ObjectRef, Study
from rtgraph.demo.phantom import PELVIS, Vector, moved, resized, rigid
from rtgraph.demo.treatment import Beam, Prescription

PTV_NUMBER = 2
BEAMS = (
    Beam(1, "AP", 0.0, 112.0),
    Beam(2, "Left lateral", 90.0, 96.5),
    Beam(3, "Right lateral", 270.0, 96.5),
    Beam(4, "Setup AP", 0.0, 0.0),
)
CBCT_DAYS = (7, 9, 14)


def centred_grid(shape: tuple[int, int, int], middle: Vector = (0.0, 0.0, 0.0)) -> Grid:
    """Return a grid of 4 x 4 x 3 mm voxels around a point."""
    spacing = (4.0, 4.0, 3.0)
    x, y, z = (m - (n - 1) / 2 * s for m, n, s in zip(middle, shape, spacing, strict=True))
    return Grid((x, y, z), spacing, shape)


def treatment_day(fraction: int) -> int:
    """Return the day of a fraction: working days, from the Monday after the planning CT."""
    return 7 + (fraction - 1) // 5 * 7 + (fraction - 1) % 5


def clean_course(chart: Chart) -> None:
    """Write a patient in whom everything is as it should be."""
    planning = chart.study("planning", chart.at(0), "Planning")
    diagnostic = chart.study("mr", chart.at(0, 10), "MR pelvis")
    delivery = chart.study("treatment", chart.at(7), "Treatment")
    prescription = Prescription(PTV_NUMBER, 30.0, 10)

    grid = centred_grid((64, 64, 40))
    ct = chart.ct(planning, "planning", chart.at(0), grid, PELVIS, with_localizer=True)
    to_ct = rigid((4.0, -6.0, 9.0), turn_deg=3.0)
    mr_grid = centred_grid((64, 64, 32), (-4.0, 6.0, -9.0))
    mr = chart.mr(diagnostic, chart.at(0, 10), mr_grid, PELVIS, to_ct)
    chart.registration(planning, "MR to CT", chart.at(1), ct.stack, mr.stack, to_ct)

    contours = chart.structure_set(planning, "Pelvis", chart.at(1, 9), ct)
    treated = [beam for beam in BEAMS if beam.meterset_mu > 0]
    drrs = {beam.number: chart.image_ref("drr", beam.number) for beam in treated}
    name, when = "Pelvis 30 Gy", chart.at(3)
    plan = chart.plan(planning, name, when, ct, contours, prescription, BEAMS, drrs=drrs)
    when = chart.at(3, 10)
    doses = chart.series(planning, "RTDOSE", "plan", when, "Plan dose", PLANNING)
    chart.dose(doses, "plan", when, ct, plan, prescription, bits=32, structures=contours)
    views = chart.series(planning, "RTIMAGE", "drr", chart.at(3, 11), "DRR", PLANNING)
    for beam in treated:
        chart.rt_image(views, drrs[beam.number].uid, chart.at(3, 11), plan, beam, ct)

    portal = chart.image_ref("portal", 1)
    portals = chart.series(delivery, "RTIMAGE", "portal", chart.at(7), "Portal images", LINAC)
    chart.rt_image(portals, portal.uid, chart.at(7), plan, BEAMS[0], ct, fraction=1)
    records = chart.series(delivery, "RTRECORD", "plan", chart.at(7), "Records", LINAC)
    for fraction in range(1, prescription.fractions + 1):
        when = chart.at(treatment_day(fraction), 8, 5)
        taken = {1: portal} if fraction == 1 else None
        chart.record(records, "plan", when, plan, fraction, prescription, BEAMS, portals=taken)


@dataclass(frozen=True, slots=True)
class _Phase:
    """A plan of the adaptive course with the days on which it was delivered."""

    scan: Scan
    plan: ObjectRef
    prescription: Prescription
    days: tuple[int, ...]


def adaptive_course(chart: Chart) -> None:
    """Write a patient who was planned again on a new CT after four fractions."""
    first_study = chart.study("ct 1", chart.at(0), "Planning CT")
    second_study = chart.study("ct 2", chart.at(11), "Repeat CT")
    planning = chart.study("planning", chart.at(3), "Treatment planning")
    doses = chart.series(planning, "RTDOSE", "both", chart.at(3, 10), "Plan doses", PLANNING)
    first, second = Prescription(PTV_NUMBER, 30.0, 10), Prescription(PTV_NUMBER, 18.0, 6)

    grid = centred_grid((64, 64, 40))
    ct_1 = chart.ct(first_study, "ct 1", chart.at(0), grid, PELVIS)
    contours_1 = chart.structure_set(first_study, "Pelvis 1", chart.at(1), ct_1)
    plan_1 = chart.plan(planning, "Plan 1", chart.at(3), ct_1, contours_1, first, BEAMS)
    chart.dose(doses, "plan 1", chart.at(3, 10), ct_1, plan_1, first)

    # The bladder is fuller on the second CT, whose frame has another origin.
    shift = (3.0, -5.0, 12.0)
    organs = moved(resized(PELVIS, "Bladder", 1.15), shift)
    grid = centred_grid((64, 64, 40), shift)
    ct_2 = chart.ct(second_study, "ct 2", chart.at(11), grid, organs, text="Repeat CT")
    _register(chart, second_study, "CT 2 to CT 1", 11, ct_1, ct_2)
    when = chart.at(11, 13)
    contours_2 = chart.structure_set(second_study, "Pelvis 2", when, ct_2, predecessor=contours_1)
    name, when = "Plan 2", chart.at(11, 16)
    plan_2 = chart.plan(planning, name, when, ct_2, contours_2, second, BEAMS, predecessor=plan_1)
    chart.dose(doses, "plan 2", chart.at(11, 17), ct_2, plan_2, second)

    phases = (
        _Phase(ct_1, plan_1, first, (7, 8, 9, 10)),
        _Phase(ct_2, plan_2, second, (14, 15, 16, 17)),
    )
    _treat(chart, phases)
    for phase in phases:
        text = "The plan is in another study than its structure set and CT."
        chart.side_finding("CHN-02", phase.plan.uid, phase.scan.stack.series.uid, text)


def _treat(chart: Chart, phases: tuple[_Phase, ...]) -> None:
    """Write the fractions of the adaptive course: a record each, and CBCTs on some days."""
    delivery = chart.study("treatment", chart.at(7), "Treatment")
    records = chart.series(delivery, "RTRECORD", "both", chart.at(7), "Records", LINAC)
    for phase in phases:
        plan, prescription = phase.plan, phase.prescription
        for fraction, day in enumerate(phase.days, start=1):
            if day in CBCT_DAYS:
                _cone_beam_ct(chart, delivery, day, phase.scan)
            when = chart.at(day, 8, 30)
            chart.record(records, plan.uid, when, plan, fraction, prescription, BEAMS)


def _cone_beam_ct(chart: Chart, study: Study, day: int, planned: Scan) -> None:
    """Write a CBCT of one day in a frame of its own, and its registration."""
    organs = moved(planned.organs, (0.5 * day, -2.0, 0.3 * day))
    name, when = f"CBCT day {day}", chart.at(day, 8, 10)
    grid = centred_grid((56, 56, 28), organs[0].centre)
    cbct = chart.ct(study, name, when, grid, organs, text=name, device=LINAC)
    _register(chart, study, f"{name} to CT", day, planned, cbct)


def _register(chart: Chart, study: Study, name: str, day: int, fixed: Scan, moving: Scan) -> None:
    """Write the registration of two scans whose bodies differ by a shift."""
    (a, b, c), (x, y, z) = fixed.organs[0].centre, moving.organs[0].centre
    matrix = rigid((a - x, b - y, c - z))
    device = moving.stack.series.device
    chart.registration(study, name, chart.at(day, 9), fixed.stack, moving.stack, matrix, device)
