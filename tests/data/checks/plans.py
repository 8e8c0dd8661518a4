"""Cases of PLN: plans, their beams and prescriptions."""

from rtgraph.demo.objects import item
from tests.data.checks.course import Course, at, dose, plan, record
from tests.data.checks.frames import SECONDARY, secondary_image
from tests.data.checks.more import brachy_plan
from tests.data.checks.steps import Case, Step, drop, edit, found, part, without

GROUP = ("plan", "FractionGroupSequence", 0)
REFERENCE = ("plan", "DoseReferenceSequence", 0)
NO_TARGET = found("{plan}", None, "warning", "PLN-15")


def leave_setup_out(course: Course) -> None:
    """Take the setup beam out of the fraction group."""
    part(course, *GROUP).ReferencedBeamSequence.pop()


def name_beam_9(course: Course) -> None:
    """Let the fraction group name a beam more."""
    part(course, *GROUP).ReferencedBeamSequence.append(
        item(ReferencedBeamNumber=9, BeamMeterset="10"))


def verifies(name: str) -> Step:
    """Return a step that lets the plan verify another, which is there."""
    def step(course: Course) -> None:
        plan(course, name, "structures").PlanIntent = "VERIFICATION"
        del part(course, name).ApprovalStatus
        part(course, "plan").ReferencedRTPlanSequence = [
            course.ref(name).item(RTPlanRelationship="VERIFIED_PLAN")]
    return step


def second_plan(isocentre: str = "0", roi: int = 2, delivered: bool = False,
                refers: bool = False) -> Step:
    """Return a step that adds a second approved plan on the structure set, with dose."""
    def step(course: Course) -> None:
        ds = plan(course, "plan2", "structures")
        ds.DoseReferenceSequence[0].ReferencedROINumber = roi
        for beam in ds.BeamSequence:
            beam.ControlPointSequence[0].IsocenterPosition = [isocentre, "0", "0"]
        if refers:
            ds.ReferencedRTPlanSequence = [
                course.ref("plan").item(RTPlanRelationship="CONCURRENT")]
        dose(course, "dose2", "plan2")
        if delivered:
            record(course, "record2", "plan2")
    return step


def bolus(number: int) -> Step:
    """Return a step that gives the first beam a bolus ROI."""
    def step(course: Course) -> None:
        part(course, "plan", "BeamSequence", 0).ReferencedBolusSequence = [
            item(ReferencedROINumber=number)]
        part(course, "plan", "BeamSequence", 0).NumberOfBoli = 1
    return step


def brachy(roi: int = 3) -> Step:
    """Return a step that adds a brachytherapy plan with its dose."""
    def step(course: Course) -> None:
        ds = brachy_plan(course)
        ds.ApplicationSetupSequence[0].BrachyAccessoryDeviceSequence[0].ReferencedROINumber = roi
        dose(course, "brachy_dose", "brachy")
    return step


def mixed_group(course: Course) -> None:
    """Let the fraction group have beams and an application setup."""
    group = part(course, *GROUP)
    group.NumberOfBrachyApplicationSetups = 1
    group.ReferencedBrachyApplicationSetupSequence = [item(
        ReferencedBrachyApplicationSetupNumber=1)]
    setup = item(ApplicationSetupType="VAGINAL", ApplicationSetupNumber=1, ChannelSequence=[])
    part(course, "plan").ApplicationSetupSequence = [setup]


def feet_first_mr(course: Course) -> None:
    """List a secondary MR on which the patient lies feet first."""
    secondary_image(course)
    for name in ("mr1", "mr2"):
        course.objects[name].PatientPosition = "FFS"
        course.objects[name].ImageOrientationPatient = ["-1", "0", "0", "0", "1", "0"]


def dose_of_lost_plan(course: Course) -> None:
    """Let the dose name a plan that is not there, as after a plan was issued again."""
    edit("dose", "ReferencedRTPlanSequence", 0, ReferencedSOPInstanceUID="{first}")(course)


def rejected(day: int) -> Step:
    """Return a step that rejects the structure set on a day."""
    return edit("structures", ApprovalStatus="REJECTED", ReviewDate=f"{at(day):%Y%m%d}")


def set_at(day: int, hour: int, minute: int = 0, created: int = 1) -> Step:
    """Return a step that dates the structure set, and the day its file was made."""
    when = at(day, hour, minute)
    return edit("structures", StructureSetDate=f"{when:%Y%m%d}",
                StructureSetTime=f"{when:%H%M%S}", InstanceCreationDate=f"{at(created):%Y%m%d}")


def as_text(kind: str) -> Step:
    """Return a step that prescribes to a point, coordinates or a site."""
    def step(course: Course) -> None:
        reference = part(course, *REFERENCE)
        reference.DoseReferenceStructureType = kind
        reference.DoseReferenceDescription = "Pelvis"
        del reference.ReferencedROINumber
    return step


NO_DOSE = [found("{plan}", check="CHN-01", gaps=["no dose"])]

CASES = (
    Case("PLN-01", "no structure set", [without("plan", "ReferencedStructureSetSequence")], [
        found("{plan}", structure_sets=0), NO_TARGET,
        found("{plan}#D1", check="PLN-04", roi_number=2),
        found("{plan}", check="CHN-01", gaps=["no structure set"])]),
    Case("PLN-01", "geometry of the device", [
        without("plan", "ReferencedStructureSetSequence"), without("plan", "DoseReferenceSequence"),
        edit("plan", RTPlanGeometry="TREATMENT_DEVICE", PlanIntent="VERIFICATION")], [
        found("{record}", "{plan}", "info", "REC-06")]),
    Case("PLN-02", "a beam that is not in the plan", [name_beam_9, edit(*GROUP, NumberOfBeams=4)], [
        found("{plan}#F1", beams=3, stated_beams=4, unresolved_beams=[9])]),
    Case("PLN-02", "another number of beams", [edit(*GROUP, NumberOfBeams=2)], [
        found("{plan}#F1", beams=3, stated_beams=2, unresolved_beams=[])]),
    Case("PLN-02", "setup beam left out", [leave_setup_out, edit(*GROUP, NumberOfBeams=2)]),
    Case("PLN-02", "setup beam left out and counted", [leave_setup_out]),
    Case("PLN-03", "one number for two beams", [
        edit("plan", "BeamSequence", 1, BeamNumber=1), edit(*GROUP, "ReferencedBeamSequence", 1,
                                                            ReferencedBeamNumber=1)], [
        found("{plan}", numbers=["Beam:1"]),
        found("{plan}#F1", check="PLN-02"),
        found("{record}#T2", "{plan}", check="REC-01", beam=2),
        found("{record}#T1", "{plan}#B1", "info", "REC-07", planned=[80.0])]),
    Case("PLN-04", "an ROI that is not in the set", [edit(*REFERENCE, ReferencedROINumber=7)], [
        found("{plan}#D1", roi_number=7), NO_TARGET]),
    Case("PLN-04", "the structure set is missing", [drop("structures")], [
        found("{plan}", "{structures}", "error", "REF-01"),
        found("{dose}", "{structures}", "warning", "REF-01"),
        found("{plan}", check="CHN-01", gaps=["no structure set"])]),
    Case("PLN-05", "no fractions", [without(*GROUP, "NumberOfFractionsPlanned")], [
        found("{plan}", fractions=None, prescription=50.0)]),
    Case("PLN-05", "prescription kept elsewhere", [
        without("plan", "DoseReferenceSequence"),
        *(without(*GROUP, "ReferencedBeamSequence", k, "BeamDose") for k in range(3))], [
        found("{plan}", fractions=25, prescription=None), NO_TARGET]),
    Case("PLN-05", "QA plan without intent", [
        without("plan", "PlanIntent"), without(*GROUP, "NumberOfFractionsPlanned"),
        edit("plan", RTPlanGeometry="TREATMENT_DEVICE")]),
    Case("PLN-06", "a treatment plan that verifies", [verifies("plan2")], [
        found("{plan}", "{plan2}", "error", intent="CURATIVE")]),
    Case("PLN-06", "a verification plan that verifies", [
        verifies("plan2"), edit("plan", PlanIntent="VERIFICATION")], [
        found("{record}", "{plan}", "info", "REC-06")]),
    Case("PLN-06", "intent left out", [verifies("plan2"), without("plan", "PlanIntent")], [
        found("{plan}", "{plan2}", "info", intent=None)]),
    Case("PLN-07", "approved without dose", [drop("dose")], [
        found("{plan}", None, "warning", label="Pelvis"), *NO_DOSE]),
    Case("PLN-07", "not approved, without dose", [
        drop("dose"), edit("plan", ApprovalStatus="UNAPPROVED")], NO_DOSE),
    Case("PLN-07", "issued again under another UID", [dose_of_lost_plan], [
        found("{plan}", None, "info", doses_of_missing_plans=1), *NO_DOSE,
        found("{dose}", "{first}", "error", "REF-01"),
        found("{dose}", check="CHN-01", gaps=["no plan"])]),
    Case("PLN-08", "a treatment beam without meterset", [
        edit(*GROUP, "ReferencedBeamSequence", 0, BeamMeterset="0")], [
        found("{plan}#B1", "{plan}#F1", "warning", beam="AP", meterset=0.0)]),
    Case("PLN-08", "before optimisation", [
        edit(*GROUP, "ReferencedBeamSequence", 0, BeamMeterset="0"),
        edit("plan", ApprovalStatus="UNAPPROVED")], [
        found("{plan}#B1", "{plan}#F1", "info")]),
    Case("PLN-09", "contours were rejected", [rejected(1)], [
        found("{plan}", "{structures}", "warning", reviewed="2024-02-06")]),
    Case("PLN-09", "locked after treatment", [rejected(30)], [
        found("{plan}", "{structures}", "info")]),
    Case("PLN-10", "contours edited after the plan", [set_at(5, 12)], [
        found("{plan}", "{structures}", "warning")]),
    Case("PLN-10", "date written at export", [set_at(5, 12, created=5)], [
        found("{plan}", "{structures}", "info")]),
    Case("PLN-10", "clocks of two systems", [set_at(3, 12, 20)], [
        found("{plan}", "{structures}", "info")]),
    Case("PLN-10", "a missing time", [set_at(3, 14), without("plan", "RTPlanTime")]),
    Case("PLN-11", "a bolus that is not in the set", [bolus(9)], [
        found("{plan}#B1", roi_numbers=[9])]),
    Case("PLN-11", "a bolus that is", [bolus(3)]),
    Case("PLN-11", "a shield that is not in the set", [brachy(9)], [
        found("{brachy}#A1", roi_numbers=[9])]),
    Case("PLN-12", "beams and setups in one group", [mixed_group], [
        found("{plan}#F1", beams=3, setups=1)]),
    Case("PLN-13", "prone plan on a supine scan", [
        edit("plan", "PatientSetupSequence", 0, PatientPosition="HFP")], [
        found("{plan}", "{ct_series}", plan=["HFP"], image="HFS")]),
    Case("PLN-13", "secondary MR in another position", [feet_first_mr], SECONDARY),
    Case("PLN-13", "feet first after a head first scan", [
        edit("plan", "PatientSetupSequence", 0, PatientPosition="FFS")], [
        found("{plan}", "{ct_series}", plan=["FFS"])]),
    Case("PLN-14", "two approved plans", [second_plan()], [
        found("*", "*", records="*")]),
    Case("PLN-14", "a boost to another target", [second_plan(roi=3)]),
    Case("PLN-14", "another isocentre", [second_plan(isocentre="50")]),
    Case("PLN-14", "both were delivered", [second_plan(delivered=True)]),
    Case("PLN-14", "plans that name each other", [second_plan(refers=True)]),
    Case("PLN-15", "no dose reference", [without("plan", "DoseReferenceSequence")], [
        found("{plan}", None, "warning", texts=[])]),
    Case("PLN-15", "prescribed to a site", [as_text("SITE")], [
        found("{plan}", None, "info", texts=["Pelvis"])]),
    Case("PLN-15", "prescribed to coordinates", [as_text("COORDINATES")], [
        found("{plan}", None, "info")]),
)
