"""Cases of REG: registrations and their transforms."""

from rtgraph.demo.objects import decimals, item
from tests.data.checks.course import Course, scan, stack_of
from tests.data.checks.more import deformable, mr_with_registration, register
from tests.data.checks.steps import Case, Step, edit, found, part

ITEMS = ("reg", "RegistrationSequence")
MOVING = (*ITEMS, 1, "MatrixRegistrationSequence", 0, "MatrixSequence")
ROTATED = (0.866, -0.5, 0, 4, 0.5, 0.866, 0, -6, 0, 0, 1, 9, 0, 0, 0, 1)
STRETCHED = (1.1, 0, 0, 4, 0, 1.1, 0, -6, 0, 0, 1.1, 9, 0, 0, 0, 1)
SHEARED = (1, 0.2, 0, 4, 0, 1, 0, -6, 0, 0, 1, 9, 0, 0, 0, 1)
PERSPECTIVE = (1, 0, 0, 4, 0, 1, 0, -6, 0, 0, 1, 9, 0, 0, 0.1, 1)


def matrix(values: tuple[float, ...], kind: str = "RIGID") -> Step:
    """Return a step that states the matrix of the MR."""
    return edit(*MOVING, 0, FrameOfReferenceTransformationMatrix=decimals(values),
                FrameOfReferenceTransformationMatrixType=kind)


def own_frame(course: Course) -> None:
    """Let the registration set up a frame of its own, to which both items lead."""
    part(course, "reg").FrameOfReferenceUID = course.uid("reg_frame")


def one_item(course: Course) -> None:
    """Leave the item of the fixed side out."""
    part(course, "reg").RegistrationSequence.pop(0)


def only_fixed(course: Course) -> None:
    """Leave the item of the moving side out."""
    part(course, "reg").RegistrationSequence.pop(1)


def no_items(course: Course) -> None:
    """Leave all items out."""
    part(course, "reg").RegistrationSequence = []


def two_fixed(course: Course) -> None:
    """State the item of the fixed side twice."""
    sequence = part(course, "reg").RegistrationSequence
    sequence.append(sequence[0])


def deformed(course: Course) -> None:
    """Add a deformable registration of the MR."""
    mr = scan(course, "mr", modality="MR", n=2, frame="mr_frame", study="mr")
    deformable(course, "reg", mr)


def several_frames(course: Course) -> None:
    """Give one of the MR slices another frame."""
    course.objects["mr2"].FrameOfReferenceUID = course.uid("mr_frame2")


def second(shift: tuple[float, float, float], day: int = 1, turn: bool = False) -> Step:
    """Return a step that adds a second registration of the MR to the CT."""
    def step(course: Course) -> None:
        mr = stack_of(course, "mr", modality="MR", n=2, frame="mr_frame", study="mr")
        ds = register(course, "reg2", mr, shift, day)
        if turn:
            values = (*ROTATED[:3], shift[0], *ROTATED[4:7], shift[1], *ROTATED[8:11], shift[2],
                      *ROTATED[12:])
            ds.RegistrationSequence[1].MatrixRegistrationSequence[0].MatrixSequence[
                0].FrameOfReferenceTransformationMatrix = decimals(values)
    return step


def to_another_patient(course: Course) -> None:
    """Add a patient with an MR, and register that to the CT of this one."""
    b = course.other("b")
    mr = scan(b, "mr", modality="MR", n=2, frame="mr_frame", study="mr")
    register(course, "reg", mr)


def atlas(course: Course) -> None:
    """Register an MR without frame of the patient to an atlas with a well-known frame."""
    mr_with_registration(course)
    part(course, *ITEMS, 1).FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"
    del part(course, *ITEMS, 1).ReferencedImageSequence


def two_matrices(course: Course) -> None:
    """State a second matrix, the identity."""
    one = part(course, *MOVING, 0)
    part(course, *MOVING[:-1]).MatrixSequence.append(item(
        FrameOfReferenceTransformationMatrixType="RIGID",
        FrameOfReferenceTransformationMatrix=decimals(
            (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)))) if one else None


MR = mr_with_registration

CASES = (
    Case("REG-01", "two items", [MR]),
    Case("REG-01", "two fixed items", [MR, two_fixed], [
        found("{reg}", None, "warning", items=3, fixed=2)]),
    Case("REG-01", "no item", [MR, no_items], [found("{reg}", None, "warning", items=0)]),
    Case("REG-01", "the fixed item only", [MR, only_fixed], [
        found("{reg}", None, "warning", items=1, fixed=1)]),
    Case("REG-01", "a frame of its own", [MR, own_frame], [
        found("{reg}", None, "info", items=2, fixed=0)]),
    Case("REG-01", "one item of a treatment system", [MR, one_item], [
        found("{reg}", None, "info", items=1, fixed=0)]),
    Case("REG-01", "deformable", [deformed]),
    Case("REG-02", "sheared", [MR, matrix(SHEARED)], [
        found("{reg}#R2", None, "error", type="RIGID")]),
    Case("REG-02", "another last row", [MR, matrix(PERSPECTIVE)], [
        found("{reg}#R2", None, "error")]),
    Case("REG-02", "twelve numbers", [MR, matrix(ROTATED[:12])], [
        found("{reg}#R2", None, "error", numbers=0)]),
    Case("REG-02", "rotated, three decimals", [MR, matrix(ROTATED)]),
    Case("REG-02", "a scale in a rigid matrix", [MR, matrix(STRETCHED)], [
        found("{reg}#R2", None, "warning", determinant=1.331)]),
    Case("REG-02", "a scale that is stated", [MR, matrix(STRETCHED, "RIGID_SCALE")]),
    Case("REG-03", "images of another frame", [
        MR, edit(*ITEMS, 1, FrameOfReferenceUID="{elsewhere}")], [
        found("{reg}#R2", item_frame="*")]),
    Case("REG-03", "a series of several frames", [MR, several_frames], [
        found("{mr_series}", None, "warning", "FOR-04")]),
    Case("REG-04", "two that differ", [MR, second((4, -6, 19))], [
        found("*", "*", distance_mm=10.0)]),
    Case("REG-04", "two that agree", [MR, second((4, -5, 10))]),
    Case("REG-04", "another rotation", [MR, second((40, -6, 9), turn=True)]),
    Case("REG-04", "another day", [MR, second((4, -6, 19), day=8)]),
    Case("REG-05", "images of another patient", [to_another_patient], [
        found("{reg}", "{frame}"),
        found("{reg_series}", "{b/mr_series}", "error", "REF-03", role="REGISTRATION_IMAGE")]),
    Case("REG-05", "an atlas", [atlas]),
    Case("REG-06", "two matrices", [MR, two_matrices], [found("{reg}#R2", matrices=2)]),
)
