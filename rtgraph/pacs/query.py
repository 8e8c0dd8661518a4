"""Questions to an archive: level, keys and what is to be returned, by DICOM keyword.

The same question goes over C-FIND (PS3.4 C.4.1) and QIDO-RS (PS3.18 10.6); answers are rows of
plain text by keyword.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_dict, tag_for_keyword

from rtgraph.errors import UnknownName, UsageError
from rtgraph.graphmodel.tables import IDENTIFYING

Row = dict[str, Any]


class Level(StrEnum):
    """What a question is about, and each answer."""

    patient = "patient"
    study = "study"
    series = "series"
    image = "image"

    @property
    def unique(self) -> str:
        """The key that names one thing of this level."""
        return _UNIQUE[self]


_UNIQUE = {
    Level.patient: "PatientID", Level.study: "StudyInstanceUID",
    Level.series: "SeriesInstanceUID", Level.image: "SOPInstanceUID",
}
# What is asked for when nothing else is said.
RETURNS: Mapping[Level, tuple[str, ...]] = {
    Level.patient: ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate",
                    "PatientSex"),
    Level.study: ("PatientID", "IssuerOfPatientID", "StudyInstanceUID", "StudyDate",
                  "StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedSeries",
                  "NumberOfStudyRelatedInstances"),
    Level.series: ("PatientID", "IssuerOfPatientID", "StudyInstanceUID", "SeriesInstanceUID",
                   "Modality", "SeriesNumber", "SeriesDescription",
                   "NumberOfSeriesRelatedInstances"),
    Level.image: ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID",
                  "InstanceNumber"),
}
_RANGES = frozenset({"DA", "TM", "DT"})
_PATIENT_GROUP = 0x0010


@dataclass(frozen=True, slots=True)
class Query:
    """A question: values of keys may hold wildcards, lists (backslash) and ranges (hyphen)."""

    level: Level
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    returns: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """What each answer has, in order."""
        return tuple(dict.fromkeys((*(self.returns or RETURNS[self.level]), self.level.unique)))


def conditions(texts: Iterable[str]) -> dict[str, str]:
    """Read conditions as `Keyword=value`; several for one keyword are a list.

    Parameters
    ----------
    texts : iterable of str
        Dates may be written 2024-01-31, ranges with two points: `StudyDate=2024-01-01..`. UIDs may
        be separated by commas.

    Raises
    ------
    UsageError
        A text is no condition, or names no attribute.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        keyword, sign, value = text.partition("=")
        if not sign:
            raise UsageError("A condition is given as Keyword=value.",
                             "Example: Modality=RTPLAN StudyDate=2024-01-01..2024-12-31")
        found.setdefault(known_keyword(keyword.strip()), []).append(value.strip())
    return {keyword: "\\".join(_value(keyword, v) for v in values)
            for keyword, values in found.items()}


def known_keyword(keyword: str) -> str:
    """Return a keyword of the data dictionary; raise `UnknownName` for anything else."""
    tag = tag_for_keyword(keyword)
    if not keyword or tag is None or dictionary_VR(tag) == "SQ":
        raise UnknownName("DICOM attribute", keyword, filter(None, keyword_dict))
    return keyword


def _value(keyword: str, value: str) -> str:
    vr = dictionary_VR(tag_for_keyword(keyword) or 0)
    if vr in _RANGES:
        value = re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\1\2\3", value)
        return value.replace("..", "-").replace(":", "")
    return value.replace(",", "\\") if vr == "UI" else value


def is_identifying(keyword: str) -> bool:
    """Tell whether outputs hide an attribute unless identifiers are asked for."""
    tag = tag_for_keyword(keyword) or 0
    return keyword in IDENTIFYING or dictionary_VR(tag) == "PN" or (
        tag >> 16 == _PATIENT_GROUP and keyword != "PatientSex")


def number(row: Row, keyword: str) -> int | None:
    """Return a count that an archive has told; None when it has not, or not as a number."""
    text = str(row.get(keyword) or "").strip()
    return int(text) if text.isdecimal() else None
