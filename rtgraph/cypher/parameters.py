"""Typed parameters of named queries: from the text of a command line to values of a statement.

Messages name the parameter and its type, never the value: it may identify a patient.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from rtgraph.errors import UsageError

_LINE = re.compile(
    r"param (?P<name>[A-Za-z]\w*): (?P<type>list of string|[a-z]+)"
    r"(?: = (?P<default>\S.*?))?(?: {2,}(?P<text>.*))?"
)


def _string(text: str) -> str:
    if not text:
        raise ValueError
    return text


def _integer(text: str) -> int:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(text: str) -> bool:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
        text.lower()
    ]


def _strings(text: str) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise ValueError
    return found


@dataclass(frozen=True, slots=True)
class _Type:
    """How a type reads text, which Python values are accepted as they are, and an example."""

    read: Callable[[str], object]
    accepts: Callable[[object], bool]
    example: str


TYPES = {
    "string": _Type(_string, lambda v: False, "a text that is not empty"),
    "integer": _Type(
        _integer, lambda v: isinstance(v, int) and not isinstance(v, bool), "a whole number"
    ),
    "float": _Type(
        _float,
        lambda v: isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v),
        "a number such as 2.5",
    ),
    "boolean": _Type(_boolean, lambda v: isinstance(v, bool), "true or false"),
    "date": _Type(
        date.fromisoformat,
        lambda v: isinstance(v, date) and not isinstance(v, datetime),
        "a date such as 2024-05-31",
    ),
    "list of string": _Type(
        _strings,
        lambda v: isinstance(v, list | tuple) and bool(v) and all(isinstance(x, str) for x in v),
        "a list such as CT,RTPLAN",
    ),
}


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a named query; without `required` it has `default`, which may be None."""

    name: str
    type: str
    required: bool
    default: object
    text: str

    def read(self, value: object) -> object:
        """Return the value for the statement.

        Raises
        ------
        UsageError
            It is not of the type.
        """
        kind = TYPES[self.type]
        try:
            if isinstance(value, str):
                return kind.read(value.strip())
            if kind.accepts(value):
                return value
        except (ValueError, KeyError):
            pass
        raise UsageError(
            f"The parameter {self.name} is of type {self.type}: {kind.example} is expected."
        )


def parse_param(line: str) -> Param | None:
    """Read `param name: type = default   text`; None when the line has another form."""
    found = _LINE.fullmatch(line)
    if found is None or found["type"] not in TYPES:
        return None
    stated, text = found["default"], (found["text"] or "").strip()
    param = Param(found["name"], found["type"], stated is None, None, text)
    if stated is None or stated == "null":
        return param
    try:
        return Param(param.name, param.type, False, param.read(stated), text)
    except UsageError:
        return None
