"""What passes from a file to the graph: plain values that can be pickled.

`Found` is a file that discovery saw; `Instance` is an object that was read; `Rejected` is a file
that did not become one, and why. A bad file is a value, not an exception.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any


@cache
def _values_of(kind: Callable[..., Any]) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*(f.name for f in fields(kind)))  # type: ignore[arg-type]  # a data class


class _Sent:
    """Pickles as its values in order: half the time and size of what a data class does."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        kind: Callable[..., Any] = type(self)
        return kind, _values_of(kind)(self)


class Reason(StrEnum):
    """Why a file was rejected; the list is closed."""

    NOT_DICOM = "NOT_DICOM"
    EMPTY_FILE = "EMPTY_FILE"
    NO_DATA_SET = "NO_DATA_SET"
    TRUNCATED = "TRUNCATED"
    BAD_HEADER = "BAD_HEADER"
    UNREADABLE = "UNREADABLE"
    NO_SOP_INSTANCE_UID = "NO_SOP_INSTANCE_UID"
    NO_SOP_CLASS_UID = "NO_SOP_CLASS_UID"
    NO_SERIES_INSTANCE_UID = "NO_SERIES_INSTANCE_UID"
    NO_STUDY_INSTANCE_UID = "NO_STUDY_INSTANCE_UID"
    IDENTIFIER_TOO_LONG = "IDENTIFIER_TOO_LONG"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    WRITE_REFUSED = "WRITE_REFUSED"


# What an object must have to be one, and what a file without it is rejected for.
IDENTITY = {
    "SOPClassUID": Reason.NO_SOP_CLASS_UID,
    "SOPInstanceUID": Reason.NO_SOP_INSTANCE_UID,
    "SeriesInstanceUID": Reason.NO_SERIES_INSTANCE_UID,
    "StudyInstanceUID": Reason.NO_STUDY_INSTANCE_UID,
}


class State(StrEnum):
    """How a file ended; every file that was seen has exactly one."""

    INDEXED = "INDEXED"
    UNCHANGED = "UNCHANGED"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"
    REJECTED = "REJECTED"
    EXCLUDED = "EXCLUDED"


@dataclass(frozen=True, slots=True)
class Found(_Sent):
    """A file: `location` opens it, `path` names it in the graph (`root-name:relative/path`)."""

    location: str = field(repr=False)
    path: str = field(repr=False)
    size: int = 0
    mtime: int = 0


@dataclass(frozen=True, slots=True)
class Rejected(_Sent):
    """A file that did not become an instance; `detail` never holds a patient value."""

    file: Found
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Target(_Sent):
    """One reference: an edge from the object (or its series) to a target, in one role.

    `qualifiers` are the properties of the edge that narrow it, by name, in their declared order.
    """

    edge: str
    role: str
    uid: str
    path_id: str
    stated_sop_class: str | None = None
    n: int = 1
    qualifiers: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Link(_Sent):
    """An edge to a part, a shared node, a frame or a series.

    `source` is "" for the object itself (for image objects their series), else the suffix of one
    of its parts; a `target` that begins with "#" is the suffix of another part of the object.
    `values` are the properties of the edge.
    """

    type: str
    source_label: str
    source: str
    target_label: str
    target: str
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Part(_Sent):
    """A part of an object: its label, the suffix of its key, its place, and its properties."""

    label: str
    suffix: str
    index: int
    values: dict[str, Any] = field(repr=False)


Issue = tuple[str, str, str]  # keyword, reason, raw text


@dataclass(slots=True)
class Instance(_Sent):
    """An object as one file states it.

    `values` holds, by node label, the properties that have a value. `placements` names the series
    of objects that this one refers to, where it says so. `invalid` lists keyword, reason and raw
    text of attributes that have no usable value or an odd one. `fallback` says why the file was
    left to pydicom. `variant` holds what the objects of a series mostly state alike, `parts` and
    `links` what stands below and beside it. The dictionaries of patient, study and series are
    shared with other objects.
    """

    file: Found
    sop_uid: str
    sop_class: str
    series_uid: str
    study_uid: str
    patient_key: str = field(repr=False)
    values: dict[str, dict[str, Any]] = field(repr=False)
    digest: str = ""
    variant: str = field(default="", repr=False)
    references: list[Target] = field(default_factory=list, repr=False)
    placements: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    parts: list[Part] = field(default_factory=list, repr=False)
    links: list[Link] = field(default_factory=list, repr=False)
    invalid: list[Issue] = field(default_factory=list, repr=False)
    truncated: bool = False
    fallback: str = ""
