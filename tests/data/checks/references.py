"""Cases of REF: where references lead."""

from pydicom.uid import EnhancedCTImageStorage, RTIonPlanStorage

from rtgraph.demo.chart import PLANNING
from rtgraph.demo.objects import item, new_object
from tests.data.checks.course import Course, at, plan, record, stack_of, structure_set
from tests.data.checks.more import mr_with_registration
from tests.data.checks.steps import Case, Step, after, drop, edit, edit_all, found, part

CT = ("ct1", "ct2", "ct3")
LISTED = ("structures", "ReferencedFrameOfReferenceSequence", 0, "RTReferencedStudySequence", 0,
          "RTReferencedSeriesSequence", 0, "ContourImageSequence", 0)
SESSION = ("record", "TreatmentSessionBeamSequence", 0)
PRIVATE = "1.2.826.0.1.3680043.8.498.1"


def predecessor_of_plan(course: Course) -> None:
    """Let the plan name a plan before it, which is not there."""
    before = item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.481.5",
                  ReferencedSOPInstanceUID=course.uid("before"), RTPlanRelationship="PREDECESSOR")
    part(course, "plan").ReferencedRTPlanSequence = [before]


def verification_image(sop_class: str, name: str) -> Step:
    """Return a step that lets the record name an object as verification image."""
    def step(course: Course) -> None:
        part(course, *SESSION).ReferencedVerificationImageSequence = [item(
            ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=course.uid(name))]
    return step


def private_object(course: Course) -> None:
    """Add an object of a private class, and let the record name it as verification image."""
    series = course.series("private_series", "OT", PLANNING)
    course.put("private", new_object(series, PRIVATE, course.uid("private"), number=1, when=at(7)))
    verification_image(PRIVATE, "private")(course)


def record_of_another(course: Course) -> None:
    """Add a patient with nothing but a record, of the plan of this one."""
    b = course.other("b")
    ds = record(b, "record", "plan", day=8, fraction=2)
    ds.ReferencedRTPlanSequence = [course.ref("plan").item()]


def same_person(course: Course) -> None:
    """Give the other patient the name of this one."""
    for ds in course.other("b").objects.values():
        ds.PatientName = course.patient.name


def phantom_plan(course: Course) -> None:
    """Add a phantom with a plan that verifies the plan of the patient."""
    b = course.other("b")
    ds = plan(b, "plan", "structures")
    del ds.ReferencedStructureSetSequence, ds.DoseReferenceSequence
    ds.PlanIntent, ds.RTPlanGeometry = "VERIFICATION", "TREATMENT_DEVICE"
    ds.ApprovalStatus = "UNAPPROVED"
    ds.ReferencedRTPlanSequence = [course.ref("plan").item(RTPlanRelationship="VERIFIED_PLAN")]


def own_predecessor(course: Course) -> None:
    """Let the structure set name itself as its predecessor."""
    part(course, "structures").PredecessorStructureSetSequence = [course.ref("structures").item()]


def own_volume(course: Course) -> None:
    """Let an ROI say that its conceptual volume was issued by the structure set itself."""
    volume = item(ConceptualVolumeUID=course.uid("volume"),
                  OriginatingSOPInstanceReferenceSequence=[course.ref("structures").item()])
    roi = part(course, "structures", "StructureSetROISequence", 0)
    roi.ConceptualVolumeIdentificationSequence = [volume]


def circle(course: Course) -> None:
    """Add a second structure set; each names the other as its predecessor."""
    second = structure_set(course, "structures2", stack_of(course, "ct"))
    second.PredecessorStructureSetSequence = [course.ref("structures").item()]
    part(course, "structures").PredecessorStructureSetSequence = [course.ref("structures2").item()]


def circle_of_three(course: Course) -> None:
    """Add two structure sets; each of the three names the next as its predecessor."""
    names = ("structures", "structures2", "structures3")
    for name in names[1:]:
        structure_set(course, name, stack_of(course, "ct"))
    for name, before in zip(names, names[1:] + names[:1], strict=True):
        part(course, name).PredecessorStructureSetSequence = [course.ref(before).item()]


def chain(course: Course) -> None:
    """Add a structure set that the other was made from."""
    structure_set(course, "structures0", stack_of(course, "ct"))
    part(course, "structures").PredecessorStructureSetSequence = [course.ref("structures0").item()]


def incomplete_index(course: Course) -> None:
    """Take an image out of the Common Instance Reference of the registration."""
    index = part(course, "reg", "ReferencedSeriesSequence", 0)
    del index.ReferencedInstanceSequence[0]


NO_PLAN = [
    found("{dose}", "{plan}", "error", role="DOSE_PLAN", n=1, retrievable=False),
    found("{record}", "{plan}", "warning", role="RECORD_PLAN"),
    found("{dose}", check="CHN-01", gaps=["no plan"]),
    found("{record}", check="CHN-01", gaps=["no plan"])]

CASES = (
    Case("REF-01", "the plan is missing", [drop("plan")], NO_PLAN),
    Case("REF-01", "the archive has the plan", [
        drop("plan"), after("MATCH (i:Missing {SOPInstanceUID: $uid}) SET i.in_archive = true",
                            uid="{plan}")], [
        found("{dose}", "{plan}", "error", role="DOSE_PLAN", retrievable=True), *NO_PLAN[1:]]),
    Case("REF-01", "all images are missing", [drop(*CT)], [
        found("{structures}", "{ct_series}", "error", role="STRUCTURE_SET_IMAGE", n=3),
        found("{structures}", check="CHN-01", gaps=["no image"])]),
    Case("REF-01", "predecessor left out", [predecessor_of_plan], [
        found("{plan}", "{before}", "info", role="PREDECESSOR_PLAN")]),
    Case("REF-01", "verification image left out", [
        verification_image("1.2.840.10008.5.1.4.1.1.481.1", "portal")], [
        found("{record}", "{portal}", "info", role="VERIFICATION_IMAGE")]),
    Case("REF-02", "another class is stated", [
        edit("dose", "ReferencedRTPlanSequence", 0, ReferencedSOPClassUID=RTIonPlanStorage)], [
        found("{dose}", "{plan}", "error", role="DOSE_PLAN", stated=RTIonPlanStorage)]),
    Case("REF-02", "converted to the enhanced class", [
        edit_all(CT, SOPClassUID=EnhancedCTImageStorage)],
        [found("{structures}", f"{{{name}}}", "info") for name in CT]),
    Case("REF-03", "record of the plan of another", [record_of_another], [
        found("{b/record_series}", "{plan_series}", "error", role="RECORD_PLAN")]),
    Case("REF-03", "one person with two IDs", [record_of_another, same_person], [
        found("{b/record_series}", "{plan_series}", "warning", role="RECORD_PLAN")]),
    Case("REF-03", "phantom plan verifies a plan", [phantom_plan], [
        found("{b/plan_series}", "{plan_series}", "info", role="VERIFIED_PLAN")]),
    Case("REF-04", "its own predecessor", [own_predecessor], [
        found("{structures}", "{structures}", role="PREDECESSOR_STRUCTURE_SET")]),
    Case("REF-04", "its own conceptual volume", [own_volume]),
    Case("REF-05", "a circle of two", [circle], [
        found("{structures}", "{structures2}"), found("{structures2}", "{structures}")]),
    Case("REF-05", "a circle of three", [circle_of_three], [
        found("{structures}", "{structures2}"), found("{structures2}", "{structures3}"),
        found("{structures3}", "{structures}")]),
    Case("REF-05", "a chain", [chain]),
    Case("REF-06", "a plan as verification image", [
        verification_image("1.2.840.10008.5.1.4.1.1.481.5", "plan")], [
        found("{record}", "{plan}", role="VERIFICATION_IMAGE", found=["RTPlan"])]),
    Case("REF-06", "an object of a private class", [private_object]),
    Case("REF-07", "a frame that is not there", [edit(*LISTED, ReferencedFrameNumber=2)], [
        found("{structures}", "{ct1}", role="STRUCTURE_SET_IMAGE", frames=[2], have=1)]),
    Case("REF-07", "the only frame", [edit(*LISTED, ReferencedFrameNumber=1)]),
    Case("REF-08", "the last slice is missing", [drop("ct3")], [
        found("{structures}", "{ct_series}", missing=1, present=2)]),
    Case("REF-08", "several slices, deleted on purpose", [drop("ct1", "ct3")], [
        found("{structures}", "{ct_series}", missing=2, present=1)]),
    Case("REF-09", "an index that leaves out an image", [mr_with_registration, incomplete_index], [
        found("{reg}", not_listed=1, listed=4)]),
    Case("REF-09", "a whole index", [mr_with_registration]),
)
