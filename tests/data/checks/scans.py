"""Cases of IMG: image series as volumes, and RT Images."""

from pydicom.uid import EnhancedCTImageStorage, PositronEmissionTomographyImageStorage

from rtgraph.demo.objects import item
from tests.data.checks.course import Course, again, scan
from tests.data.checks.more import rt_image
from tests.data.checks.steps import Case, Step, edit, edit_all, found, without

CT = ("ct1", "ct2", "ct3")


def positions(*z: float) -> list[Step]:
    """Return steps that place the slices along the patient."""
    return [edit(name, ImagePositionPatient=["-6", "-6", f"{v:g}"])
            for name, v in zip(CT, z, strict=True)]


def more_slices(*z: float, name: str = "ct", **elements: object) -> Step:
    """Return a step that adds slices to a scan, numbered on."""
    def step(course: Course) -> None:
        first = len([k for k in (*course.objects, *course.objects.waiting)
                     if k[:-1] == name])
        for k, v in enumerate(z, start=first + 1):
            course.put(f"{name}{k}", again(
                course.objects[f"{name}1"], SOPInstanceUID=course.uid(f"{name}{k}"),
                InstanceNumber=k, ImagePositionPatient=["-6", "-6", f"{v:g}"], **elements))
    return step


def localizer_series(course: Course) -> None:
    """Add a series of three localizers in three planes."""
    scan(course, "scout")
    planes = (["1", "0", "0", "0", "1", "0"], ["1", "0", "0", "0", "0", "-1"],
              ["0", "1", "0", "0", "0", "-1"])
    for k, axes in enumerate(planes, start=1):
        ds = course.objects[f"scout{k}"]
        ds.ImageType, ds.ImageOrientationPatient = ["ORIGINAL", "PRIMARY", "LOCALIZER"], axes


def mr(*z: float, **elements: object) -> Step:
    """Return a step that adds an MR with slices at these places."""
    def step(course: Course) -> None:
        scan(course, "mr", modality="MR", n=len(z), frame="mr_frame", study="mr")
        for k, v in enumerate(z, start=1):
            ds = course.objects[f"mr{k}"]
            ds.ImagePositionPatient = ["-6", "-6", f"{v:g}"]
            for keyword, value in elements.items():
                setattr(ds, keyword, value[k - 1])  # type: ignore[index]
    return step


def pet(course: Course) -> None:
    """Add a PET whose slope differs from slice to slice, with an acquisition for each bed."""
    scan(course, "pet", modality="PT", n=3, frame="pet_frame", study="pet",
         sop_class=PositronEmissionTomographyImageStorage)
    for k in (1, 2, 3):
        ds = course.objects[f"pet{k}"]
        ds.RescaleSlope, ds.AcquisitionNumber = f"{k}", k
        ds.ImagePositionPatient = ["-6", "-6", "0"] if k == 2 else ds.ImagePositionPatient


def enhanced(course: Course) -> None:
    """Add an enhanced CT, which states its rescale frame by frame."""
    scan(course, "enhanced", n=1, frame="enhanced_frame", sop_class=EnhancedCTImageStorage)
    ds = course.objects["enhanced1"]
    values = item(RescaleSlope="1", RescaleIntercept="-1024", RescaleType="HU")
    ds.SharedFunctionalGroupsSequence = [item(PixelValueTransformationSequence=[values])]
    del ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType


def portal(beam: int) -> Step:
    """Return a step that adds the portal image of a beam."""
    return lambda course: rt_image(course, beam=beam)


def drr(beam: int, group: int = 1) -> Step:
    """Return a step that adds the DRR of a beam."""
    return lambda course: rt_image(course, "drr", "DRR", beam).__setattr__(
        "ReferencedFractionGroupNumber", group)


TILTED = ["1", "0", "0", "0", "0.98480775", "-0.17364818"]

CASES = (
    Case("IMG-01", "irregular distances", positions(-3, 0, 3.5), [
        found("{ct_series}", min=3.0, max=3.5)]),
    Case("IMG-01", "two distances on purpose", [*positions(-3, 0, 3), more_slices(6, 10, 14)], [
        found("{ct_series}", min=3.0, max=4.0)]),
    Case("IMG-02", "two matrix sizes", [edit("ct1", Rows=2, Columns=8)], [
        found("{ct_series}", None, "warning", matrix_sizes=2)]),
    Case("IMG-02", "localizers of three planes", [localizer_series]),
    Case("IMG-02", "reformats in the series", [
        more_slices(0, ImageOrientationPatient=["1", "0", "0", "0", "0", "-1"]),
        edit_all((*CT, "ct4"), ImageType=["DERIVED", "SECONDARY", "REFORMATTED"])], [
        found("{ct_series}", None, "info", orientations=2)]),
    Case("IMG-03", "DRR of a beam that is not there", [drr(9)], [
        found("{drr}", "{plan}", "error", kind="DRR", beam=9)]),
    Case("IMG-03", "DRR of another fraction group", [drr(1, group=4)], [
        found("{drr}", "{plan}", "error", fraction_group=4)]),
    Case("IMG-03", "DRR of a beam", [drr(1)]),
    Case("IMG-03", "setup field added at the machine", [portal(9)], [
        found("{portal}", "{plan}", "warning", kind="PORTAL", beam=9)]),
    Case("IMG-04", "a slice that is there twice", [more_slices(0)], [
        found("{ct_series}", None, "error", duplicates=1)]),
    Case("IMG-04", "a slice that is missing", [more_slices(6, 12)], [
        found("{ct_series}", None, "error", gaps=1),
        found("{ct_series}", check="IMG-01")]),
    Case("IMG-04", "two echoes", [
        mr(0, 3, 0, 3, EchoTime=("10", "10", "80", "80"))]),
    Case("IMG-04", "MR in two groups", [mr(0, 3, 6, 30, 33, 36)], [
        found("{mr_series}", None, "warning", gaps=1)]),
    Case("IMG-05", "a localizer among the slices", [
        more_slices(6, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])], [
        found("{ct_series}", localizers=1, instances=4)]),
    Case("IMG-06", "a tilted stack", [
        edit_all(CT, ImageOrientationPatient=TILTED, GantryDetectorTilt="10")], [
        found("{ct_series}", tilt=10.0)]),
    Case("IMG-06", "tilt stated, images corrected", [edit_all(CT, GantryDetectorTilt="10")]),
    Case("IMG-07", "feet first on head first axes", [edit_all(CT, PatientPosition="FFS")], [
        found("{ct_series}", position="FFS"), found("{plan}", "{ct_series}", check="PLN-13")]),
    Case("IMG-07", "reformatted images", [
        edit_all(CT, PatientPosition="FFS", ImageType=["DERIVED", "SECONDARY", "REFORMATTED"])], [
        found("{plan}", "{ct_series}", check="PLN-13")]),
    Case("IMG-08", "no rescale", [without("ct1", "RescaleSlope")], [
        found("{ct_series}", None, "warning", without=1)]),
    Case("IMG-08", "two intercepts", [edit("ct1", RescaleIntercept="-1000")], [
        found("{ct_series}", None, "warning")]),
    Case("IMG-08", "slope of PET", [pet]),
    Case("IMG-08", "a localizer of other values", [
        more_slices(6, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], RescaleIntercept="0")], [
        found("{ct_series}", check="IMG-05")]),
    Case("IMG-08", "CBCT in other units", [
        without("ct1", "RescaleSlope"), edit_all(CT, SeriesDescription="CBCT")], [
        found("{ct_series}", None, "info")]),
    Case("IMG-08", "enhanced images", [enhanced]),
    Case("IMG-09", "two scans in one series", [
        more_slices(-3, 0, 3, AcquisitionNumber=2)], [
        found("{ct_series}", acquisitions=2, instances=6)]),
    Case("IMG-09", "step and shoot", [edit(name, AcquisitionNumber=k)
                                      for k, name in enumerate(CT, start=1)]),
    Case("IMG-09", "bed positions of PET", [pet]),
    Case("IMG-10", "a number left out", [edit("ct3", InstanceNumber=5)], [
        found("{ct_series}", gaps=2, instances=3)]),
)
