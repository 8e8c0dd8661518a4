"""From the text or bytes of an attribute to a value of one Neo4j type: one function a VR.

Values are parsed from the raw text, because pydicom accepts values the Standard forbids (NaN,
underscores) and refuses values that are common in old files (2024.01.31). A value that cannot be
used is an `Invalid` with its reason, never an exception. PS3.5 section 6.2 defines the VRs.
"""

import math
import re
import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | date | time | datetime
Value: TypeAlias = Scalar | list[Scalar]

PLACEHOLDER_DATES = frozenset({"00000000", "00010101", "19000101"})
LONGEST_TEXT = 4096
LONGEST_RAW = 256
LONGEST_UID = 256  # above it the length field must be wrong, and no index would take it
_CONTROL = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
_CONTROL_BUT_LINES = {c: None for c in _CONTROL if c not in (0x09, 0x0A, 0x0C, 0x0D)}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_WHOLE = re.compile(r"([+-]?\d+)\.0*", re.ASCII)
_DATE = re.compile(r"(\d{4})([.-]?)(\d{2})\2(\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?", re.ASCII)
# An offset from UTC has at most 14 hours; what is more is the second year of a range.
_DATE_TIME = re.compile(
    r"(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:(\d{2})(?:\.(\d{1,6}))?)?"
    r"([+-](?:0\d|1[0-4])[0-5]\d)?", re.ASCII
)
_AGE = re.compile(r"\d{3}[DWMY]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a value is not usable; `raw` is its text, cut."""

    reason: str
    raw: str


def decimal(text: str) -> float:
    """DS: a finite number; one decimal comma is read as a point."""
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise ValueError("NOT_A_NUMBER")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("NOT_FINITE")
    return number


def integer(text: str) -> int:
    """IS: a whole number within 64 bit; `12.0` is read as 12."""
    whole = _WHOLE.fullmatch(text)
    if not _INTEGER.fullmatch(text) and whole is None:
        raise ValueError("NOT_AN_INTEGER")
    number = int(whole[1] if whole else text)
    if not -(2**63) <= number < 2**63:
        raise ValueError("OUT_OF_RANGE")
    return number


def day(text: str) -> date:
    """DA: a day that exists; the old form 2024.01.31 and 2024-01-31 are read too."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("NOT_A_DATE")
    if match[1] + match[3] + match[4] in PLACEHOLDER_DATES:
        raise ValueError("PLACEHOLDER")
    try:
        return date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        raise ValueError("IMPOSSIBLE_DATE") from None


def clock(text: str) -> time:
    """TM: wall clock as recorded; a leap second becomes the last microsecond."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("NOT_A_TIME")
    return _clock(match[1], match[2], match[3], match[4])


def _clock(hour: str, minute: str | None, second: str | None, fraction: str | None) -> time:
    seconds, micro = int(second or 0), int((fraction or "").ljust(6, "0"))
    if seconds == 60:
        seconds, micro = 59, 999_999
    try:
        return time(int(hour), int(minute or 0), seconds, micro)
    except ValueError:
        raise ValueError("IMPOSSIBLE_TIME") from None


def date_time(text: str) -> datetime:
    """DT: local wall clock; missing parts are the first; an offset from UTC is left out."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("NOT_A_DATE_TIME")
    year, month, day_, hour, minute, second, fraction, _ = match.groups()
    try:
        that_day = date(int(year), int(month or 1), int(day_ or 1))
    except ValueError:
        raise ValueError("IMPOSSIBLE_DATE") from None
    return datetime.combine(that_day, _clock(hour or "00", minute, second, fraction))


def age(text: str) -> str:
    """AS: three digits and a unit."""
    if not _AGE.fullmatch(text):
        raise ValueError("NOT_AN_AGE")
    return text


def code(text: str) -> str:
    """CS: upper case; characters outside the repertoire are kept."""
    return text.upper()


def as_it_stands(text: str) -> str:
    """Text and UIDs: the text as it was decoded."""
    return text


def person_name(text: str) -> str:
    """PN: the alphabetic group without trailing empty components."""
    return text.split("=")[0].rstrip("^ ")


_READERS: dict[str, Callable[[str], Scalar]] = {
    "DS": decimal, "IS": integer, "DA": day, "TM": clock, "DT": date_time, "AS": age, "CS": code,
    "PN": person_name,
}
_BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_UNSPLIT = frozenset({"ST", "LT", "UT", "UR"})
_LINES_KEPT = frozenset({"ST", "LT", "UT"})


def clean(text: str, vr: str = "LO") -> str:
    """Return text without padding, control characters and lone surrogates, in NFC."""
    text = text.translate(_CONTROL_BUT_LINES if vr in _LINES_KEPT else _CONTROL)
    text = text.rstrip(" ") if vr in (*_LINES_KEPT, "UC") else text.strip(" ")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", text)


def from_text(text: str, vr: str, is_list: bool) -> Value | Invalid | None:
    """Read an attribute of a text VR.

    Parameters
    ----------
    text : str
        Decoded, with backslashes between values.
    vr : str
        Value representation.
    is_list : bool
        Whether the dictionary allows more than one value; then the result is a list always.

    Returns
    -------
    value, `Invalid`, or None when the attribute is empty
    """
    parts = [text] if vr in _UNSPLIT else text.split("\\")
    parts = [clean(p, vr)[:LONGEST_TEXT] for p in parts]
    if not any(parts):
        return None
    read = _READERS.get(vr, as_it_stands)
    try:
        # A list with a bad or empty number is invalid as a whole: position carries meaning.
        values = [read(p) for p in (parts if is_list else parts[:1])]
    except ValueError as error:
        return Invalid(str(error), clean(text)[:LONGEST_RAW])
    if is_list:
        return values
    if values[0] == "" and parts[0]:  # a name without an alphabetic group
        return None
    return values[0] if parts[0] else Invalid("EMPTY_FIRST_VALUE", clean(text)[:LONGEST_RAW])


def from_bytes(raw: bytes, vr: str, is_list: bool, little_endian: bool) -> Value | Invalid | None:
    """Read an attribute of a binary number VR; FL is rounded to its seven digits."""
    if not raw:
        return None
    letter = _BINARY[vr]
    size = struct.calcsize(letter)
    if len(raw) % size:
        return Invalid("WRONG_LENGTH", raw[:32].hex())
    numbers = struct.unpack(f"{'<' if little_endian else '>'}{len(raw) // size}{letter}", raw)
    if letter in "fd" and not all(map(math.isfinite, numbers)):
        return Invalid("NOT_FINITE", str(list(numbers))[:LONGEST_RAW])
    if letter == "Q" and any(n >= 2**63 for n in numbers):
        return Invalid("OUT_OF_RANGE", str(list(numbers))[:LONGEST_RAW])
    if letter == "f":
        numbers = tuple(float(f"{n:.7g}") for n in numbers)
    return list(numbers) if is_list else numbers[0]


def is_split(vr: str) -> bool:
    """Tell whether a backslash stands between values of this VR."""
    return vr not in _UNSPLIT


def is_binary(vr: str) -> bool:
    """Tell whether values of this VR are binary numbers."""
    return vr in _BINARY
