"""Cases of HIE: which patient, study and series an object is in."""

from pydicom.uid import SecondaryCaptureImageStorage

from tests.data.checks.course import Course, again
from tests.data.checks.more import file_meta_of_another
from tests.data.checks.steps import Case, Step, after, edit, edit_all, found, part, sets
from tests.data.small import encoded, without_meta

CT = ("ct1", "ct2", "ct3")
ALL = (*CT, "structures", "plan", "dose", "record")


def copy_of_ct1(**elements: object) -> Step:
    """Return a step that adds a second file of the first slice, of a larger name."""
    return lambda course: course.put("zz", again(course.objects["ct1"], **{
        k: course.uid(v[1:-1]) if isinstance(v, str) and v[:1] == "{" else v
        for k, v in elements.items()}))


def under_another_id(course: Course) -> None:
    """File the dose under another PatientID."""
    part(course, "dose").PatientID = f"{course.patient_id}X"


def secondary_capture(course: Course) -> None:
    """Add a secondary capture to the series of the CT."""
    ds = again(course.objects["ct1"], SOPClassUID=SecondaryCaptureImageStorage, Modality="OT",
               SOPInstanceUID=course.uid("capture"), ImageType=["DERIVED", "SECONDARY"],
               InstanceNumber=4)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope",
                    "RescaleIntercept", "RescaleType"):
        delattr(ds, keyword)
    course.put("capture", ds)


def named(*names: str) -> list[Step]:
    """Return steps that name the patient: all objects, the dose otherwise."""
    *_, last = names
    return [edit_all(ALL, PatientName=names[0]), edit("dose", PatientName=last)]


def no_meta(course: Course) -> None:
    """Write the dose without a file meta header."""
    course.raw["dose"] = without_meta(encoded(part(course, "dose")))


ABSENT_SERIES = """\
MATCH (t:Study {StudyInstanceUID: $study})
CREATE (s:Series:Missing {SeriesInstanceUID: $series, in_archive: true, expected_n_instances: 4})
CREATE (t)-[:HAS_SERIES {stated: true}]->(s)"""

CASES = (
    Case("HIE-01", "a slice in another study", [edit("ct1", StudyInstanceUID="{planning2}")], [
        found("{ct_series}"),
        found("{plan}", "{ct_series}", check="CHN-02")]),
    Case("HIE-02", "two PatientIDs in a study", [under_another_id], [
        found("{planning}", severity="error")]),
    Case("HIE-02", "no PatientID in one object", [edit("dose", PatientID="")], [
        found("{planning}", severity="warning"),
        found("{dose_series}", "PatientID", "warning", "VAL-01", reason="EMPTY")]),
    Case("HIE-02", "issuer in one export only", [edit("dose", IssuerOfPatientID="HOSPITAL")], [
        found("{planning}", severity="warning")]),
    Case("HIE-02", "two issuers", [
        edit_all(("ct1", "ct2", "ct3", "structures", "plan", "record"), IssuerOfPatientID="NORTH"),
        edit("dose", IssuerOfPatientID="SOUTH")], [
        found("{planning}", severity="error")]),
    Case("HIE-03", "another content", [copy_of_ct1(KVP=100)], [found("{ct1}")]),
    Case("HIE-03", "the same sent twice", [copy_of_ct1()]),
    Case("HIE-03", "institution rewritten", [copy_of_ct1(InstitutionName="Archive")], [
        found("{ct1}")]),
    Case("HIE-04", "an object in two series", [copy_of_ct1(SeriesInstanceUID="{other}")], [
        found("{ct1}"), found("{ct1}", check="HIE-03")]),
    Case("HIE-04", "placed by a wrong reference", [
        edit("structures", "ReferencedFrameOfReferenceSequence", 0, "RTReferencedStudySequence", 0,
             "RTReferencedSeriesSequence", 0, SeriesInstanceUID="{wrong}")]),
    Case("HIE-05", "CT called MR", [edit_all(CT, Modality="MR")], [
        found("{ct_series}", modalities=["MR"], odd_classes=["1.2.840.10008.5.1.4.1.1.2"])]),
    Case("HIE-05", "two modalities in a series", [edit("ct1", Modality="OT")], [
        found("{ct_series}", modalities=["CT", "OT"], odd_classes=[])]),
    Case("HIE-05", "secondary capture in a CT series", [secondary_capture]),
    Case("HIE-05", "derived images as OT", [
        edit_all(CT, Modality="OT", ImageType=["DERIVED", "SECONDARY", "AXIAL"])]),
    Case("HIE-06", "two birth dates", [edit("dose", PatientBirthDate="19510102")], [
        found("@", birth_dates=["1950-01-02", "1951-01-02"])]),
    Case("HIE-06", "two sexes", [edit("dose", PatientSex="F")], [found("@", sexes=["F", "M"])]),
    Case("HIE-06", "sex O in one system", [edit("dose", PatientSex="O")]),
    Case("HIE-06", "no sex in one system", [edit("dose", PatientSex="")]),
    Case("HIE-06", "dates shifted by study", [
        edit_all(ALL, PatientIdentityRemoved="YES"),
        edit("record", PatientBirthDate="19510102")]),
    Case("HIE-07", "meta header of another", [file_meta_of_another], [found("{dose}", "*")]),
    Case("HIE-07", "no meta header", [no_meta]),
    Case("HIE-08", "two names", [edit("dose", PatientName="OTHER^NAME")], [found("@", n_names=2)]),
    Case("HIE-08", "case", named("TESTER^ANNA", "Tester^Anna")),
    Case("HIE-08", "middle name", named("TESTER^ANNA", "TESTER^ANNA^MARIA")),
    Case("HIE-08", "maiden name", named("TESTER^ANNA", "MILLER^ANNA"), [found("@", n_names=2)]),
    Case("HIE-09", "a transfer that broke off", [
        sets("Series", "{ct_series}", expected_n_instances=5)], [
        found("{ct_series}", severity="error", expected=5, have=3)]),
    Case("HIE-09", "all that was announced", [
        sets("Series", "{ct_series}", expected_n_instances=3),
        sets("Study", "{planning}", expected_n_series=4)]),
    Case("HIE-09", "nothing of a series arrived", [
        after(ABSENT_SERIES, study="{planning}", series="{absent}")], [
        found("{absent}", severity="warning", expected=4, have=0)]),
    Case("HIE-09", "only some types were asked for", [
        sets("Study", "{planning}", expected_n_series=9)], [
        found("{planning}", severity="warning", expected=9, have=4)]),
)
