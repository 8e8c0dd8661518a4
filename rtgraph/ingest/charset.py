"""From bytes to text: character sets, padding, control characters (PS3.5 6.1 and 6.2)."""

import re
import unicodedata
from functools import lru_cache

from pydicom.charset import (
    CODES_TO_ENCODINGS,
    STAND_ALONE_ENCODINGS,
    default_encoding,
    handled_encodings,
    python_encoding,
)

REPLACED = "\ufffd"
_CONTROL = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
_CONTROL_BUT_LINES = {c: None for c in _CONTROL if c not in (0x09, 0x0A, 0x0C, 0x0D)}
_LINES_KEPT = frozenset({"ST", "LT", "UT"})
_FRAGMENT = re.compile(rb"^[^\x1b]+|\x1b[^\x1b]*")


def clean(text: str, vr: str = "LO") -> str:
    """Return text without padding, control characters and lone surrogates, in NFC."""
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_CONTROL_BUT_LINES if vr in _LINES_KEPT else _CONTROL)
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = unicodedata.normalize("NFC", text)
    return text.rstrip(" ") if vr in (*_LINES_KEPT, "UC") else text.strip(" ")


def text(raw: bytes, charset: tuple[str, ...]) -> str:
    """Return the text of an attribute, cleaned; several values are joined by backslashes.

    `charset` holds the defined terms of SpecificCharacterSet. Bytes that cannot be decoded become
    U+FFFD.
    """
    return clean(decoded(raw, charset))


def decoded(raw: bytes, charset: tuple[str, ...]) -> str:
    """Decode like pydicom's `decode_bytes`, without warnings.

    What stands behind the escape sequence of a character set that is not declared is damaged.
    """
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    encodings, _ = encodings_of(charset)
    return "".join(_fragment(f, encodings) for f in _FRAGMENT.findall(raw))


def _fragment(raw: bytes, encodings: tuple[str, ...]) -> str:
    """Decode up to the next escape sequence (PS3.5 6.1.2.5)."""
    first = encodings[0]
    if not raw.startswith(b"\x1b"):
        return raw.decode(first, "replace")
    size = 4 if raw.startswith((b"\x1b$(", b"\x1b$)")) else 3
    named = CODES_TO_ENCODINGS.get(raw[:size], "")
    if not named:  # a control character like any other
        return raw.decode(first, "replace")
    if named not in (*encodings, default_encoding):
        return REPLACED + raw[size:].decode(first, "replace")
    if named in handled_encodings:  # Python knows their escapes, and that they may hold a 0x5C
        return raw.decode(named, "replace")
    value, backslash, rest = raw[size:].partition(b"\\")
    return value.decode(named, "replace") + (backslash + rest).decode(first, "replace")


@lru_cache(maxsize=64)
def encodings_of(charset: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Return Python's names of character sets, and whether all of them are known."""
    found = [_ENCODINGS.get(_squeezed(term)) for term in charset] or [default_encoding]
    encodings = tuple(name or default_encoding for name in found)
    alone = {python_encoding[term] for term in STAND_ALONE_ENCODINGS}
    if encodings[0] in alone:
        encodings = encodings[:1]
    return (encodings[0], *(e for e in encodings[1:] if e not in alone)), None not in found


def _squeezed(term: str) -> str:
    """Return a term without what is often misspelt: case, blanks, hyphens and underscores."""
    return re.sub("[^A-Z0-9]", "", term.upper())


# Defined terms; pydicom takes Python's names too.
_ENCODINGS = {_squeezed(name): name for name in python_encoding.values()} | {
    "ISO88591": default_encoding,
    **{_squeezed(term): name for term, name in python_encoding.items()},
}
