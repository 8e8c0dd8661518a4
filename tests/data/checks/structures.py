"""Cases of STR: structure sets and their ROIs."""

from rtgraph.demo.objects import item
from tests.data.checks.course import Course, contours, frame_item, scan, stack_of
from tests.data.checks.more import brachy_plan
from tests.data.checks.steps import Case, Step, drop, edit, found, part, sets, without

SET, CONTOURS, OBSERVATIONS = (
    "StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence")
# What STR-10 looks for in every structure set of a treatment plan.
PROTOCOL = [{"names": ["ptv", "ptv1"], "type": "PTV", "severity": "ERROR"}]


def name(roi: int, text: str) -> Step:
    """Return a step that names an ROI, counted from 1."""
    return edit("structures", SET, roi - 1, ROIName=text)


def lose_last(keyword: str) -> Step:
    """Return a step that takes the last item out of a sequence of the structure set."""
    return lambda course: part(course, "structures")[keyword].value.pop()


def reverse(keyword: str) -> Step:
    """Return a step that turns a sequence of the structure set round."""
    return lambda course: part(course, "structures")[keyword].value.reverse()


def contours_of_nobody(course: Course) -> None:
    """Add contours under a number that no ROI has."""
    part(course, "structures").ROIContourSequence.append(
        item(ReferencedROINumber=9, ContourSequence=contours(stack_of(course, "ct"))))


def number_twice(course: Course) -> None:
    """Add an ROI with the number of the bladder."""
    part(course, "structures").StructureSetROISequence.append(
        item(ROINumber=3, ReferencedFrameOfReferenceUID=course.uid("frame"), ROIName="Rectum",
             ROIGenerationAlgorithm="MANUAL"))


def unlist_last(course: Course) -> None:
    """Take the last image out of the list."""
    part(course, "structures", "ReferencedFrameOfReferenceSequence", 0,
         "RTReferencedStudySequence", 0, "RTReferencedSeriesSequence", 0,
         ).ContourImageSequence.pop()


def no_contours_on_last(course: Course) -> None:
    """Take the contours on the last image out."""
    for one in part(course, "structures").ROIContourSequence:
        one.ContourSequence.pop()


def second_scan(label: str, first_label: str = "ct_series", on_both: bool = True) -> Step:
    """Return a step that lists a second scan of the frame, with contours of the bladder on it."""
    def step(course: Course) -> None:
        second = scan(course, "second")
        for name, text in (("ct", first_label), ("second", label)):
            for k in (1, 2, 3):
                course.objects[f"{name}{k}"].SeriesDescription = text
        ds = part(course, "structures")
        study = ds.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
        (more,) = frame_item(second).RTReferencedStudySequence[0].RTReferencedSeriesSequence
        study.RTReferencedSeriesSequence.append(more)
        if on_both:
            ds.ROIContourSequence[2].ContourSequence = contours(second)
    return step


def brachy_only(course: Course) -> None:
    """Put a brachytherapy plan in the place of the plan with beams."""
    drop("plan", "dose", "record")(course)
    brachy_plan(course)


def verification_only(course: Course) -> None:
    """Make the plan one for verification."""
    edit("plan", PlanIntent="VERIFICATION")(course)


NOT_EXTERNAL = edit("structures", OBSERVATIONS, 0, RTROIInterpretedType="ORGAN")
EMPTY_BLADDER = without("structures", CONTOURS, 2, "ContourSequence")
NO_DOSE = found("{brachy}", check="CHN-01", gaps=["no dose"])

CASES = (
    Case("STR-01", "an ROI without observation", [lose_last(OBSERVATIONS)], [
        found("{structures}#3", roi="Bladder", problem="no observation")]),
    Case("STR-01", "contours of an unknown number", [contours_of_nobody], [
        found("{structures}", problem="unknown ROI number", contours=[9], observations=[])]),
    Case("STR-01", "an observation of an unknown number", [
        edit("structures", OBSERVATIONS, 2, ReferencedROINumber=8)], [
        found("{structures}#3", problem="no observation"),
        found("{structures}", problem="unknown ROI number", observations=[8])]),
    Case("STR-01", "sequences in another order", [reverse(CONTOURS), reverse(OBSERVATIONS)]),
    Case("STR-02", "one number for two ROIs", [number_twice], [
        found("{structures}", numbers=[3]),
        found("{structures}#3.2", check="STR-01", problem="no observation"),
        found("{structures}#3.2", check="STR-04", roi="Rectum")]),
    Case("STR-03", "one name for two ROIs", [name(3, "PTV")], [
        found("{structures}", "ptv", numbers=[2, 3])]),
    Case("STR-03", "a copy without contours", [name(3, "PTV"), EMPTY_BLADDER], [
        found("{structures}#3", check="STR-04")]),
    Case("STR-04", "an empty ROI", [EMPTY_BLADDER], [found("{structures}#3", roi="Bladder")]),
    Case("STR-04", "left out of the contours", [lose_last(CONTOURS)], [
        found("{structures}#3", type="ORGAN")]),
    Case("STR-04", "a template", [
        without("structures", CONTOURS, k, "ContourSequence") for k in range(3)],
        [found(f"{{structures}}#{n}") for n in (1, 2, 3)]),
    Case("STR-05", "no body contour", [NOT_EXTERNAL], [
        found("{structures}", None, "warning", n_external=0)]),
    Case("STR-05", "a couch typed as body", [
        edit("structures", OBSERVATIONS, 2, RTROIInterpretedType="EXTERNAL")], [
        found("{structures}", None, "info", n_external=2)]),
    Case("STR-05", "brachytherapy", [NOT_EXTERNAL, brachy_only], [NO_DOSE]),
    Case("STR-06", "contours on an image that is not listed", [unlist_last], [
        found("{structures}", "{ct_series}", images=1, contours=3)]),
    Case("STR-06", "list cut to the slices with contours", [unlist_last, no_contours_on_last]),
    Case("STR-06", "no list of images", [
        without("structures", "ReferencedFrameOfReferenceSequence")],
        [found(f"{{structures}}#{n}", "{frame}", "info", "FOR-02") for n in (1, 2, 3)]),
    Case("STR-07", "a name of nobody's list", [name(3, "Blader")], [
        found("{structures}", n=1, names=["Blader"])]),
    Case("STR-07", "another spelling of a name", [name(3, "urinary bladder")], [
        found("{structures}", n=1, names=["urinary bladder"])]),
    Case("STR-07", "a ring, by its name", [name(3, "zRing")]),
    Case("STR-07", "a dose level, by its type", [
        name(3, "95 percent"), edit("structures", OBSERVATIONS, 2,
                                    RTROIInterpretedType="IRRAD_VOLUME")]),
    Case("STR-07", "a target with its dose", [name(3, "PTV_5000")]),
    Case("STR-08", "drawn on two scans", [second_scan("again")], [
        found("{structures}", None, "warning", n_drawn_on=2)]),
    Case("STR-08", "phases of a 4D scan", [second_scan("Phase 50%", "Phase 0%")], [
        found("{structures}", None, "info", n_drawn_on=2)]),
    Case("STR-08", "listed, not drawn on", [second_scan("again", on_both=False)], [
        found("{structures}", None, "info", n_drawn_on=1)]),
    Case("STR-09", "names that differ in a sign", [
        name(1, "Bladder/Wall"), name(3, "Bladder_Wall")], [
        found("{structures}", "bladder_wall", names=["bladder/wall", "bladder_wall"]),
        found("{structures}", check="STR-07", names=["Bladder/Wall"])]),
    Case("STR-10", "the target is missing", [name(2, "CTV")], [
        found("{structures}", "ptv", "error", type="PTV")]),
    Case("STR-10", "the target is empty", [without("structures", CONTOURS, 1, "ContourSequence")], [
        found("{structures}", "ptv", "error"), found("{structures}#2", check="STR-04")]),
    Case("STR-10", "another name of the target", [name(2, "PTV1")]),
    Case("STR-10", "verification plan", [name(2, "CTV"), verification_only], [
        found("{record}", "{plan}", "info", "REC-06", intent="VERIFICATION")]),
    Case("STR-11", "left on the right", [
        sets("ROI", "{structures}#3", side_in_name="LEFT", side_in_space="RIGHT")], [
        found("{structures}#3", name="LEFT", space="RIGHT")]),
    Case("STR-11", "left on the left", [
        sets("ROI", "{structures}#3", side_in_name="LEFT", side_in_space="LEFT")]),
    Case("STR-11", "near the midline", [sets("ROI", "{structures}#3", side_in_name="RIGHT")]),
)
