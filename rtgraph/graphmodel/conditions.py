"""Conditions on attributes, as users write them: `Modality=RT*`, `StudyDate=2024..2025`.

| written | means |
| --- | --- |
| `A=x`, `A=x,y` | equal to one of the values; `*` and `?` in a text stand for any characters |
| `A~=x` | the same, upper and lower case alike |
| `A*=x` | the text holds x |
| `A~/x/`, `A~/x/i` | the regular expression is found in the text; `i`: upper and lower case alike |
| `A=1..5`, `A=1..`, `A=..5` | in the range, ends included; a time of day may run over midnight |
| `A=3+-0.1` | differs from 3 by at most 0.1 |
| `A=last:30d` | a day in the last 30 days |
| `A<x`, `A<=x`, `A>x`, `A>=x` | smaller or larger |
| `A`, `!A` | there is a value, there is none |
| `A!=x`, `A!~=x`, `A!*=x`, `A!~/x/` | not so; an absent value is not so either |

Days may be 2024, 2024-05 or 2024-05-31 (or 20240531), and stand for all of the year or month.
Characters that mean something elsewhere, as `^ ( + .` in DICOM names, mean themselves; a backslash
makes `*`, `?` and `,` mean themselves too. In a list, one value that fits is enough.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any

from rtgraph.errors import UsageError

_FORM = re.compile(
    r"(?P<name>[A-Za-z_][\w.]*)(?:(?P<op>!?(?:~=|\*=|=|~)|<=|>=|<|>)(?P<value>.*))?", re.DOTALL)
_REGEX = re.compile(r"/(?P<pattern>.*)/(?P<flags>i?)", re.DOTALL)
_NEAR = re.compile(r"(?P<value>[^+±]+?)\s*(?:\+-|±)\s*(?P<tolerance>.+)")
_LAST = re.compile(r"last:(\d{1,5})d?")
_DAY = re.compile(r"(\d{4})(?:-?(\d\d)(?:-?(\d\d))?)?")
_TIME = re.compile(r"(\d\d):?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?")
EXAMPLE = "Examples: Modality=RT* · StudyDate=2024..2025 · ROIName~/ptv/i · SliceThickness<=2"
Span = tuple[Any, Any]  # first and last value, both included


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as it was written: attribute, operator (without its `!`) and text."""

    attribute: str
    operator: str
    text: str
    negated: bool

    def __str__(self) -> str:
        if self.operator == "exists":
            return ("!" if self.negated else "") + self.attribute
        return f"{self.attribute}{'!' if self.negated else ''}{self.operator}{self.text}"


@dataclass(frozen=True, slots=True)
class Test:
    """What a value must be, with typed values; a list needs one element that is so.

    `how` says which of the fields count: exists, in (`values`, `patterns`), spans (`spans`),
    wrapped (`spans`: a time of day over midnight), contains and matches (`text`), near
    (`values`: middle and tolerance), below, at_most, above, at_least (`values`: the limit).
    Patterns and `text` of matches are regular expressions for the whole value.
    """

    __test__ = False

    how: str
    values: tuple[Any, ...] = ()
    patterns: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    text: str = ""


def parse(text: str) -> Condition:
    """Read a condition.

    Raises
    ------
    UsageError
        It has no such form.
    """
    bare = text.strip()
    if bare.startswith("!") and (found := _FORM.fullmatch(bare[1:])) and found["op"] is None:
        return Condition(found["name"], "exists", "", True)
    found = _FORM.fullmatch(bare)
    if found is None:
        raise UsageError("A condition is written as ATTRIBUTE=VALUE.", EXAMPLE)
    if found["op"] is None:
        return Condition(found["name"], "exists", "", False)
    operator = found["op"].removeprefix("!")
    if not found["value"].strip():
        raise UsageError(f"The condition on {found['name']} has no value.",
                         f"There is none: !{found['name']}. There is one: {found['name']}.")
    return Condition(found["name"], operator, found["value"].strip(),
                     found["op"].startswith("!"))


def typed(condition: Condition, kind: str, today: date | None = None) -> Test:
    """Return what a value of a Neo4j type must be.

    Raises
    ------
    UsageError
        The operator or the value does not fit the type; the value is not repeated.
    """
    name, operator, text = condition.attribute, condition.operator, condition.text
    kind = kind.removeprefix("LIST<").removesuffix(">")
    if operator == "exists":
        return Test("exists")
    if operator in ("~", "*=", "~="):
        if kind != "STRING":
            raise UsageError(f"{name} is no text but of type {kind}; {operator} is for texts.",
                             EXAMPLE)
        return _of_text(operator, text, name)
    if operator == "=" and kind == "STRING":
        return _of_text(operator, text, name)
    read = _READERS.get(kind)
    if read is None:
        raise UsageError(f"{name} is of type {kind}, which has no order.",
                         f"There is a value: {name}.")
    try:
        return _of_order(operator, text, kind, read, today or date.today())
    except ValueError:
        raise UsageError(f"The value of {name} is not of type {kind}.", EXAMPLE) from None


def _of_text(operator: str, text: str, name: str) -> Test:
    if operator == "*=":
        return Test("contains", text=text)
    if operator == "~":
        stated = _REGEX.fullmatch(text)
        pattern, flags = (stated["pattern"], stated["flags"]) if stated else (text, "")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it is the server that reads the pattern
                re.compile(pattern)
        except re.error as error:
            raise UsageError(f"The condition on {name} is no regular expression: {error.msg}.",
                             EXAMPLE) from None
        return Test("matches", text=f"(?s{'iu' if flags else ''}).*(?:{pattern}).*")
    fold = operator == "~="
    values, patterns = [], []
    for part in _split(text):
        if fold or re.search(r"(?<!\\)[*?]", part):
            patterns.append(f"(?s{'iu' if fold else ''})" + _wildcards(part))
        else:
            values.append(re.sub(r"\\(.)", r"\1", part))
    return Test("in", tuple(values), tuple(patterns))


def _split(text: str) -> list[str]:
    """Split at commas that no backslash stands before; blanks around a value do not count."""
    return [p.strip() for p in re.split(r"(?<!\\),", text) if p.strip()]


def _wildcards(text: str) -> str:
    """Return the regular expression of a text with wildcards; all else means itself."""
    parts = []
    for found in re.finditer(r"\\(.)|(.)", text, re.DOTALL):
        literal, plain = found[1], found[2]
        if plain == "*":
            parts.append(".*")
        elif plain == "?":
            parts.append(".")
        else:
            character = literal or plain
            parts.append(character if character.isalnum() or ord(character) > 127
                         else f"\\{character}")
    return "".join(parts)


def _of_order(
    operator: str, text: str, kind: str, read: Callable[[str], Span], today: date
) -> Test:
    if operator != "=":
        first, last = read(text)
        how = {"<": "below", "<=": "at_most", ">": "above", ">=": "at_least"}[operator]
        return Test(how, (first if operator in ("<", ">=") else last,))
    if found := _LAST.fullmatch(text):
        if kind not in ("DATE", "LOCAL DATETIME"):
            raise ValueError
        start = today - timedelta(days=int(found[1]))
        if kind == "DATE":
            return Test("spans", spans=((start, today),))
        return Test("spans", spans=((datetime.combine(start, time.min),
                                     datetime.combine(today, time.max)),))
    if kind in ("FLOAT", "INTEGER") and (found := _NEAR.fullmatch(text)):
        return Test("near", (float(found["value"]), _tolerance(found["tolerance"])))
    low, range_sign, high = text.partition("..")
    if range_sign:
        if not (low or high):
            raise ValueError
        span: Span = (read(low)[0] if low else None, read(high)[1] if high else None)
        wraps = kind == "LOCAL TIME" and bool(low and high) and span[0] > span[1]
        return Test("wrapped" if wraps else "spans", spans=(span,))
    spans = tuple(read(part) for part in _split(text))
    if not spans:
        raise ValueError
    if all(first == last for first, last in spans):
        return Test("in", tuple(first for first, _ in spans))
    return Test("spans", spans=spans)


def _tolerance(text: str) -> float:
    number = float(text)
    if not number >= 0 or not isfinite(number):
        raise ValueError
    return number * (1 + 1e-9)  # 3.1 differs from 3 by a little more than 0.1


def _integer(text: str) -> Span:
    return int(text), int(text)


def _float(text: str) -> Span:
    number = float(text)
    if not isfinite(number):
        raise ValueError
    return number, number


def _boolean(text: str) -> Span:
    value = {"true": True, "yes": True, "false": False, "no": False}.get(text.lower())
    if value is None:
        raise ValueError
    return value, value


def _day(text: str) -> Span:
    found = _DAY.fullmatch(text.strip())
    if found is None:
        raise ValueError
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None
    if day is not None and month is not None:
        return date(year, month, day), date(year, month, day)
    if month is not None:
        after = date(year + month // 12, month % 12 + 1, 1)
        return date(year, month, 1), after - timedelta(days=1)
    return date(year, 1, 1), date(year, 12, 31)


def _time(text: str) -> Span:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError
    hour, minute, second, fraction = found.groups()
    micro = int(fraction.ljust(6, "0")) if fraction else 0
    first = time(int(hour), int(minute), int(second or 0), micro)
    if fraction:
        return first, first
    return first, time(first.hour, first.minute, first.second if second else 59, 999999)


def _datetime(text: str) -> Span:
    day, sign, of_day = text.strip().replace(" ", "T").partition("T")
    first, last = _day(day)
    if not sign:
        return datetime.combine(first, time.min), datetime.combine(last, time.max)
    start, end = _time(of_day)
    if first != last:
        raise ValueError
    return datetime.combine(first, start), datetime.combine(first, end)


def _word(text: str) -> Span:
    return text, text


_READERS: dict[str, Callable[[str], Span]] = {
    "STRING": _word, "INTEGER": _integer, "FLOAT": _float, "BOOLEAN": _boolean, "DATE": _day,
    "LOCAL TIME": _time, "LOCAL DATETIME": _datetime,
}


def holds(test: Test, negated: bool, value: object) -> bool:
    """Tell whether a Python value is as wanted; None is an absent value."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return any(_holds(test, v) for v in values) is not negated


def _holds(test: Test, value: Any) -> bool:
    if test.how == "exists":
        return True
    if test.how == "contains":
        return test.text in value
    if test.how == "matches":
        return re.fullmatch(test.text, value) is not None
    if test.how == "in":
        return value in test.values or any(re.fullmatch(p, value) for p in test.patterns)
    if test.how == "near":
        return bool(abs(value - test.values[0]) <= test.values[1])
    if test.how in _ORDER:
        return _ORDER[test.how](value, test.values[0])
    return any(_inside(value, *span, test.how == "wrapped") for span in test.spans)


def _inside(value: Any, first: Any, last: Any, wrapped: bool) -> bool:
    after, before = first is None or value >= first, last is None or value <= last
    return bool(after or before if wrapped else after and before)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "below": lambda v, limit: bool(v < limit), "at_most": lambda v, limit: bool(v <= limit),
    "above": lambda v, limit: bool(v > limit), "at_least": lambda v, limit: bool(v >= limit),
}
