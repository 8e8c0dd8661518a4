"""Properties of patient, study, series and instance, as an object states them.

Slices of a series state nearly all of them alike, so what is read is kept by the bytes it was read
from: equal bytes give the same dictionary, which is never changed afterwards.
"""

from calendar import isleap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any, TypeAlias

from rtgraph.graphmodel.families import Family
from rtgraph.graphmodel.nodes import IMAGE_SERIES, INSTANCE, PATIENT, SERIES, STUDY
from rtgraph.graphmodel.properties import Property, stated
from rtgraph.ingest.families import images
from rtgraph.ingest.items import Charset, Item, Leaf, cached_read, leaf_of, text_of
from rtgraph.ingest.moments import combined, first_datetime
from rtgraph.ingest.normalise import LONGEST_RAW
from rtgraph.ingest.records import Issue
from rtgraph.ingest.tags import UserTag

Values: TypeAlias = dict[str, Any]
Read: TypeAlias = tuple[Values, tuple[Issue, ...]]

LONGEST_ID = 64
_IDENTIFIERS = ("IssuerOfPatientID", "PatientID")
_READ_APART = frozenset({*_IDENTIFIERS, "SOPInstanceUID"})
_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}
(_BIRTH,) = stated("PatientBirthDate")


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The stated properties of a node, and a rule for what follows from them."""

    properties: tuple[Property, ...]  # those below sequences last
    keywords: tuple[str, ...]  # of the others
    counts_decimals: bool
    derive: Callable[[Values], Values]

    def leaves(self, item: Item) -> tuple[Leaf | None, ...]:
        """Return the bytes of the properties, in order."""
        plain: Any = map(item.get, self.keywords)  # leaves, by the plan
        return (*plain, *(leaf_of(item, p) for p in self.properties[len(self.keywords) :]))


def _level(declared: tuple[Property, ...], derive: Callable[[Values], Values]) -> Level:
    properties = [p for p in declared if p.stated and p.name not in _READ_APART]
    properties.sort(key=lambda p: bool(p.below))
    counts_decimals = any(p.name == "n_long_decimals" for p in declared)
    return Level(tuple(properties), tuple(p.name for p in properties if not p.below),
                 counts_decimals, derive)


def _nothing(values: Values) -> Values:
    return {}


def _study_datetime(values: Values) -> Values:
    return {"study_datetime": combined(values.get("StudyDate"), values.get("StudyTime"))}


def _series_datetime(values: Values) -> Values:
    return {"series_datetime": combined(values.get("SeriesDate"), values.get("SeriesTime"))}


_PATIENT = _level(PATIENT, _nothing)
_STUDY = _level(STUDY, _study_datetime)
_IMAGE_SERIES = _level(SERIES, _series_datetime)
_SERIES = _level(tuple(p for p in SERIES if p not in IMAGE_SERIES), _series_datetime)


@cache
def _instance(kind: Family) -> Level:
    return _level((*INSTANCE, *kind.properties), _nothing)


def patient(item: Item, charset: Charset, names: bool) -> Read:
    """Read the patient; `PatientID` and its issuer are whole texts, None when empty."""
    identifiers = tuple(text_of(item, keyword, charset) for keyword in _IDENTIFIERS)
    return _patient(identifiers, _PATIENT.leaves(item), charset, names)


@lru_cache(4096)
def _patient(
    identifiers: tuple[str, ...], leaves: tuple[Leaf | None, ...], charset: Charset, names: bool
) -> Read:
    values, issues = _read(_PATIENT, leaves, charset, names)
    more: list[Issue] = []
    for keyword, text in zip(_IDENTIFIERS, identifiers, strict=True):
        if len(text) > LONGEST_ID:  # the length field must be wrong
            more.append((keyword, "TOO_LONG", text[:LONGEST_RAW]))
        values[keyword] = text[:LONGEST_ID].strip() or None
    if values["PatientID"] is None:
        more.append(("PatientID", "EMPTY", ""))
    return values, (*issues, *more)


def study(item: Item, charset: Charset, names: bool) -> Read:
    """Read the study, and how old the patient was."""
    return _study(_STUDY.leaves(item), leaf_of(item, _BIRTH), charset, names)


@lru_cache(4096)
def _study(
    leaves: tuple[Leaf | None, ...], birth: Leaf | None, charset: Charset, names: bool
) -> Read:
    values, issues = _read(_STUDY, leaves, charset, names)
    born = cached_read(birth[1], birth[0] or _BIRTH.vr, _BIRTH, charset).value if birth else None
    age = age_years(born, values.get("StudyDate"), values.get("PatientAge"))
    return values | {"patient_age_years": age}, issues


def age_years(born: object, day: object, stated_age: object) -> float | None:
    """Return the age of a patient on a day: birthdays that have passed, and part of the year.

    Parameters
    ----------
    born, day : date or None
        Without both, or when the day is before the birth, `stated_age` is taken.
    stated_age : str or None
        PatientAge: three digits and D, W, M or Y (PS3.5 6.2).
    """
    if isinstance(born, date) and isinstance(day, date) and born <= day:
        years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        return round(years + (day - _birthday(born, born.year + years)).days / 365.25, 3)
    if not isinstance(stated_age, str):
        return None
    return round(int(stated_age[:-1]) / _PER_YEAR[stated_age[-1]], 3)


def _birthday(born: date, year: int) -> date:
    """Return the birthday in a year; one of 29 February is kept on 1 March."""
    leap_day = (born.month, born.day) == (2, 29) and not isleap(year)
    return date(year, 3, 1) if leap_day else born.replace(year=year)


def series(item: Item, kind: Family, charset: Charset, names: bool) -> Read:
    """Read the series; without a date of its own it has that of acquisition or content."""
    if kind.is_image:
        phase = tuple([item.get(keyword) for keyword in images.PHASE])
        values, issues = _images(_IMAGE_SERIES.leaves(item), phase, charset, names)
    else:
        values, issues = _read_once(_SERIES, _SERIES.leaves(item), charset, names)
    if values["series_datetime"] is None:
        moment = first_datetime(item, ("Acquisition", "Content"))
        values = values | {"series_datetime": moment}
    return values, issues


@lru_cache(4096)
def _images(
    leaves: tuple[Leaf | None, ...], phase: tuple[Any, ...], charset: Charset, names: bool
) -> Read:
    values, issues = _read(_IMAGE_SERIES, leaves, charset, names)
    of_phase = {k: leaf for k, leaf in zip(images.PHASE, phase, strict=True) if leaf}
    return values | images.series(of_phase, values), issues


def instance(item: Item, kind: Family, charset: Charset, names: bool) -> Read:
    """Read the object itself; the dictionary is the caller's own."""
    level = _instance(kind)
    return _read(level, level.leaves(item), charset, names)


def user(item: Item, tags: Sequence[UserTag], charset: Charset) -> Read:
    """Read the attributes of the user."""
    values: Values = {}
    issues: list[Issue] = []
    for tag in tags:
        if leaf := tag.leaf(item):
            reading = cached_read(leaf[1], leaf[0] or tag.vr, tag, charset)
            if reading.value is not None:
                values[tag.name] = reading.value
            issues += [(tag.name, reason, raw) for reason, raw in reading.issues]
    return values, tuple(issues)


def _read(
    level: Level, leaves: tuple[Leaf | None, ...], charset: Charset, names: bool
) -> Read:
    """Read attributes; of names that are not kept, only that something is wrong."""
    values: Values = {}
    issues: list[Issue] = []
    long_decimals = 0
    for declared, leaf in zip(level.properties, leaves, strict=True):
        if leaf is None:
            continue
        reading = cached_read(leaf[1], leaf[0] or declared.vr, declared, charset)
        hidden = declared.vr == "PN" and not names
        if not hidden:
            if reading.value is not None:
                values[declared.name] = reading.value
            values.update(reading.also)
        long_decimals += reading.long_decimals
        if reading.issues:
            issues += [(declared.name, reason, "" if hidden else raw)
                       for reason, raw in reading.issues]
    if level.counts_decimals:
        values["n_long_decimals"] = long_decimals
    return values | level.derive(values), tuple(issues)


_read_once = lru_cache(4096)(_read)
