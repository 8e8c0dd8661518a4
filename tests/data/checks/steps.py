"""Cases and the steps that change a course before it is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset

from rtgraph.demo.objects import fill
from tests.data.checks.course import Course
from tests.data.small import encoded, with_value

Step = Callable[[Course], object]
Where = str | int


@dataclass(frozen=True)
class Found:
    """A finding that a check must report; names in braces are UIDs of the course.

    `detail` is a part of what the finding tells. `check` is that of the case when empty, `severity`
    that of the check.
    """

    subject: str
    target: str | None
    severity: str
    check: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One patient: which check it is for, what is done to the sound course, what is found."""

    check: str
    name: str
    steps: Sequence[Step] = ()
    found: Sequence[Found] = ()
    sound: bool = True  # begin with the sound course, else with no object at all

    def __str__(self) -> str:
        return f"{self.check} {self.name}"


def found(
    subject: str, target: str | None = None, severity: str = "", check: str = "", **detail: Any
) -> Found:
    """Return a finding."""
    return Found(subject, target, severity, check, detail)


def part(course: Course, name: str, *where: Where) -> Dataset:
    """Return an object, or an item in it: sequence keyword, index and so on."""
    ds: Any = course.objects[name]
    for step in where:
        ds = ds[step] if isinstance(step, int) else getattr(ds, step)
    assert isinstance(ds, Dataset)
    return ds


def edit(name: str, *where: Where, **elements: object) -> Step:
    """Set elements of an object or item; a text in braces is a UID of the course."""
    def step(course: Course) -> None:
        values = {k: course.uid(v[1:-1]) if isinstance(v, str) and v.startswith("{") else v
                  for k, v in elements.items()}
        fill(part(course, name, *where), **values)
    return step


def edit_all(names: Sequence[str], *where: Where, **elements: object) -> Step:
    """Set elements of several objects."""
    return lambda course: [edit(name, *where, **elements)(course) for name in names]


def without(name: str, *where: Where) -> Step:
    """Take an element out; the last of `where` is its keyword."""
    *above, keyword = where
    return lambda course: delattr(part(course, name, *above), str(keyword))


def drop(*names: str) -> Step:
    """Leave objects out: they are referred to and not there."""
    def step(course: Course) -> None:
        for name in names:
            course.objects.drop(name)
    return step


def append(name: str, *where: Where, item: Callable[[Course], Dataset]) -> Step:
    """Add an item to a sequence; the last of `where` is its keyword."""
    *above, keyword = where
    return lambda course: getattr(part(course, name, *above), str(keyword)).append(item(course))


def raw_value(name: str, keyword: str, value: bytes) -> Step:
    """Write a value of an object as it is, right or wrong."""
    def step(course: Course) -> None:
        course.raw[name] = with_value(encoded(part(course, name)), keyword, value)
    return step


def after(statement: str, **parameters: object) -> Step:
    """Run a statement in the graph; a parameter in braces is a UID of the course."""
    def step(course: Course) -> None:
        course.after.append((statement, {
            k: key(course, v) if isinstance(v, str) and v.startswith("{") else v
            for k, v in parameters.items()}))
    return step


def sets(label: str, subject: str, **properties: object) -> Step:
    """Set properties that a later pass writes, on the node of a UID or key."""
    names = ("key", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
    where = " OR ".join(f"n.{name} = $subject" for name in names)
    return after(f"MATCH (n:{label}) WHERE {where} SET n += $properties",
                 subject=subject, properties=properties)


def key(course: Course, text: str) -> str:
    """Return a text with the UIDs of the course for the names in braces."""
    parts = text.replace("}", "{").split("{")
    return "".join(course.uid(p) if k % 2 else p for k, p in enumerate(parts))
