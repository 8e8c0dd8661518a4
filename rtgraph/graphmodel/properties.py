"""Properties of nodes: a keyword of the data dictionary, or a name with its type and note.

A property in PascalCase is a DICOM attribute, normalised by its VR; its Neo4j type follows from VR
and VM of the data dictionary. Its companions (`StudyTime_precision`) hold what the value alone does
not say. A property in snake_case is derived and says how in its note. `per_run` marks what may
differ between two runs over the same input.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword

_TYPES = {
    "DA": "DATE", "TM": "LOCAL TIME", "DT": "LOCAL DATETIME",
    "DS": "FLOAT", "FL": "FLOAT", "FD": "FLOAT",
    "IS": "INTEGER", "SS": "INTEGER", "US": "INTEGER", "SL": "INTEGER", "UL": "INTEGER",
    "SV": "INTEGER", "UV": "INTEGER",
    "US or SS": "INTEGER", "US or OW": "INTEGER", "US or SS or OW": "INTEGER",
}
LONGEST_DECIMAL = 16  # characters of a value of VR DS, PS3.5 6.2
_CUT = (("truncated", "BOOLEAN", "true when the text was cut after 4,096 characters"),)
# What stands beside a single value, by VR: suffix, type, note.
_COMPANIONS = {
    "DT": (("utc_offset", "STRING", "sign, hours and minutes, when stated"),
           ("precision", "STRING", "YEAR, MONTH, DAY, HOUR or MINUTE, when no more is stated")),
    "LT": _CUT, "UC": _CUT, "UR": _CUT, "UT": _CUT,
    "PN": (("ideographic", "STRING", "second group of the name"),
           ("phonetic", "STRING", "third group of the name"),
           ("norm", "STRING", "for matching only: no case, no accents, single blanks")),
    "TM": (("precision", "STRING", "HOUR or MINUTE, when no more is stated"),),
}


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a node; `kind` is the Neo4j type and needs to be given for derived ones."""

    name: str
    kind: str
    note: str = ""
    per_run: bool = False
    below: tuple[str, ...] = ()  # sequences whose first item holds the attribute
    companion_of: str = ""  # the attribute beside whose value this stands
    later: bool = False  # set by a statement or the derived pass, not by the row of a file

    def __hash__(self) -> int:
        """Hash the name alone: readings are looked up by their property for every attribute."""
        return hash(self.name)

    @property
    def stated(self) -> bool:
        """Tell whether this is a DICOM attribute, and neither derived nor a companion."""
        return tag_for_keyword(self.name) is not None

    @property
    def is_list(self) -> bool:
        """Tell whether the value is a list, also when the file has one value."""
        return self.kind.startswith("LIST")

    @property
    def tag(self) -> int:
        """The DICOM tag of a stated property."""
        return _tag(self.name)

    @property
    def vr(self) -> str:
        """The value representation of a stated property, from the data dictionary."""
        return _vr(self.tag)


@cache
def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is no DICOM keyword")
    return tag


_vr = cache(dictionary_VR)


def kind_of(vr: str, many: bool) -> str:
    """Return the Neo4j type of attributes of a VR; a list where there may be several values."""
    kind = _TYPES.get(vr, "STRING")
    return f"LIST<{kind}>" if many else kind


def stated(names: str, below: tuple[str, ...] = ()) -> tuple[Property, ...]:
    """Return properties for DICOM keywords, typed by VR and VM of the data dictionary."""
    found = []
    for keyword in names.split():
        tag = _tag(keyword)
        kind = kind_of(dictionary_VR(tag), dictionary_VM(tag) != "1")
        found.append(Property(keyword, kind, below=below))
    return tuple(found)


def later(name: str, kind: str, note: str = "", per_run: bool = False) -> Property:
    """Return a property that is not in the row of a file but follows in the graph."""
    return Property(name, kind, note, per_run, later=True)


def companions(of: Property) -> tuple[Property, ...]:
    """Return the properties that stand beside a stated one; lists have the mark of a cut alone."""
    return tuple(
        Property(f"{of.name}_{suffix}", kind, note, companion_of=of.name)
        for suffix, kind, note in _COMPANIONS.get(of.vr, ())
        if suffix == "truncated" or not of.is_list)


def kept(names: str, below: tuple[str, ...] = ()) -> tuple[Property, ...]:
    """Return properties for DICOM keywords, each with its companions: what a node keeps."""
    return tuple(p for row in stated(names, below) for p in (row, *companions(row)))


def names(properties: Iterable[Property]) -> list[str]:
    """Return the names of properties, in order."""
    return [p.name for p in properties]
