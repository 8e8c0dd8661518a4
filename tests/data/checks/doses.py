"""Cases of DOS: dose grids, what they are of, and their DVHs."""

from pydicom.uid import RTIonPlanStorage

from rtgraph.demo.objects import decimals, item
from tests.data.checks.course import Course, again, at, dose, plan, stack_of, structure_set
from tests.data.checks.steps import Case, Step, after, drop, edit, found, part, sets, without

PLANS = ("dose", "ReferencedRTPlanSequence")
COVERS = """\
MATCH (d:RTDose {SOPInstanceUID: $dose}), (r:ROI {key: $roi})
CREATE (d)-[:COVERS {fraction: $fraction}]->(r)"""


def summation(kind: str, *plans: str) -> Step:
    """Return a step that says what the dose sums over, and of which plans it is."""
    def step(course: Course) -> None:
        ds = part(course, "dose")
        ds.DoseSummationType = kind
        ds.ReferencedRTPlanSequence = [course.ref(name).item() for name in plans]
    return step


def unapproved_plan(course: Course) -> None:
    """Add a second plan, not approved, with a dose of its own."""
    plan(course, "plan2", "structures").ApprovalStatus = "UNAPPROVED"
    dose(course, "dose2", "plan2")


def beam_dose(*beams: int, grouped: bool = True) -> Step:
    """Return a step that adds a dose for each of these beams."""
    def step(course: Course) -> None:
        for number in beams:
            ds = dose(course, f"beam{number}", "plan", summation="BEAM")
            del ds.ReferencedStructureSetSequence, ds.DVHSequence
            if grouped:
                ds.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence = [item(
                    ReferencedFractionGroupNumber=1,
                    ReferencedBeamSequence=[item(ReferencedBeamNumber=number)])]
    return step


def of_record(course: Course) -> None:
    """Let the dose be that of the treatment record."""
    ds = part(course, "dose")
    ds.DoseSummationType = "RECORD"
    ds.ReferencedTreatmentRecordSequence = [course.ref("record").item()]


def dvh_of_other_set(derived: bool) -> Step:
    """Return a step that takes the DVHs from a second structure set, made from the first or not."""
    def step(course: Course) -> None:
        other = structure_set(course, "structures2", stack_of(course, "ct"))
        if derived:
            other.PredecessorStructureSetSequence = [course.ref("structures").item()]
        part(course, "dose").ReferencedStructureSetSequence = [course.ref("structures2").item()]
    return step


def no_dvh(course: Course) -> None:
    """Take the DVHs out."""
    del part(course, "dose").DVHSequence


def one_plane(course: Course) -> None:
    """Put a dose of one plane, without offsets, in the place of the dose."""
    ds = dose(course, "dose", "plan", planes=1)
    del ds.GridFrameOffsetVector, ds.FrameIncrementPointer


def registered(course: Course) -> None:
    """Let the dose name the registration that moved it."""
    from tests.data.checks.more import mr_with_registration

    mr_with_registration(course)
    ds = part(course, "dose")
    ds.SpatialTransformOfDose = "RIGID"
    ds.ReferencedSpatialRegistrationSequence = [course.ref("reg").item()]


def second_dose(**elements: object) -> Step:
    """Return a step that adds a second dose of the plan."""
    return lambda course: course.put("dose2", again(
        part(course, "dose"), SOPInstanceUID=course.uid("dose2"), InstanceNumber=2, **elements))


def offsets(*values: float) -> Step:
    """Return a step that states the offsets of the planes."""
    return edit("dose", GridFrameOffsetVector=decimals(values))


def ion_plan(course: Course) -> None:
    """Make the plan one of ions, with effective dose."""
    ds = part(course, "plan")
    ds.SOPClassUID = RTIonPlanStorage
    ds.IonBeamSequence = ds.BeamSequence
    del ds.BeamSequence
    for name, sequence in (("dose", "ReferencedRTPlanSequence"),
                           ("record", "ReferencedRTPlanSequence")):
        part(course, name, sequence, 0).ReferencedSOPClassUID = RTIonPlanStorage
    part(course, "dose").DoseType = "EFFECTIVE"


def max_dose(gy: float) -> Step:
    """Return a step that sets the maximum that the pixel pass finds."""
    return sets("RTDose", "{dose}", max_dose_gy=gy)


def computed(max_gy: float, mean_gy: float, volume_cc: float) -> Step:
    """Return a step that sets what the pixel pass finds for the first DVH (2 Gy, 1.5 Gy)."""
    return sets("DVH", "{dose}#V1", computed_max_gy=max_gy, computed_mean_gy=mean_gy,
                computed_volume_cc=volume_cc, stored_volume_cc=5.0)


def covers(roi: int, fraction: float) -> Step:
    """Return a step that sets how much of an ROI is inside the grid."""
    return after(COVERS, dose="{dose}", roi=f"{{structures}}#{roi}", fraction=fraction)


def plan_at(day: int, created: int, reviewed: int) -> Step:
    """Return a step that dates the plan: made, file made, approved."""
    return edit("plan", RTPlanDate=f"{at(day):%Y%m%d}", ReviewDate=f"{at(reviewed):%Y%m%d}",
                InstanceCreationDate=f"{at(created):%Y%m%d}")


GAP = found("{dose}", check="CHN-01", gaps=["no plan"])
NO_DOSE = [found("{plan}", check="CHN-01", gaps=["no dose"]), found("{plan}", check="PLN-07")]

CASES = (
    Case("DOS-01", "sum of one plan", [summation("MULTI_PLAN", "plan")], [
        found("{dose}", None, "error", type="MULTI_PLAN", plans=1)]),
    Case("DOS-01", "plan dose of two plans", [
        unapproved_plan, summation("PLAN", "plan", "plan2")], [
        found("{dose}", None, "error", plans=2), found("{plan2}", check="DOS-08")]),
    Case("DOS-01", "sum of two plans", [unapproved_plan, summation("MULTI_PLAN", "plan", "plan2")]),
    Case("DOS-01", "sum of registration software", [
        summation("MULTI_PLAN"), without("dose", "ReferencedStructureSetSequence"), no_dvh], [
        found("{dose}", None, "warning", plans=0), GAP, *NO_DOSE]),
    Case("DOS-01", "overview without plan", [
        summation("PLAN_OVERVIEW"), without("dose", "ReferencedStructureSetSequence"), no_dvh], [
        GAP, *NO_DOSE]),
    Case("DOS-01", "dose of a record", [of_record]),
    Case("DOS-01", "dose of no record", [summation("RECORD", "plan")], [
        found("{dose}", None, "error", records=0)]),
    Case("DOS-02", "a beam that the plan does not have", [beam_dose(1, 9)], [
        found("{beam9}", unresolved=["Beam:9"])]),
    Case("DOS-02", "beams of the plan", [beam_dose(1, 2)]),
    Case("DOS-02", "the plan is missing", [beam_dose(1, 2), drop("plan", "record", "dose")], [
        found(f"{{beam{n}}}", "{plan}", "error", "REF-01") for n in (1, 2)] + [
        found(f"{{beam{n}}}", check="CHN-01", gaps=["no plan"]) for n in (1, 2)]),
    Case("DOS-03", "relative dose without a point", [edit("dose", DoseUnits="RELATIVE")], [
        found("{dose}", units="RELATIVE")]),
    Case("DOS-03", "relative dose with a point", [
        edit("dose", DoseUnits="RELATIVE", NormalizationPoint=["0", "0", "0"])]),
    Case("DOS-04", "dose before the plan", [plan_at(5, created=6, reviewed=7)], [
        found("{dose}", "{plan}", "warning"),
        found("{record}", "{plan}", "warning", "REC-04")][:1]),
    Case("DOS-04", "plan date of the approval", [plan_at(5, created=6, reviewed=5)], [
        found("{dose}", "{plan}", "info")]),
    Case("DOS-04", "plan date of the export", [plan_at(5, created=5, reviewed=6)], [
        found("{dose}", "{plan}", "info")]),
    Case("DOS-04", "a missing time", [
        without("plan", "RTPlanTime"), edit("plan", RTPlanDate="20240208"),
        edit("dose", ContentTime="000000", InstanceCreationTime="000000")]),
    Case("DOS-05", "DVHs of another structure set", [dvh_of_other_set(derived=False)], [
        found("{dose}", "{structures2}", "warning", problem="other structure set")]),
    Case("DOS-05", "DVHs of an edited copy", [dvh_of_other_set(derived=True)], [
        found("{dose}", "{structures2}", "info")]),
    Case("DOS-05", "reference without DVH", [dvh_of_other_set(derived=False), no_dvh]),
    Case("DOS-05", "DVH of an unknown ROI", [
        edit("dose", "DVHSequence", 0, "DVHReferencedROISequence", 0, ReferencedROINumber=9)], [
        found("{dose}#V1", None, "warning", problem="unknown ROI", roi_numbers=[9])]),
    Case("DOS-06", "no scaling", [without("dose", "DoseGridScaling")], [
        found("{dose}", scaling=None)]),
    Case("DOS-06", "too few offsets", [offsets(0, 3)], [
        found("{dose}", frames=3, offsets=2),
        found("{dose}", check="DOS-10", form="INVALID")]),
    Case("DOS-06", "no frame", [without("dose", "FrameOfReferenceUID")], [
        found("{dose}", frame_uid=None)]),
    Case("DOS-06", "one plane without offsets", [one_plane]),
    Case("DOS-07", "moved without registration", [edit("dose", SpatialTransformOfDose="RIGID")], [
        found("{dose}", transform="RIGID")]),
    Case("DOS-07", "moved by a registration", [registered]),
    Case("DOS-08", "a second plan dose", [second_dose()], [
        found("{plan}", type="PHYSICAL", n_doses=2)]),
    Case("DOS-08", "a difference of doses", [second_dose(DoseType="ERROR")]),
    Case("DOS-09", "a beam without dose", [beam_dose(1)], [found("{plan}", uncovered=[2])]),
    Case("DOS-09", "a dose of every beam", [beam_dose(1, 2)]),
    Case("DOS-09", "beam not stated", [beam_dose(1), beam_dose(2, grouped=False)]),
    Case("DOS-10", "planes in disorder", [offsets(0, 6, 3)], [
        found("{dose}", monotonic=False), found("{dose}", check="DOS-11", uniform=False)]),
    Case("DOS-10", "planes from head to foot", [offsets(0, -3, -6)]),
    Case("DOS-10", "positions of the planes", [offsets(-3, 0, 3)], [
        found("{dose}", check="DOS-11", form="ABSOLUTE")]),
    Case("DOS-11", "planes of two distances", [offsets(0, 3, 8)], [
        found("{dose}", uniform=False, form="RELATIVE")]),
    Case("DOS-11", "pixels that are not square", [edit("dose", PixelSpacing=["4", "5"])], [
        found("{dose}", spacing=[4.0, 5.0])]),
    Case("DOS-11", "prone patient", [
        edit("dose", ImageOrientationPatient=["-1", "0", "0", "0", "-1", "0"])], [
        found("{dose}", orientation=[-1.0, 0.0, 0.0, 0.0, -1.0, 0.0])]),
    Case("DOS-12", "beams that do not add up", [
        max_dose(52.0), sets("RTDose", "{dose}", beam_sum_max_diff_gy=2.0,
                             beam_sum_p95_diff_gy=0.1)], [found("{dose}", max_diff_gy=2.0)]),
    Case("DOS-12", "beams that add up", [
        max_dose(52.0), sets("RTDose", "{dose}", beam_sum_max_diff_gy=1.0,
                             beam_sum_p95_diff_gy=0.1)]),
    Case("DOS-13", "a term of nobody's list", [edit("dose", DoseSummationType="TOTAL")], [
        found("{dose}", type="TOTAL")]),
    Case("DOS-14", "a prescribed target cut", [covers(2, 0.98)], [
        found("{dose}", "{structures}#2", "error", covered=0.98)]),
    Case("DOS-14", "a target of another phase cut", [
        covers(3, 0.5), edit("structures", "RTROIObservationsSequence", 2,
                             RTROIInterpretedType="CTV")], [
        found("{dose}", "{structures}#3", "warning")]),
    Case("DOS-14", "the body cut", [covers(1, 0.9), covers(2, 1.0)], [
        found("{dose}", "{structures}#1", "info")]),
    Case("DOS-14", "all inside", [covers(1, 1.0), covers(2, 1.0)]),
    Case("DOS-15", "dose of one fraction", [max_dose(2.1)], [
        found("{dose}", "{plan}", max_gy=2.1, prescription_gy=50.0)]),
    Case("DOS-15", "a plausible maximum", [max_dose(53.0)]),
    Case("DOS-15", "a stereotactic maximum", [max_dose(80.0)]),
    Case("DOS-15", "effective dose of an ion plan", [ion_plan, max_dose(53.0)]),
    Case("DOS-15", "a difference of doses", [edit("dose", DoseType="ERROR"), max_dose(1.0)]),
    Case("DOS-16", "another maximum", [computed(4.5, 1.5, 5.0)], [
        found("{dose}#V1", stored=[2.0, 1.5, 5.0], computed=[4.5, 1.5, 5.0])]),
    Case("DOS-16", "another volume", [computed(2.0, 1.5, 8.0)], [found("{dose}#V1")]),
    Case("DOS-16", "interpolated otherwise", [computed(2.3, 1.6, 5.4)]),
    Case("DOS-16", "a small structure", [computed(9.0, 9.0, 0.5)]),
)
