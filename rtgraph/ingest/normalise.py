"""From an attribute of a file to the value of a property, its companions and its issues.

Values are parsed from the raw bytes, because pydicom accepts values the Standard forbids (NaN,
underscores) and refuses values that are common in old files (2024.01.31). What is wrong with a
value is said beside it, never by an exception.
"""

from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from rtgraph.graphmodel.properties import LONGEST_DECIMAL
from rtgraph.ingest.charset import REPLACED, clean, decoded, encodings_of, text
from rtgraph.ingest.vr import (
    BINARY,
    READERS,
    Numbers,
    Part,
    Scalar,
    any_text,
    binary,
    decimal,
    tags,
)

Value: TypeAlias = Scalar | list[Scalar]

__all__ = ["LONGEST_RAW", "LONGEST_TEXT", "LONGEST_UID", "Declared", "Reading", "Scalar", "Value",
           "clean", "read", "text"]

LONGEST_TEXT = 4096
LONGEST_RAW = 256
LONGEST_UID = 256  # above it the length field must be wrong, and no index would take it
# UIDs that the graph keeps as keys: the check VAL-02 finds those that are malformed.
KEYS = frozenset({"SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID",
                  "FrameOfReferenceUID"})
# Their own limit is above LONGEST_TEXT, so a cut is no fault of the file.
_UNLIMITED = frozenset({"LT", "UC", "UR", "UT"})
_UNSPLIT = frozenset({"ST", "LT", "UT", "UR"})
_NO_PROPERTY = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UN"})
_STATED = (_NO_PROPERTY | _UNLIMITED | set(READERS)) - {"UN"}
# VRs whose text depends on SpecificCharacterSet (PS3.5 6.1.2.3)
_IN_CHARSET = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})


class Declared(Protocol):
    """A property as reading needs it: one of the graph model, or one that the user adds."""

    @property
    def name(self) -> str:
        """The name of the property."""

    @property
    def vr(self) -> str:
        """The value representation that the attribute should have."""

    @property
    def kind(self) -> str:
        """The type of the property in Neo4j."""

    @property
    def is_list(self) -> bool:
        """Tell whether the value is a list, also when the file has one value."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an attribute becomes: the value of its property, companions, and what is wrong with it.

    `also` holds companions by the full names of their properties. `issues` holds reasons and raw
    text, which is "" where it must not be shown. `long_decimals` counts numbers whose text is
    longer than a DS may be; they are read as written. Nobody changes a list in `value`: readings
    are shared.
    """

    value: Value | None = None
    also: tuple[tuple[str, Scalar], ...] = ()
    issues: tuple[tuple[str, str], ...] = ()
    long_decimals: int = 0


def read(raw: bytes, vr: str, declared: Declared, charset: tuple[str, ...]) -> Reading:
    """Read an attribute; any bytes are taken.

    Parameters
    ----------
    raw : bytes
        The value field, little endian.
    vr : str
        The VR in the file; UN, or any word that is none, stands for that of the dictionary.
    declared : Declared
        What the attribute shall become.
    charset : tuple of str
        Defined terms of SpecificCharacterSet; () for the default.
    """
    wanted = declared.vr.split(" ")[0]  # "US or SS": who reads the file knows which
    stated = vr if vr in _STATED else wanted
    if not raw or wanted in _NO_PROPERTY:
        return Reading()
    if stated in _NO_PROPERTY:
        return Reading(issues=(("WRONG_VR", ""),))
    try:
        if stated in BINARY:
            return _of_numbers(binary(raw, stated), wanted, declared)
        if stated == "AT":
            return _of_text(tags(raw), wanted, declared)
    except ValueError as error:
        return Reading(issues=((str(error), "" if wanted == "PN" else raw[:32].hex()),))
    characters = decoded(raw, charset)
    found = _of_text(characters, wanted, declared, written=True)
    if found.value is None and not found.also:
        return found
    odd: list[tuple[str, str]] = []
    plain = raw.isascii() and b"\x1b" not in raw
    if not plain and wanted in _IN_CHARSET and not encodings_of(charset)[1]:
        odd.append(("UNKNOWN_CHARACTER_SET", ""))
    if REPLACED in characters:
        odd.append(("UNDECODABLE", ""))
    return replace(found, issues=(*odd, *found.issues)) if odd else found


def _of_numbers(numbers: Numbers, vr: str, declared: Declared) -> Reading:
    """Keep binary numbers of the declared kind; others are read as if they were text."""
    text = "\\".join(map(str, numbers))
    if vr in BINARY and isinstance(numbers[0], float) == (READERS[vr] is decimal):
        kept = numbers if declared.is_list else numbers[:1]
        return _reading([Part(n) for n in kept], len(numbers), text, vr, declared)
    return _of_text(text, vr, declared)


def _of_text(text: str, vr: str, declared: Declared, written: bool = False) -> Reading:
    """Read text by VR; `written` tells whether numbers in it are written so in the file."""
    values = _values(text, vr)
    if not any(values):
        return Reading()
    one = READERS.get(vr, any_text)
    kept = values if declared.is_list else values[:1]
    keep_empty = declared.is_list and "STRING" in declared.kind
    try:
        if not declared.is_list and not values[0]:
            raise ValueError("EMPTY_FIRST_VALUE")
        # A list with a bad or empty number is invalid as a whole: position carries meaning.
        parts = [one(v) if v or not keep_empty else Part("") for v in kept]
    except ValueError as error:
        return Reading(issues=((str(error), _raw(text, vr)),))
    long = sum(len(v) > LONGEST_DECIMAL for v in kept) if written and one is decimal else 0
    return _reading(parts, len(values), text, vr, declared, long)


def _reading(
    parts: list[Part], n: int, text: str, vr: str, declared: Declared, long: int = 0
) -> Reading:
    """Put together what was read of `n` values: a list, or the first and its companions."""
    first, many = parts[0], declared.is_list
    value = [p.value for p in parts] if many else first.value
    beside = () if many else first.beside
    reasons = [reason for p in parts for reason in p.odd]
    if any(_is_cut(p.value) for p in parts):
        value = [_cut(p.value) for p in parts] if many else _cut(first.value)
        if vr in _UNLIMITED:
            beside = (*beside, ("truncated", True))
        else:
            reasons.append("TOO_LONG")
    if n > len(parts):
        reasons.append("SEVERAL_VALUES")
    if reasons and declared.name in KEYS:  # VAL-02 sees them all, those of missing objects too
        reasons = [reason for reason in reasons if reason != "BAD_UID"]
    return Reading(
        None if value == "" else value,
        tuple((f"{declared.name}_{suffix}", _cut(v)) for suffix, v in beside) if beside else (),
        tuple((reason, _raw(text, vr)) for reason in dict.fromkeys(reasons)) if reasons else (),
        long)


def _values(text: str, vr: str) -> list[str]:
    return [clean(t, vr) for t in ([text] if vr in _UNSPLIT else text.split("\\"))]


def _is_cut(value: Scalar) -> bool:
    return isinstance(value, str) and len(value) > LONGEST_TEXT


def _cut(value: Scalar) -> Scalar:
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def _raw(text: str, vr: str) -> str:
    """Return raw text for an issue; that of a name is never shown."""
    return "" if vr == "PN" else clean(text)[:LONGEST_RAW]
