"""Values of settings: from what a TOML file or the environment holds to what is used.

Each reader returns the value, or raises a ValueError that says what is expected.
"""

import re
from collections.abc import Callable
from ipaddress import ip_network
from math import inf
from pathlib import Path

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def boolean(value: object) -> bool:
    """True or false, also in words."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("true or false is expected")


def text(value: object) -> str:
    """A text."""
    if not isinstance(value, str):
        raise ValueError("text is expected")
    return value


def seconds(value: object) -> float:
    """A number of seconds, not endless."""
    try:
        number = float(str(value))
    except ValueError:
        number = -1
    if not 0 <= number < inf:
        raise ValueError("a number of seconds is expected")
    return number


def path(value: object) -> Path:
    """A path; ~ is the home of the user."""
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("a path is expected")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError("the home of that user is not known") from error


def texts(value: object) -> tuple[str, ...]:
    """Several texts: a list, or one text with commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(p, str) for p in parts):
        raise ValueError("a list of texts is expected")
    return tuple(stripped for p in parts if (stripped := p.strip()))


def one_of(*known: str) -> Callable[[object], str]:
    """Return the reader of one of several words."""
    def read(value: object) -> str:
        if value not in known:
            raise ValueError(f"one of {', '.join(known)} is expected")
        return str(value)

    return read


def ae_title(value: object) -> str:
    """An AE title: 1 to 16 characters of the default repertoire, no backslash (PS3.5 6.2)."""
    title = value.strip() if isinstance(value, str) else ""
    if not 0 < len(title) <= 16 or "\\" in title or not (title.isascii() and title.isprintable()):
        raise ValueError("an AE title of 1 to 16 characters is expected")
    return title


def ae_titles(value: object) -> tuple[str, ...]:
    """Several AE titles."""
    return tuple(map(ae_title, texts(value)))


def networks(value: object) -> tuple[str, ...]:
    """Addresses and networks, as 10.1.2.3 or 10.1.0.0/16."""
    given = texts(value)
    for one in given:
        try:
            ip_network(one, strict=False)
        except ValueError:
            raise ValueError("addresses or networks are expected, as 10.1.0.0/16") from None
    return given


def size(value: object) -> int:
    """A number of bytes, with K, M, G or T for powers of 1024."""
    found = re.fullmatch(r"(\d+)([KMGT]?)", str(value).strip().upper())
    if found is None:
        raise ValueError("a size is expected, as 500M or 2G")
    return int(found[1]) * _UNITS[found[2]]


def pdu(value: object) -> int:
    """A size of protocol data units in bytes; 0 is no limit (PS3.8 D.1)."""
    digits = str(value)
    number = int(digits) if digits.isdecimal() else -1
    if number and not 4096 <= number <= 16 * 1024**2:
        raise ValueError("bytes from 4096 to 16777216 are expected, or 0 for no limit")
    return number


def count(value: object) -> int:
    """A whole number from 1."""
    return whole(value, inf, "a number from 1 is expected")


def port(value: object) -> int:
    """A port."""
    return whole(value, 65535, "a port from 1 to 65535 is expected")


def whole(value: object, most: float, expected: str) -> int:
    """A whole number from 1 to `most`."""
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if not 1 <= number <= most:
        raise ValueError(expected)
    return number
