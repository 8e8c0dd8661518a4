"""Cases of REC: treatment records."""

from rtgraph.demo.objects import item
from tests.data.checks.course import Course, at, record
from tests.data.checks.doses import plan_at
from tests.data.checks.more import brachy_plan, brachy_record
from tests.data.checks.steps import Case, Step, edit, edit_all, found, part, without

FIRST = ("record", "TreatmentSessionBeamSequence", 0)
ALL = ("ct1", "ct2", "ct3", "structures", "plan", "dose", "record")


def fraction(number: int) -> list[Step]:
    """Return steps that number the fraction."""
    return [edit("record", "TreatmentSessionBeamSequence", k, CurrentFractionNumber=number)
            for k in (0, 1)]


def added_setup_field(course: Course) -> None:
    """Record a setup field of fraction 0 that is not in the plan."""
    part(course, "record").TreatmentSessionBeamSequence.append(item(
        ReferencedBeamNumber=91, BeamName="kV", CurrentFractionNumber=0,
        TreatmentDeliveryType="SETUP", TreatmentTerminationStatus="NORMAL"))


def setup_in_fraction_0(course: Course) -> None:
    """Record the setup beam of the plan as of fraction 0."""
    part(course, "record").TreatmentSessionBeamSequence.append(item(
        ReferencedBeamNumber=3, BeamName="Setup", CurrentFractionNumber=0,
        TreatmentDeliveryType="SETUP", TreatmentTerminationStatus="NORMAL"))


def brachy(setup: int) -> Step:
    """Return a step that adds a brachytherapy plan and the record of a setup."""
    def step(course: Course) -> None:
        brachy_plan(course)
        brachy_record(course, setup)
    return step


def again(**of_first: object) -> Step:
    """Return a step that records the fraction a second time; the first record's beams as given."""
    def step(course: Course) -> None:
        record(course, "record2", "plan")
        for k in (0, 1):
            for keyword, value in of_first.items():
                setattr(part(course, "record", "TreatmentSessionBeamSequence", k), keyword, value)
    return step


NO_DOSE = found("{brachy}", check="CHN-01", gaps=["no dose"])
SESSION = [edit(*FIRST, DeliveredPrimaryMeterset="90"),
           edit("record", "TreatmentSessionBeamSequence", 1, DeliveredPrimaryMeterset="81")]

CASES = (
    Case("REC-01", "a beam that is not in the plan", [edit(*FIRST, ReferencedBeamNumber=8)], [
        found("{record}#T1", "{plan}", beam=8)]),
    Case("REC-01", "a setup field added at the machine", [added_setup_field]),
    Case("REC-01", "a setup of the plan", [brachy(1)], [NO_DOSE]),
    Case("REC-01", "a setup that is not in the plan", [brachy(5)], [
        found("{brachy_record}#T1", "{brachy}", setup=5), NO_DOSE]),
    Case("REC-02", "more fractions than planned", fraction(26), [
        found(f"{{record}}#T{k}", fraction=26, planned=25) for k in (1, 2)]),
    Case("REC-02", "treatment in fraction 0", fraction(0), [
        found(f"{{record}}#T{k}", fraction=0) for k in (1, 2)]),
    Case("REC-02", "setup in fraction 0", [setup_in_fraction_0]),
    Case("REC-02", "the last fraction", fraction(25)),
    Case("REC-03", "no plan", [without("record", "ReferencedRTPlanSequence")], [
        found("{record}", date="2024-02-12"),
        found("{record}", check="CHN-01", gaps=["no plan"], orphan=True)]),
    Case("REC-04", "before the plan", [plan_at(9, created=10, reviewed=10)], [
        found("{record}", "{plan}", "warning"),
        found("{dose}", "{plan}", "warning", "DOS-04")]),
    Case("REC-04", "plan date of the export", [plan_at(9, created=9, reviewed=10)], [
        found("{record}", "{plan}", "info"), found("{dose}", "{plan}", "info", "DOS-04")]),
    Case("REC-04", "dates shifted object by object", [
        plan_at(9, created=10, reviewed=10), edit_all(ALL, PatientIdentityRemoved="YES")], [
        found("{record}", "{plan}", "info"),
        found("{dose}", "{plan}", "warning", "DOS-04")]),
    Case("REC-04", "a missing time", [
        without("record", "TreatmentTime"), edit("record", TreatmentDate=f"{at(3):%Y%m%d}")]),
    Case("REC-05", "another machine", [
        edit("record", "TreatmentMachineSequence", 0, TreatmentMachineName="LINAC2")], [
        found(f"{{record}}#T{k}", f"{{plan}}#B{k}", delivered="LINAC2", planned="LINAC1")
        for k in (1, 2)]),
    Case("REC-05", "the name in another case", [
        edit("record", "TreatmentMachineSequence", 0, TreatmentMachineName="Linac1 ")]),
    Case("REC-06", "a rejected plan", [
        edit("plan", ApprovalStatus="REJECTED", ReviewDate=f"{at(5):%Y%m%d}")], [
        found("{record}", "{plan}", "error", status="REJECTED")]),
    Case("REC-06", "rejected after the last fraction", [
        edit("plan", ApprovalStatus="REJECTED", ReviewDate=f"{at(40):%Y%m%d}")], [
        found("{record}", "{plan}", "info")]),
    Case("REC-06", "a QA plan on a phantom", [edit("plan", PlanIntent="MACHINE_QA")], [
        found("{record}", "{plan}", "info", intent="MACHINE_QA")]),
    Case("REC-07", "too few monitor units", SESSION, [
        found("{record}#T1", "{plan}#B1", "warning", delivered=90.0, planned=[100.0])]),
    Case("REC-07", "plan edited between fractions", [
        edit(*FIRST, DeliveredPrimaryMeterset="90", SpecifiedPrimaryMeterset="90")], [
        found("{record}#T1", "{plan}#B1", "info")]),
    Case("REC-07", "interrupted", [
        edit(*FIRST, DeliveredPrimaryMeterset="40", TreatmentTerminationStatus="MACHINE")]),
    Case("REC-08", "recorded twice", [again()], [
        found(f"{{plan}}#B{k}", "1", n_deliveries=2) for k in (1, 2)]),
    Case("REC-08", "continued", [again(TreatmentDeliveryType="CONTINUATION")]),
    Case("REC-08", "interrupted and taken up again", [again(TreatmentTerminationStatus="MACHINE")]),
)
