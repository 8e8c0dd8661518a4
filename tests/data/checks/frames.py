"""Cases of FOR: frames of reference."""

from pydicom.uid import PositronEmissionTomographyImageStorage, SecondaryCaptureImageStorage

from rtgraph.demo.chart import LINAC, SCANNER
from rtgraph.demo.objects import Device, ImageStack
from tests.data.checks.course import (
    Course,
    dose,
    frame_item,
    plan,
    scan,
    stack_of,
    structure_set,
)
from tests.data.checks.more import mr_with_registration, register, rt_image
from tests.data.checks.steps import Case, Step, after, edit, found, part, without

CT = ("ct1", "ct2", "ct3")
FRAMES = ("structures", "ReferencedFrameOfReferenceSequence")
OTHER_SCANNER = Device("RTGRAPH", "Synthetic CT", "CT-0002", "CT2")
PET = Device("RTGRAPH", "Synthetic PET", "PT-0001", "CT1")


def structures_in(frame: str) -> list[Step]:
    """Return steps that put the structure set into another frame as a whole."""
    return [edit("structures", FrameOfReferenceUID=frame), edit(*FRAMES, 0,
            FrameOfReferenceUID=frame), *(
            edit("structures", "StructureSetROISequence", k, ReferencedFrameOfReferenceUID=frame)
            for k in range(3))]


def secondary_image(course: Course) -> None:
    """List a registered MR in a frame item of its own."""
    mr_with_registration(course)
    mr = stack_of(course, "mr", modality="MR", n=2, frame="mr_frame", study="mr")
    part(course, "structures").ReferencedFrameOfReferenceSequence.append(frame_item(mr))


def cbct(course: Course) -> ImageStack:
    """Add a CBCT in a frame of its own; return its images."""
    return scan(course, "cbct", n=2, frame="cbct_frame", study="treatment", device=LINAC, day=7)


def registered_cbct(course: Course) -> None:
    """Add a CBCT and its registration to the CT."""
    register(course, "reg", cbct(course), day=7)


def phantom_dose(course: Course) -> None:
    """Add a phantom with a dose that names the plan of the patient."""
    b = course.other("b")
    ds = dose(b, "dose", "plan")
    ds.ReferencedRTPlanSequence = [course.ref("plan").item()]
    del ds.ReferencedStructureSetSequence, ds.DVHSequence


def structures_of_two_frames(course: Course) -> None:
    """Add a structure set on an MR to the series of the first one."""
    mr = scan(course, "mr", modality="MR", n=2, frame="mr_frame", study="mr")
    structure_set(course, "structures2", mr).SeriesInstanceUID = course.uid("structures_series")


def shared_frame(course: Course) -> None:
    """Add another patient with a CT in the frame of this one."""
    b = course.other("b")
    scan(b, "ct")
    for ds in b.objects.values():
        ds.FrameOfReferenceUID = course.uid("frame")


def of_the_same_name(course: Course) -> None:
    """Give the other patient the name of this one."""
    for ds in course.other("b").objects.values():
        ds.PatientName = course.patient.name


def de_identified(course: Course) -> None:
    """Mark both patients as de-identified, under one name."""
    for ds in (*(course.objects[k] for k in list(course.objects.waiting)),
               *course.other("b").objects.values()):
        ds.PatientName, ds.PatientIdentityRemoved = "ANONYMOUS", "YES"


def background(course: Course) -> None:
    """Add a structure set on captures without a frame, filed as CT."""
    scan(course, "ct", sop_class=SecondaryCaptureImageStorage)
    structure_set(course, "structures", stack_of(
        course, "ct", sop_class=SecondaryCaptureImageStorage))
    for k in CT:
        del course.objects[k].FrameOfReferenceUID


def no_module_frame(course: Course) -> None:
    """Let the structure set list two frames and have none of its own."""
    secondary_image(course)
    del course.objects["structures"].FrameOfReferenceUID


def replan(course: Course) -> None:
    """Add a plan on a second CT in a frame of its own, with structure set and dose."""
    ct = scan(course, "second", frame="second_frame", day=10)
    structure_set(course, "structures2", ct, day=10)
    before = course.ref("plan").item(RTPlanRelationship="PREDECESSOR")
    ds = plan(course, "plan2", "structures2", day=11, frame="second_frame")
    ds.ReferencedRTPlanSequence = [before]
    dose(course, "dose2", "plan2", day=11, frame="second_frame", structures="structures2")


def registered_replan(course: Course) -> None:
    """Add the same and the registration of the second CT to the first."""
    replan(course)
    register(course, "reg_again", stack_of(course, "second", frame="second_frame", day=10), day=10)


def imaging_plan(course: Course) -> None:
    """Let the CBCT name the plan it was taken for."""
    cbct(course)
    for name in ("cbct1", "cbct2"):
        course.objects[name].ReferencedRTPlanSequence = [course.ref("plan").item()]


def scanned_again(device: Device) -> Step:
    """Return a step that adds a scan in the frame of the CT."""
    return lambda course: scan(course, "again", device=device)


def pet(frame: str) -> Step:
    """Return a step that adds a PET in a frame."""
    def step(course: Course) -> None:
        scan(course, "pet", modality="PT", n=3, frame=frame, device=PET, study="pet",
             sop_class=PositronEmissionTomographyImageStorage)
    return step


def two_mr(course: Course) -> None:
    """Add two MR of one frame, without serial numbers, with station names of their own."""
    for name in ("mr", "mr_later"):
        scan(course, name, modality="MR", n=2, frame="mr_frame", study="mr")
        for k in (1, 2):
            ds = course.objects[f"{name}{k}"]
            del ds.DeviceSerialNumber
            ds.StationName = f"MR {name}"


def stations(course: Course) -> None:
    """Give each slice of the CT a frame and an acquisition of its own."""
    for k, name in enumerate(CT, start=1):
        ds = course.objects[name]
        ds.AcquisitionNumber = k
        if k > 1:
            ds.FrameOfReferenceUID = course.uid(f"station {k}")


SECONDARY = [
    found("{structures}", None, "info", "STR-08", n_drawn_on=1),
    found("{plan}", "{mr_series}", check="CHN-02")]

CASES = (
    Case("FOR-01", "structure set in another frame", structures_in("{copy}"), [
        found("{structures}", "{ct_series}"),
        found("{dose}", "{structures}", "error", "FOR-03"),
        found("{plan}", "{structures}", check="FOR-08")]),
    Case("FOR-01", "registered secondary image", [secondary_image], SECONDARY),
    Case("FOR-02", "an ROI in a frame that is not listed", [
        edit("structures", "StructureSetROISequence", 1, ReferencedFrameOfReferenceUID="{x}")], [
        found("{structures}#2", "{x}", "error", roi="PTV")]),
    Case("FOR-02", "no list of frames at all", [without(*FRAMES)],
         [found(f"{{structures}}#{n}", "{frame}", "info") for n in (1, 2, 3)]),
    Case("FOR-03", "dose in another frame", [edit("dose", FrameOfReferenceUID="{other}")], [
        found("{dose}", "{structures}", "error", registered=False)]),
    Case("FOR-03", "dose on a registered CBCT", [
        registered_cbct, edit("dose", FrameOfReferenceUID="{cbct_frame}")], [
        found("{dose}", "{structures}", "info", registered=True)]),
    Case("FOR-03", "dose of a phantom", [phantom_dose], [
        found("{b/dose}", "{structures}", "info"),
        found("{b/dose_series}", "{plan_series}", "error", "REF-03", role="DOSE_PLAN"),
        found("{plan}", check="DOS-08", n_doses=2)]),
    Case("FOR-04", "a slice in another frame", [edit("ct1", FrameOfReferenceUID="{other}")], [
        found("{ct_series}", None, "warning", n_frames=2)]),
    Case("FOR-04", "structure sets of two scans", [structures_of_two_frames]),
    Case("FOR-04", "several stations", [stations], [found("{ct_series}", None, "info")]),
    Case("FOR-05", "the frame of another patient", [shared_frame], [
        found("{frame}", None, "error", n_patients=2)]),
    Case("FOR-05", "one person with two IDs", [shared_frame, of_the_same_name], [
        found("{frame}", None, "warning")]),
    Case("FOR-05", "all patients anonymous", [shared_frame, de_identified], [
        found("{frame}", None, "error")]),
    Case("FOR-06", "no frame", [without(name, "FrameOfReferenceUID") for name in CT], [
        found("{ct_series}", roles=["STRUCTURE_SET_IMAGE"])]),
    Case("FOR-06", "captures as background", [background], sound=False),
    Case("FOR-07", "an edge was lost", [
        after("MATCH (:Series)-[r:SHARES_FOR {FrameOfReferenceUID: $frame}]->() "
              "WITH r LIMIT 1 DELETE r", frame="{frame}")], [
        found("{frame}", members=4, edges=5, mode="CLIQUE")]),
    Case("FOR-08", "plan in another frame", [edit("plan", FrameOfReferenceUID="{other}")], [
        found("{plan}", "{structures}")]),
    Case("FOR-08", "structure set of several frames", [no_module_frame], SECONDARY),
    Case("FOR-09", "replan without registration", [replan], [
        found("{plan2}", "{plan}", "warning", role="PREDECESSOR_PLAN"),
        found("{plan2}", "{plan}", check="CHN-04", gaps=["other frame, no registration"])]),
    Case("FOR-09", "replan with registration", [registered_replan]),
    Case("FOR-09", "CBCT without registration", [imaging_plan], [
        found("{cbct_series}", "{plan}", "info", role="IMAGING_PLAN")]),
    Case("FOR-09", "PET in a frame of its own", [pet("pet_frame")]),
    Case("FOR-09", "portal image without frame", [rt_image]),
    Case("FOR-10", "two scanners", [scanned_again(OTHER_SCANNER)], [
        found("{frame}", devices=["CT-0001", "CT-0002"])]),
    Case("FOR-10", "the same scanner", [scanned_again(SCANNER)]),
    Case("FOR-10", "hybrid PET/CT", [pet("frame")]),
    Case("FOR-10", "MR with rewritten station names", [two_mr]),
)
