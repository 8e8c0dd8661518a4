"""How many things each check looks at: in a sound course, and in one with objects of all kinds.

Worked out by hand. What a table does not name is 0: not checked.
"""

from tests.data.checks import frames, plans, references, registrations
from tests.data.checks.contours import FLAWLESS, ROI
from tests.data.checks.course import FIRST, Course, plan, sound_course
from tests.data.checks.doses import beam_dose, computed, covers, max_dose, registered
from tests.data.checks.hierarchy import copy_of_ct1
from tests.data.checks.more import (
    brachy_record,
    report,
    rt_image,
    second_generation,
    segmentation,
)
from tests.data.checks.steps import Step, edit, sets

# Three slices, a structure set of three ROIs, a plan of two beams and a setup beam, dose, record.
SOUND = {
    "HIE-01": 5, "HIE-02": 2, "HIE-04": 7, "HIE-05": 5, "HIE-06": 1, "HIE-07": 7, "HIE-08": 1,
    # references: 3 images of the set, set of the plan, plan and set of the dose, plan of the record
    "REF-01": 7, "REF-02": 7, "REF-03": 5, "REF-04": 7, "REF-06": 7, "REF-08": 5,
    "FOR-01": 1, "FOR-02": 3, "FOR-03": 1, "FOR-04": 1, "FOR-05": 1, "FOR-06": 1, "FOR-07": 1,
    "FOR-08": 1, "FOR-10": 1,
    "STR-01": 3, "STR-02": 1, "STR-03": 3, "STR-04": 3, "STR-05": 1, "STR-06": 1, "STR-07": 3,
    "STR-08": 1, "STR-09": 3, "STR-10": 1,
    "PLN-01": 1, "PLN-02": 1, "PLN-03": 1, "PLN-04": 1, "PLN-05": 1, "PLN-07": 1, "PLN-08": 2,
    "PLN-09": 1, "PLN-10": 1, "PLN-12": 1, "PLN-13": 1, "PLN-14": 1, "PLN-15": 1,
    "DOS-01": 1, "DOS-02": 1, "DOS-03": 1, "DOS-04": 1, "DOS-05": 1, "DOS-06": 1, "DOS-08": 1,
    "DOS-10": 1, "DOS-11": 1, "DOS-13": 1,
    "IMG-01": 1, "IMG-02": 1, "IMG-04": 1, "IMG-05": 1, "IMG-06": 1, "IMG-07": 1, "IMG-08": 1,
    "IMG-09": 1, "IMG-10": 1,
    "REC-01": 2, "REC-02": 2, "REC-03": 1, "REC-04": 1, "REC-05": 2, "REC-06": 1, "REC-07": 2,
    "REC-08": 2,
    "CHN-01": 4, "CHN-02": 1, "CHN-03": 4,
    # 7 objects, 5 series, 2 studies, 1 frame
    "VAL-01": 5, "VAL-02": 15, "VAL-03": 2, "VAL-04": 4,
    "DEI-01": 7, "DEI-03": 5, "DEI-04": 1, "DEI-05": 4,
}
# What the sound course has nothing of.
RICH = {
    "HIE-03": 1, "HIE-09": 1,
    "REF-05": 2,  # a structure set and a plan with a predecessor
    "REF-07": 1, "REF-09": 4,  # three registrations and a segmentation
    "FOR-09": 2,
    "STR-11": 1, "PLN-06": 1, "PLN-11": 2,  # a bolus and a shield
    "DOS-07": 1, "DOS-09": 1, "DOS-12": 1, "DOS-14": 1, "DOS-15": 1, "DOS-16": 1,
    "IMG-03": 2,
    "GEO-01": 1, "GEO-02": 1, "GEO-03": 1, "GEO-04": 1, "GEO-05": 1, "GEO-06": 1, "GEO-07": 1,
    "GEO-08": 1,
    "REG-01": 3, "REG-02": 6, "REG-03": 6, "REG-04": 1, "REG-05": 3, "REG-06": 6,
    "SEG-01": 1, "SEG-02": 1, "SR-01": 2, "RT2-01": 2, "RT2-02": 1, "CHN-04": 1,
}


def verification_plan(course: Course) -> None:
    """Add a plan that verifies the plan."""
    ds = plan(course, "qa", "structures")
    ds.PlanIntent, ds.ApprovalStatus = "VERIFICATION", "UNAPPROVED"
    ds.ReferencedRTPlanSequence = [course.ref("plan").item(RTPlanRelationship="VERIFIED_PLAN")]


ALL_KINDS: tuple[Step, ...] = (
    registered, registrations.second((4, -5, 10)), segmentation, report, rt_image,
    lambda course: rt_image(course, "drr", "DRR"), plans.brachy(), brachy_record,
    second_generation, beam_dose(1, 2), verification_plan, plans.bolus(3), copy_of_ct1(),
    references.chain, frames.registered_replan,
    edit(*references.LISTED, ReferencedFrameNumber=1),
    edit("structures", "StructureSetROISequence", 2, ROIVolume="10"),
    sets("Series", "{ct_series}", expected_n_instances=3),
    sets("ROI", ROI, **FLAWLESS, side_in_name="LEFT", side_in_space="LEFT"),
    sets("RTDose", "{dose}", beam_sum_max_diff_gy=0.0, beam_sum_p95_diff_gy=0.0),
    max_dose(52.0), covers(2, 1.0), computed(2.0, 1.5, 5.0),
)


def course_of(steps: tuple[Step, ...] = ()) -> Course:
    """Return a sound course with these steps."""
    course = Course(FIRST + 1)
    sound_course(course)
    for step in steps:
        step(course)
    return course
