"""Value representations: one function each, from text or bytes to a value (PS3.5 6.2).

A function returns a `Part`, or raises ValueError with the reason why there is no value.
"""

import math
import re
import struct
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time
from typing import NamedTuple, TypeAlias

Scalar: TypeAlias = str | int | float | date | time | datetime
Numbers: TypeAlias = tuple[int | float, ...]

PLACEHOLDER_DATES = frozenset({"00000000", "00010101", "19000101"})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"([+-]?)0*(\d+)(\.0*)?", re.ASCII)
_DATE = re.compile(r"(\d{4})([.-]?)(\d{2})\2(\d{2})", re.ASCII)
_PART_OF_DATE = re.compile(r"\d{4}([.-]?(0[1-9]|1[0-2]))?", re.ASCII)
_TIME = re.compile(r"(\d{2})(?:(:?)(\d{2})(?:\2(\d{2})(?:\.(\d{1,6}))?)?)?", re.ASCII)
_DATE_TIME = re.compile(
    r"(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:(\d{2})(?:\.(\d{1,6}))?)?", re.ASCII
)
# An offset from UTC has at most 14 hours; what is more is the second year of a range.
_OFFSET = re.compile(r"[+-](0\d|1[0-4])[0-5]\d", re.ASCII)
_NO_OFFSET = re.compile(r"Z|[^\w:./].*", re.ASCII)
_RANGE = re.compile(r".*-( *\d{4,}.*)?", re.ASCII)
_AGE = re.compile(r"\d{3}[DWMY]", re.ASCII)
_TAG = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)
_CODE = re.compile(r"[A-Z0-9_ ]*", re.ASCII)
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+", re.ASCII)


class Part(NamedTuple):
    """One value of an attribute, what is odd about it, and companions by their suffix."""

    value: Scalar
    odd: tuple[str, ...] = ()
    beside: tuple[tuple[str, Scalar], ...] = ()


def application_entity(text: str) -> Part:
    """AE: at most 16 characters; longer ones are kept."""
    return Part(text, _too_long(text, 16))


def age(text: str) -> Part:
    """AS: three digits and a unit."""
    if not _AGE.fullmatch(text):
        raise ValueError("NOT_AN_AGE")
    return Part(text)


def attribute_tag(text: str) -> Part:
    """AT as text: eight hexadecimal digits."""
    if not _TAG.fullmatch(text):
        raise ValueError("NOT_A_TAG")
    return Part(text.upper())


def code(text: str) -> Part:
    """CS: upper case; characters outside the repertoire are kept."""
    found = unicodedata.normalize("NFC", text.upper())
    odd = () if _CODE.fullmatch(found) else ("BAD_CHARACTERS",)
    return Part(found, (*odd, *_too_long(found, 16)))


def day(text: str) -> Part:
    """DA: a day that exists; the old form 2024.01.31 and 2024-01-31 are read too."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("PARTIAL_DATE" if _PART_OF_DATE.fullmatch(text) else "NOT_A_DATE")
    if match[1] + match[3] + match[4] in PLACEHOLDER_DATES:
        raise ValueError("PLACEHOLDER")
    return Part(_day(match[1], match[3], match[4]), ("DATE_WITH_DASHES",) * (match[2] == "-"))


def decimal(text: str) -> Part:
    """DS: a finite number; one decimal comma is read as a point."""
    comma = text.count(",") == 1 and "." not in text
    if comma:
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise ValueError("NOT_A_NUMBER")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("NOT_FINITE")
    return Part(number, ("DECIMAL_COMMA",) * comma)


def date_time(text: str) -> Part:
    """DT: local wall clock; missing parts are the first; the offset from UTC stands beside it."""
    match = _DATE_TIME.match(text)
    if match is None:
        raise ValueError("NOT_A_DATE_TIME")
    parts, rest = match.groups(), text[match.end():]
    offset = _OFFSET.fullmatch(rest)
    # Only a time has an offset: behind a date, what looks like one is a day or the end of a range.
    malformed = parts[3] and _NO_OFFSET.fullmatch(rest) and not _RANGE.fullmatch(rest)
    if rest and not offset and not malformed:
        raise ValueError("NOT_A_DATE_TIME")
    value = datetime.combine(_day(parts[0], parts[1], parts[2]), _clock(*parts[3:]))
    beside: list[tuple[str, Scalar]] = [("utc_offset", rest)] if offset else []
    known = sum(p is not None for p in parts[:6])
    if known < 6:
        beside.append(("precision", ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE")[known - 1]))
    return Part(value, ("BAD_OFFSET",) * (rest != "" and not offset), tuple(beside))


def integer(text: str) -> Part:
    """IS: a whole number within 64 bit; `12.0` is read as 12."""
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise ValueError("NOT_AN_INTEGER")
    number = int(match[1] + match[2][:20])  # 20 digits are beyond 64 bit already
    if not -(2**63) <= number < 2**63:
        raise ValueError("OUT_OF_RANGE")
    odd = ("NOT_WRITTEN_AS_INTEGER",) * (match[3] is not None)
    return Part(number, odd if -(2**31) <= number < 2**31 else (*odd, "BEYOND_32_BIT"))


def long_string(text: str) -> Part:
    """LO: at most 64 characters; longer ones are kept."""
    return Part(text, _too_long(text, 64))


def person_name(text: str) -> Part:
    """PN: the alphabetic group without trailing empty components; the other groups beside it."""
    groups = [g.strip(" ").rstrip("^ ") for g in text.rstrip("=^ ").split("=")]
    odd = ("TOO_MANY_GROUPS",) * (len(groups) > 3)
    if any(g.count("^") > 4 for g in groups):
        odd += ("TOO_MANY_COMPONENTS",)
    beside = zip(("norm", "ideographic", "phonetic"), (folded(groups[0]), *groups[1:3]),
                 strict=False)
    return Part(groups[0], odd, tuple(pair for pair in beside if pair[1]))


def short_string(text: str) -> Part:
    """SH: at most 16 characters; longer ones are kept."""
    return Part(text, _too_long(text, 16))


def short_text(text: str) -> Part:
    """ST: at most 1,024 characters; longer ones are kept."""
    return Part(text, _too_long(text, 1024))


def clock(text: str) -> Part:
    """TM: wall clock as recorded; a leap second becomes the last microsecond."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("NOT_A_TIME")
    hour, _, minute, second, fraction = match.groups()
    precision = None if second else "MINUTE" if minute else "HOUR"
    return Part(_clock(hour, minute, second, fraction),
                beside=(("precision", precision),) if precision else ())


def uid(text: str) -> Part:
    """UI: kept as it stands, because references hold the same text."""
    return Part(text, () if _UID.fullmatch(text) and len(text) <= 64 else ("BAD_UID",))


def any_text(text: str) -> Part:
    """LT, UC, UR, UT: the text as it was decoded."""
    return Part(text)


def folded(name: str) -> str:
    """Return a name for matching only: no case, no accents, single blanks."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name)
                    if unicodedata.category(c) != "Mn")
    words = (" ".join(part.split()) for part in plain.casefold().split("^"))
    return unicodedata.normalize("NFC", "^".join(words))


def binary(raw: bytes, vr: str, order: str = "<") -> Numbers:
    """FD, FL, SL, SS, SV, UL, US, UV: numbers; FL is rounded to its seven digits."""
    letter = BINARY[vr]
    size = struct.calcsize(letter)
    if len(raw) % size:
        raise ValueError("WRONG_LENGTH")
    numbers = struct.unpack(f"{order}{len(raw) // size}{letter}", raw)
    if letter in "fd" and not all(map(math.isfinite, numbers)):
        raise ValueError("NOT_FINITE")
    if letter == "Q" and any(n >= 2**63 for n in numbers):
        raise ValueError("OUT_OF_RANGE")
    # Rounding may step over the largest number that FL holds, not over that of a Neo4j FLOAT.
    return tuple(float(f"{n:.7g}") for n in numbers) if letter == "f" else numbers


def tags(raw: bytes) -> str:
    """AT: each tag as eight hexadecimal digits, group first."""
    if len(raw) % 4:
        raise ValueError("WRONG_LENGTH")
    numbers = struct.unpack(f"<{len(raw) // 2}H", raw)
    return "\\".join(f"{g:04X}{e:04X}" for g, e in zip(*[iter(numbers)] * 2, strict=True))


def _too_long(text: str, limit: int) -> tuple[str, ...]:
    return ("TOO_LONG",) if len(text) > limit else ()


def _day(year: str, month: str | None, day_: str | None) -> date:
    try:
        return date(int(year), int(month or 1), int(day_ or 1))
    except ValueError:
        raise ValueError("IMPOSSIBLE_DATE") from None


def _clock(hour: str | None, minute: str | None, second: str | None, fraction: str | None) -> time:
    seconds, micro = int(second or 0), int((fraction or "").ljust(6, "0"))
    if seconds == 60:
        seconds, micro = 59, 999_999
    try:
        return time(int(hour or 0), int(minute or 0), seconds, micro)
    except ValueError:
        raise ValueError("IMPOSSIBLE_TIME") from None


BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
READERS: dict[str, Callable[[str], Part]] = {
    "AE": application_entity, "AS": age, "AT": attribute_tag, "CS": code, "DA": day, "DS": decimal,
    "DT": date_time, "IS": integer, "LO": long_string, "PN": person_name, "SH": short_string,
    "ST": short_text, "TM": clock, "UI": uid,
    **{vr: decimal if letter in "fd" else integer for vr, letter in BINARY.items()},
}
