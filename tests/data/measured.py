"""Courses with contours and pixels that have something to measure, and what is to be found in them.

Nine CT slices of 96 mm, three squares: a body of 80 mm on every slice, a target and a bladder of
16 mm on the five slices in the middle. The dose is 50 Gy and 0.1 Gy more for each mm to the left,
on a grid that is larger than everything. Areas, volumes and doses are those of the formulas.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.uid import CTImageStorage, RTIonPlanStorage, RTPlanStorage, RTStructureSetStorage

from rtgraph.demo import doses, images
from rtgraph.demo.chart import PLANNING, SCANNER
from rtgraph.demo.objects import Grid, ImageStack, ObjectRef, decimals, item
from tests.data.checks.course import (
    BLADDER,
    BODY,
    FIRST,
    PTV,
    Course,
    at,
    plan,
    structure_set,
)
from tests.data.checks.steps import Case, Found, Step, edit, found, part
from tests.data.small import encoded
from tests.data.solids import raw_decimals

CT = Grid((-46.0, -46.0, -12.0), (4.0, 4.0, 3.0), (24, 24, 9))
DOSE = Grid((-44.0, -44.0, -18.0), (4.0, 4.0, 3.0), (23, 23, 13))
MIDDLE = (-6.0, -3.0, 0.0, 3.0, 6.0)  # slices of target and bladder
SQUARE_CC = 16 * 16 * 15 / 1000
Points = Sequence[tuple[float, float]]
Drawn = Sequence[tuple[float, Points]]
B = f"{{structures}}#{BLADDER}"
T = f"{{structures}}#{PTV}"


def square(half: float, x: float = 0.0, y: float = 0.0) -> Points:
    """Return the corners of a square."""
    return [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]


AT_BLADDER = square(8, y=20)
BLADDER_DRAWN: Drawn = [(z, AT_BLADDER) for z in MIDDLE]


def contour(z: float, points: Points, kind: str = "CLOSED_PLANAR", **elements: object) -> Dataset:
    """Return an item of ContourSequence."""
    return item(**{
        "ContourGeometricType": kind, "NumberOfContourPoints": len(points),
        "ContourData": decimals([v for x, y in points for v in (x, y, z)])} | elements)


def draw(number: int, drawn: Drawn, kind: str = "CLOSED_PLANAR") -> Step:
    """Return a step that draws an ROI anew."""
    def step(course: Course) -> None:
        part(course, "structures", "ROIContourSequence", number - 1).ContourSequence = [
            contour(z, points, kind) for z, points in drawn]
    return step


def more(*contours: Dataset) -> Step:
    """Return a step that adds contours to the bladder."""
    def step(course: Course) -> None:
        part(course, "structures", "ROIContourSequence", BLADDER - 1).ContourSequence.extend(
            contours)
    return step


def named(roi_name: str, kind: str = "ORGAN") -> Step:
    """Return a step that gives the bladder another name and type."""
    def step(course: Course) -> None:
        edit("structures", "StructureSetROISequence", BLADDER - 1, ROIName=roi_name)(course)
        edit("structures", "RTROIObservationsSequence", BLADDER - 1, RTROIInterpretedType=kind)(
            course)
    return step


def volume(cc: str) -> Step:
    """Return a step that states the volume of the bladder."""
    return edit("structures", "StructureSetROISequence", BLADDER - 1, ROIVolume=cc)


def no_dvh(course: Course) -> None:
    """Take the DVHs out."""
    del part(course, "dose").DVHSequence


def long_number(text: bytes) -> Step:
    """Return a step that writes the first number of a contour of the bladder as it is."""
    def step(course: Course) -> None:
        of = part(course, "structures", "ROIContourSequence", BLADDER - 1, "ContourSequence", 0)
        element = raw_decimals([v for x, y in AT_BLADDER for v in (x, y, -6.0)])
        value = b"\\".join([text, *(element.value or b"").split(b"\\")[1:]]).strip()
        value += b" " * (len(value) % 2)
        of[element.tag] = RawDataElement(element.tag, "DS", len(value), value, 0, False, True)
    return step


def gone(course: Course) -> None:
    """Take a slice out, and what the structure set says of it."""
    course.objects.drop("ct5")
    listed = part(course, "structures", "ReferencedFrameOfReferenceSequence", 0,
                  "RTReferencedStudySequence", 0, "RTReferencedSeriesSequence", 0)
    listed.ContourImageSequence = [i for i in listed.ContourImageSequence
                                   if i.ReferencedSOPInstanceUID != course.uid("ct5")]


# --- doses ---------------------------------------------------------------------------------------

def field(grid: Grid) -> NDArray[np.float64]:
    """Return the dose on a grid: 50 Gy and 0.1 Gy a mm along x."""
    return np.broadcast_to(50 + 0.1 * grid.axis(0), grid.shape[::-1]).copy()


def spread(half: float, planes: int) -> NDArray[np.float64]:
    """Return doses of points of 0.008 cc that fill a square on slices of 3 mm."""
    n = round(4 * half * half * 3 * planes / 8)
    return np.linspace(50 - 0.1 * half, 50 + 0.1 * half, n)


DVHS = {BODY: spread(40, 9), PTV: spread(8, 5), BLADDER: spread(8, 5)}


def put_dose(course: Course, name: str = "dose", grid: Grid = DOSE, *,
             values: NDArray[np.float64] | None = None, summation: str = "PLAN",
             dvhs: dict[int, NDArray[np.float64]] | None = None) -> Dataset:
    """Add a dose of the plan, or put it in the place of the one of that name."""
    course.objects.waiting.pop(name, None)
    series = course.series(f"{name}_series", "RTDOSE", PLANNING, "planning", 3)
    return course.put(name, doses.dose(
        series, course.uid(name), when=at(3, 14), number=1, frame_uid=course.uid("frame"),
        grid=grid, values_gy=field(grid) if values is None else values,
        plans=[ObjectRef(RTPlanStorage, course.uid("plan"))], summation=summation,
        structures=ObjectRef(RTStructureSetStorage, course.uid("structures")) if dvhs else None,
        dvhs=dvhs))


def times(factor: float, **elements: object) -> Step:
    """Return a step that puts the dose with a factor in its place, without DVHs."""
    def step(course: Course) -> None:
        ds = put_dose(course, values=factor * field(DOSE))
        for keyword, value in elements.items():
            setattr(ds, keyword, value)
    return step


def ions(course: Course) -> None:
    """Make the plan one of ions, with effective dose."""
    ds = part(course, "plan")
    ds.SOPClassUID = RTIonPlanStorage
    ds.IonBeamSequence = ds.BeamSequence
    del ds.BeamSequence
    part(course, "dose", "ReferencedRTPlanSequence", 0).ReferencedSOPClassUID = RTIonPlanStorage
    part(course, "dose").DoseType = "EFFECTIVE"


def cut(first: float, planes: int) -> Step:
    """Return a step that puts a dose of fewer planes in the place of the dose.

    A grid that ends between two layers of 1 mm gives the share of the formula.
    """
    grid = Grid((*DOSE.origin[:2], first), DOSE.spacing, (*DOSE.shape[:2], planes))
    return lambda course: put_dose(course, grid=grid)


def beams(*shares: float, grid: Grid = DOSE) -> Step:
    """Return a step that adds a dose of each beam, a share of the dose of the plan."""
    def step(course: Course) -> None:
        for number, share in enumerate(shares, start=1):
            ds = put_dose(course, f"beam{number}", grid, values=share * field(grid),
                          summation="BEAM")
            ds.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence = [item(
                ReferencedFractionGroupNumber=1,
                ReferencedBeamSequence=[item(ReferencedBeamNumber=number)])]
    return step


def curves(**changed: NDArray[np.float64]) -> Step:
    """Return a step that stores other doses in the DVH of the bladder."""
    return lambda course: put_dose(course, dvhs=DVHS | {BLADDER: changed["bladder"]})


# --- courses -------------------------------------------------------------------------------------

@cache
def _files() -> dict[str, bytes]:
    series = _TEMPLATE.series("ct_series", "CT", SCANNER)
    uids = tuple(_TEMPLATE.uid(f"ct{k}") for k in range(1, CT.shape[2] + 1))
    stack = ImageStack(series, _TEMPLATE.uid("frame"), CTImageStorage, uids, CT)
    for k, ds in enumerate(images.ct_series(stack, np.zeros(CT.shape[::-1], np.int16)), start=1):
        _TEMPLATE.put(f"ct{k}", ds)
    structure_set(_TEMPLATE, "structures", stack)
    draw(BODY, [(float(z), square(40)) for z in CT.axis(2)])(_TEMPLATE)
    draw(PTV, [(z, square(8)) for z in MIDDLE])(_TEMPLATE)
    draw(BLADDER, BLADDER_DRAWN)(_TEMPLATE)
    plan(_TEMPLATE, "plan", "structures")
    put_dose(_TEMPLATE, dvhs=DVHS)
    return {name: encoded(ds) for name, ds in _TEMPLATE.objects.items()}


_TEMPLATE = Course(FIRST + 200_000)


def course_of(number: int, steps: Sequence[Step] = ()) -> Course:
    """Return the course of a case, ready to be written."""
    course = Course(FIRST + 200_001 + number)
    ids = ((_TEMPLATE.root, course.root), (_TEMPLATE.patient_id, course.patient_id))
    for name, data in _files().items():
        for old, new in ids:
            data = data.replace(old.encode(), new.encode())
        course.objects.waiting[name] = data
    for step in steps:
        step(course)
    return course


def write(course: Course, folder: Path) -> Path:
    """Write a course; return the folder of its files."""
    course.write(folder)
    return folder / course.patient_id


def case(check: str, name: str, steps: Sequence[Step] = (), *of: Found) -> Case:
    """Return a case with all that the checks of these levels find in it."""
    return Case(check, name, steps, of)


BOW = [(-30.0, -30.0), (-20.0, -20.0), (-20.0, -30.0), (-30.0, -20.0)]
RING: Drawn = [(z, p) for z in MIDDLE for p in (square(8, y=20), square(4, y=20))]
RING_CC = SQUARE_CC * 3 / 4
KEYHOLE = [*square(8, y=20), (-8.0, 12.0), (-4.0, 16.0), (-4.0, 24.0), (4.0, 24.0), (4.0, 16.0),
           (-4.0, 16.0)]
HALF = Grid((-44.0, -44.0, -18.0), (8.0, 8.0, 3.0), (12, 12, 13))
CASES = (
    case("GEO-01", "on the planes"),
    case("GEO-01", "off the planes", [draw(BLADDER, [(z + 1.2, AT_BLADDER) for z in MIDDLE])],
         found(B, None, "warning", off_plane=5, between_planes=0, max_mm=1.2)),
    case("GEO-01", "rounded positions", [
        draw(BLADDER, [(z + 0.2, AT_BLADDER) for z in MIDDLE])]),
    case("GEO-01", "between the planes", [gone, no_dvh], *(
        found(f"{{structures}}#{n}", None, "error", off_plane=1, between_planes=1, max_mm=3.0)
        for n in (BODY, PTV, BLADDER))),
    case("GEO-02", "below the first slice", [more(contour(-21.0, AT_BLADDER))],
         found(B, None, "error", outside=1, contours=6),
         found(B, None, "error", "GEO-01", between_planes=1, max_mm=9.0)),
    case("GEO-02", "over the edge", [draw(BLADDER, [(z, square(8, x=44)) for z in MIDDLE]), no_dvh],
         found(B, None, "error", outside=5)),
    case("GEO-02", "a couch", [
        draw(BLADDER, [(z, square(8, y=44)) for z in MIDDLE]), named("Couch", "SUPPORT"), no_dvh],
        found(B, None, "info", type="SUPPORT", outside=5)),
    case("GEO-02", "a wider field of view", [
        draw(BODY, [(float(z), square(49)) for z in CT.axis(2)]), no_dvh],
        found(f"{{structures}}#{BODY}", None, "info", type="EXTERNAL", outside=9),
        found("{dose}", f"{{structures}}#{BODY}", "info", "DOS-14")),
    case("GEO-02", "up to the edge", [
        draw(BODY, [(float(z), square(48)) for z in CT.axis(2)]), no_dvh],
        found("{dose}", f"{{structures}}#{BODY}", "info", "DOS-14")),
    case("GEO-03", "two points", [more(contour(0.0, AT_BLADDER[:2]))],
         found(B, malformed=1, reasons=["FEW_POINTS"])),
    case("GEO-03", "no triplets", [more(contour(0.0, AT_BLADDER, ContourData=["1"] * 11))],
         found(B, malformed=1, reasons=["ODD_LENGTH"])),
    case("GEO-03", "another count", [more(contour(0.0, AT_BLADDER, NumberOfContourPoints=7))],
         found(B, malformed=1, reasons=["COUNT_DIFFERS"])),
    case("GEO-03", "bent", [more(contour(0.0, AT_BLADDER, ContourData=decimals(
        [-8, 12, 0, 8, 12, 2, 8, 28, 0, -8, 28, 2])))],
        found(B, malformed=1, reasons=["NOT_COPLANAR"])),
    case("GEO-03", "a line", [more(contour(0.0, [(-8, 20), (0, 20), (8, 20)]))],
         found(B, malformed=1, reasons=["ZERO_AREA"])),
    case("GEO-03", "a point and an open line", [
        more(contour(0.0, [(0, 20)], "POINT"), contour(0.0, AT_BLADDER[:2], "OPEN_PLANAR"))]),
    case("GEO-03", "around one pixel", [
        draw(BLADDER, [(z, square(2.5, y=18)) for z in MIDDLE]), no_dvh]),
    case("GEO-04", "a bow", [more(contour(0.0, BOW)), no_dvh], found(B, contours=1)),
    case("GEO-04", "a keyhole", [draw(BLADDER, [(z, KEYHOLE) for z in MIDDLE]), no_dvh]),
    case("GEO-05", "a ring", [draw(BLADDER, RING), no_dvh],
         found(B, None, "warning", planes=5, xor_cc=RING_CC, union_cc=SQUARE_CC)),
    case("GEO-05", "a small hole", [
        draw(BLADDER, [*BLADDER_DRAWN, (0.0, square(2, y=20))]), no_dvh],
        found(B, None, "info", planes=1)),
    case("GEO-05", "a ring that says so", [draw(BLADDER, RING, "CLOSEDPLANAR_XOR"), no_dvh]),
    case("GEO-06", "another volume", [volume("20")],
         found(B, stored_cc=20.0, xor_cc=SQUARE_CC, union_cc=SQUARE_CC)),
    case("GEO-06", "ends capped", [volume("4.7")]),
    case("GEO-06", "holes filled", [draw(BLADDER, RING, "CLOSEDPLANAR_XOR"), volume("3.84"),
                                    no_dvh]),
    case("GEO-06", "a small structure", [
        draw(BLADDER, [(z, square(1.5, y=20)) for z in MIDDLE]), volume("0.9"), no_dvh]),
    case("GEO-07", "a gap", [
        draw(BLADDER, [c for c in BLADDER_DRAWN if c[0] != 3.0]), no_dvh],
        found(B, None, "warning", gap_planes=1, planes=4)),
    case("GEO-07", "two parts of a target", [
        draw(BLADDER, [(z, AT_BLADDER) for z in (-12, -9, 0, 3)]), named("CTV2", "CTV"), no_dvh],
        found(B, None, "warning", gap_planes=2, planes=4)),
    case("GEO-07", "every second slice", [
        draw(BLADDER, [(z, AT_BLADDER) for z in (-6, 0, 6)]), no_dvh],
        found(B, None, "info", gap_planes=2, planes=3)),
    case("GEO-07", "one slice", [draw(BLADDER, [(0.0, AT_BLADDER)]), no_dvh],
         found(B, None, "info", gap_planes=0, planes=1)),
    case("GEO-07", "a dose point", [draw(BLADDER, [(0.0, [(0, 20)])], "POINT"), no_dvh]),
    case("GEO-08", "an offset", [more(contour(
        0.0, square(8, x=30), ContourOffsetVector=["0", "0", "2"])), no_dvh],
        found(B, contours=1)),
    case("GEO-08", "an offset of zeros", [edit(
        "structures", "ROIContourSequence", BLADDER - 1, "ContourSequence", 0,
        ContourOffsetVector=["0", "0", "0"])]),
    case("STR-11", "left on the right", [
        named("Femur_Head_L"), draw(BLADDER, [(z, square(8, x=-24)) for z in MIDDLE]), no_dvh],
        found(B, name="LEFT", space="RIGHT")),
    case("STR-11", "left on the left", [
        named("Femur_Head_L"), draw(BLADDER, [(z, square(8, x=24)) for z in MIDDLE]), no_dvh]),
    case("STR-11", "near the midline", [named("Ovary_R")]),
    case("VAL-04", "a long number", [long_number(b"-8.00000000000001")],
         found("{structures}", values=1, modality="RTSTRUCT")),
    case("VAL-04", "a number of 16 characters", [long_number(b"-8.0000000000001")]),
    case("DOS-12", "beams that do not add up", [beams(0.5, 0.4)], found(
        "{dose}", max_diff_gy=5.44)),
    case("DOS-12", "beams that add up", [beams(0.6, 0.4)]),
    case("DOS-12", "beams on another grid", [beams(0.6, 0.4, grid=HALF)]),
    case("DOS-12", "a beam without dose", [beams(0.6)]),
    case("DOS-14", "a prescribed target cut", [cut(-18.5, 8)],
         found("{dose}", T, "error", type="PTV", covered=10 / 15),
         found("{dose}", f"{{structures}}#{BODY}", "info", covered=16 / 27)),
    case("DOS-14", "a target of another phase cut", [cut(-9.5, 9), named("CTV2", "CTV"),
         draw(BLADDER, [(z, AT_BLADDER) for z in (-12, -9, -6)])],
         found("{dose}", B, "warning", covered=5 / 9),
         found("{dose}", f"{{structures}}#{BODY}", "info", covered=23 / 27)),
    case("DOS-14", "the body cut", [cut(-9.5, 7)],
         found("{dose}", f"{{structures}}#{BODY}", "info", covered=18 / 27)),
    case("DOS-15", "dose of one fraction", [times(0.04)],
         found("{dose}", "{plan}", max_gy=0.04 * 54.4, prescription_gy=50.0)),
    case("DOS-15", "a stereotactic maximum", [times(1.5)]),
    case("DOS-15", "effective dose of an ion plan", [ions]),
    case("DOS-15", "a difference of doses", [times(0.04, DoseType="ERROR")]),
    case("DOS-16", "another maximum", [curves(bladder=DVHS[BLADDER] + 3)],
         found("{dose}#V3", stored=[53.8, 53.0, SQUARE_CC])),
    case("DOS-16", "another volume", [curves(bladder=spread(8, 10))],
         found("{dose}#V3", stored=[50.8, 50.0, 2 * SQUARE_CC])),
    case("DOS-16", "interpolated otherwise", [curves(bladder=DVHS[BLADDER] + 0.4)]),
    case("DOS-16", "a small structure", [
        draw(BLADDER, [(z, square(3, y=20)) for z in MIDDLE]),
        curves(bladder=np.full(60, 30.0))]),
)
