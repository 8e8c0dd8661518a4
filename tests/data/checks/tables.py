"""All cases, in the order of the checks."""

from tests.data.checks import (
    contours,
    doses,
    frames,
    hierarchy,
    others,
    plans,
    records,
    references,
    registrations,
    scans,
    structures,
    values,
)
from tests.data.checks.course import FIRST, Course, sound_course
from tests.data.checks.steps import Case

MODULES = (hierarchy, references, frames, structures, plans, doses, scans, contours, records,
           registrations, others, values)
CASES: tuple[Case, ...] = tuple(case for module in MODULES for case in module.CASES)


def built(number: int, case: Case) -> Course:
    """Return the course of a case, ready to be written."""
    course = Course(FIRST + 1 + number)
    if case.sound:
        sound_course(course)
    for step in case.steps:
        step(course)
    return course
