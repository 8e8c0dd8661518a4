"""Cases of VAL and DEI: odd values, and what de-identification left."""

from tests.data.checks.course import Course
from tests.data.checks.steps import Case, edit, edit_all, found, part, raw_value
from tests.data.small import encoded

ALL = ("ct1", "ct2", "ct3", "structures", "plan", "dose", "record")


def bad_uid(course: Course) -> None:
    """Give the plan, and what refers to it, a UID with letters."""
    odd = (course.uid("plan")[:-4] + ".0ab").encode()
    for name in ("plan", "dose", "record"):
        data = encoded(part(course, name))
        course.raw[name] = data.replace(course.uid("plan").encode(), odd)


def private(course: Course) -> None:
    """Add a private element to the plan."""
    part(course, "plan").private_block(0x3287, "CHECK", create=True).add_new(1, "LO", "kept")


REMOVED = edit_all(ALL, PatientIdentityRemoved="YES")

CASES = (
    Case("VAL-01", "a number with letters", [
        raw_value("plan", "RTPlanDate", b"2024ABCD")], [
        found("{plan_series}", "RTPlanDate", "warning", reason="NOT_A_DATE", count=1)]),
    Case("VAL-01", "a placeholder date", [raw_value("plan", "RTPlanDate", b"00000000")], [
        found("{plan_series}", "RTPlanDate", "info", reason="PLACEHOLDER")]),
    Case("VAL-02", "letters in a UID", [bad_uid], [found("*", None, "error", kind="instance")]),
    Case("VAL-02", "letters in a de-identified set", [REMOVED, bad_uid], [
        found("*", None, "warning", kind="instance")]),
    Case("VAL-03", "a study before birth", [edit("record", StudyDate="19491231")], [
        found("{treatment}", None, "warning", birth="1950-01-02", study="1949-12-31")]),
    Case("VAL-03", "a study of the future", [edit("record", StudyDate="29990101")], [
        found("{treatment}", None, "warning", study="2999-01-01")]),
    Case("VAL-03", "shifted dates", [REMOVED, edit("record", StudyDate="19491231")], [
        found("{treatment}", None, "info")]),
    Case("DEI-03", "a private element", [REMOVED, private], [found("{plan_series}", elements=2)]),
    Case("DEI-03", "none", [REMOVED]),
    Case("DEI-04", "not marked", [], [found("@", value=None)]),
    Case("DEI-04", "marked", [REMOVED]),
    Case("DEI-05", "a day in a label", [REMOVED, edit("plan", RTPlanLabel="Plan 2024-02-08")], [
        found("{plan}", keywords=["RTPlanLabel"])]),
    Case("DEI-05", "a name in a label", [
        REMOVED, edit_all(ALL, PatientName="TESTER^ANNA"),
        edit("plan", RTPlanLabel="Plan Tester")], [found("{plan}", keywords=["RTPlanLabel"])]),
    Case("DEI-05", "a dose level", [REMOVED, edit("plan", RTPlanLabel="PTV 50.4 Gy")]),
)
