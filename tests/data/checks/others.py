"""Cases of SEG, SR, RT2 and CHN."""

from tests.data.checks.course import Course, dose, plan, scan
from tests.data.checks.frames import registered_replan
from tests.data.checks.more import report, second_generation, segmentation
from tests.data.checks.steps import Case, Step, after, drop, edit, edit_all, found, part, without

INFERRED = """\
MATCH (d:Instance {SOPInstanceUID: $dose}), (p:Instance {SOPInstanceUID: $plan})
CREATE (d)-[:INFERRED_LINK {method: 'DOSE_BY_FRAME', confidence: 0.5}]->(p)"""


def segments(*numbers: int, **stated: object) -> Step:
    """Return a step that adds a segmentation with these segment numbers."""
    def step(course: Course) -> None:
        ds = segmentation(course, numbers=numbers or (1, 2))
        for keyword, value in stated.items():
            setattr(ds, keyword, course.uid("other") if value == "{other}" else value)
    return step


def fused(course: Course) -> None:
    """Add a segmentation in the frame of the CT that cites a CT and an MR."""
    mr = scan(course, "mr", modality="MR", n=2, frame="mr_frame", study="mr")
    from tests.data.checks.course import stack_of
    segmentation(course, sources=[stack_of(course, "ct"), mr])


def cited(*evidence: str) -> Step:
    """Return a step that adds a report that cites two slices and lists these."""
    return lambda course: report(course, evidence=evidence)


def ungrouped(course: Course) -> None:
    """Take the second radiation out of the position group."""
    second_generation(course)
    part(course, "radiation_set", "TreatmentPositionGroupSequence", 0
         ).ReferencedRTRadiationSequence.pop()


def grouped_twice(course: Course) -> None:
    """Put the radiations into a second position group too."""
    second_generation(course)
    groups = part(course, "radiation_set").TreatmentPositionGroupSequence
    groups.append(groups[0])


def recorded_otherwise(course: Course) -> None:
    """Take the second radiation out of the set; its record is in the record set."""
    ungrouped(course)
    part(course, "radiation_set").RTRadiationSequence.pop()


def edited_plan(course: Course) -> None:
    """Add an edit of the plan, on the same structure set, with dose."""
    before = course.ref("plan").item(RTPlanRelationship="PREDECESSOR")
    plan(course, "plan2", "structures").ReferencedRTPlanSequence = [before]
    dose(course, "dose2", "plan2")


def edited_without_dose(course: Course) -> None:
    """Add an edit of the plan without dose."""
    edited_plan(course)
    course.objects.drop("dose2")


CASES = (
    Case("SEG-01", "segmentation in another frame", [segments(FrameOfReferenceUID="{other}")], [
        found("{seg}", "{ct_series}")]),
    Case("SEG-01", "segmentation of a fused display", [fused]),
    Case("SEG-02", "a number left out", [segments(1, 3)], [
        found("{seg}", segments=2, lowest=1, highest=3)]),
    Case("SEG-02", "a label map", [segments(1, 3, SegmentationType="LABELMAP",
                                            SOPClassUID="1.2.840.10008.5.1.4.1.1.66.7")]),
    Case("SR-01", "cited and not listed", [cited("ct1")], [found("{report}", "{ct2}")]),
    Case("SR-01", "listed", [cited("ct1", "ct2")]),
    Case("SR-01", "no evidence at all", [cited()]),
    Case("RT2-01", "a radiation in no group", [ungrouped], [
        found("{radiation_set}", "{radiation2}", groups=0)]),
    Case("RT2-01", "radiations in two groups", [grouped_twice], [
        found("{radiation_set}", f"{{radiation{n}}}", groups=2) for n in (1, 2)]),
    Case("RT2-01", "one group", [second_generation]),
    Case("RT2-02", "a radiation that the set does not have", [recorded_otherwise], [
        found("{rad_record2}", "{radiation2}")]),
    Case("CHN-01", "a dose of nothing", [
        drop("ct1", "ct2", "ct3", "structures", "plan", "record"),
        *(without("dose", k) for k in ("ReferencedRTPlanSequence", "DVHSequence",
                                       "ReferencedStructureSetSequence")),
        edit("dose", DoseSummationType="PLAN_OVERVIEW")], [
        found("{dose}", gaps=["no plan"], orphan=True)]),
    Case("CHN-01", "a phantom plan", [
        without("plan", "ReferencedStructureSetSequence"), without("plan", "DoseReferenceSequence"),
        edit("plan", PlanIntent="VERIFICATION", RTPlanGeometry="TREATMENT_DEVICE",
             ApprovalStatus="UNAPPROVED"), drop("dose", "record")]),
    Case("CHN-01", "geometry of the treatment device", [
        without("plan", "ReferencedStructureSetSequence"), without("plan", "DoseReferenceSequence"),
        edit("plan", RTPlanGeometry="TREATMENT_DEVICE")], [
        found("{plan}", None, "warning", "PLN-15")]),
    Case("CHN-01", "a diagnostic structure set", [drop("plan", "dose", "record")]),
    Case("CHN-02", "plan and image in two studies", [
        edit_all(("plan", "dose"), StudyInstanceUID="{planning2}")], [
        found("{plan}", "{ct_series}")]),
    Case("CHN-03", "a guessed link", [after(INFERRED, dose="{dose}", plan="{plan}")], [
        found("{dose}", "{plan}", method="DOSE_BY_FRAME", confidence=0.5)]),
    Case("CHN-04", "a replan without dose", [edited_without_dose], [
        found("{plan2}", "{plan}", gaps=["no dose"]),
        found("{plan2}", check="CHN-01", gaps=["no dose"]),
        found("{plan2}", None, "warning", "PLN-07")]),
    Case("CHN-04", "a plan edited on the same image", [edited_plan]),
    Case("CHN-04", "a replan with all that it needs", [registered_replan]),
)
