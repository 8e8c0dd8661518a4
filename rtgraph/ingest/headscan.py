"""Walks the bytes of a data set and takes out what the plan names, without pydicom.

Elements are stepped over by their length, so contours, control points, private blocks and pixel
data are never copied. Only what is plain is read here: little endian, known VRs, sequences that
keep to their lengths (PS3.5 sections 7.1 to 7.5). Anything else is `Odd`, and the file is left to
pydicom. A data set that ends early keeps what stands before its end.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from struct import Struct, error

from pydicom.datadict import dictionary_VR
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

from rtgraph.ingest.items import Item, Root
from rtgraph.ingest.plan import (
    ITEM_END,
    PIXEL_TAGS,
    PIXELS,
    REFERRING,
    UNLISTED,
    Node,
    Wanted,
    key_of,
    name_of,
    tag_of,
)
from rtgraph.ingest.records import IDENTITY

UNDEFINED = 0xFFFFFFFF
DEEPEST = 64  # items within items
# A small sequence is kept, near the top: it cannot nest so deep that this would hide TOO_DEEP.
SMALL, SHALLOW = 768, 8
_ENDLESS = 1 << 62
_KEY_VR_LENGTH = Struct("<IHH").unpack_from
_KEY_LENGTH = Struct("<II").unpack_from
_LENGTH = Struct("<I").unpack_from
_ITEM, _ITEM_END, _SEQUENCE_END = map(key_of, (0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD))
_PIXELS = frozenset(map(key_of, PIXEL_TAGS))
_SEQUENCE_END_BYTES = _SEQUENCE_END.to_bytes(4, "little")
_ITEM_BYTES = _ITEM.to_bytes(4, "little")
_NAMES = {int.from_bytes(vr.encode(), "little"): str(vr)
          for vr in (*EXPLICIT_VR_LENGTH_16, *EXPLICIT_VR_LENGTH_32)}
_SHORT = frozenset(int.from_bytes(vr.encode(), "little") for vr in EXPLICIT_VR_LENGTH_16)
_SQ, _UN = (int.from_bytes(vr, "little") for vr in (b"SQ", b"UN"))
_MAY_REFER = frozenset({_SQ, _UN})
_PATTERNS = tuple(key_of(tag_of(keyword)).to_bytes(4, "little") for keyword in REFERRING)


class Fallback(StrEnum):
    """Why a file is left to pydicom; the list is closed."""

    BIG_ENDIAN = "BIG_ENDIAN"
    COMMAND_SET = "COMMAND_SET"
    OTHER_ENCODING = "OTHER_ENCODING"
    UNKNOWN_VR = "UNKNOWN_VR"
    UNDEFINED_LENGTH = "UNDEFINED_LENGTH"
    SEQUENCE_AS_VALUE = "SEQUENCE_AS_VALUE"
    NO_ITEM = "NO_ITEM"
    LENGTHS_DISAGREE = "LENGTHS_DISAGREE"
    TOO_DEEP = "TOO_DEEP"


class Odd(Exception):
    """The bytes are not plain; `reason` says in which way."""

    def __init__(self, reason: Fallback) -> None:
        super().__init__(reason.value)
        self.reason = reason


class _Cut(Exception):
    """The bytes end inside an element."""


@dataclass(slots=True)
class Scanned:
    """A data set: what the plan wanted of it, where the walk ended, and whether bytes ran out.

    `pixels` tells whether pixel data follows. `last` is the tag of the last element of a data set
    that lacks a part of its identity.
    """

    item: Root
    end: int = 0
    cut: bool = False
    last: int = 0xFFFFFFFF
    pixels: bool = False


def scan(raw: bytes, start: int, plan: Node, *, implicit: bool) -> Scanned:
    """Walk a data set that begins at `start`, up to its pixel data or the end of the bytes.

    Raises
    ------
    Odd
        pydicom has to read the file.
    """
    found = Scanned(Root(), len(raw))
    try:
        # what is shorter than the header of an element is padding, or a cut
        end = _elements(raw, found.item, start, len(raw) - 7, plan, implicit, 0)
        if not found.item.keys() >= IDENTITY.keys():
            found.last = _last(raw, start, implicit)
    except (error, _Cut):
        found.cut = True
        return found
    if end < 0:
        found.end, found.pixels = -end, True
    else:
        found.cut = end > len(raw) or bool(raw[end:].strip(b"\0"))
    return found


class _Last(dict[int, Wanted]):
    """Wants nothing and remembers what it was asked for last."""

    key = 0

    def get(self, key: int, default: object = None) -> Wanted | None:  # type: ignore[override]
        self.key = key or self.key  # zeros are padding
        return PIXELS if key in _PIXELS else None


def _last(raw: bytes, start: int, implicit: bool) -> int:
    keys = _Last()
    _elements(raw, {}, start, len(raw) - 7, Node("", keys), implicit, 0)
    return key_of(keys.key)


def embedded(raw: bytes) -> list[Item]:
    """Return what refers in a value of unknown kind, if it is a sequence in implicit VR."""
    found: list[Item] = []
    if raw.startswith(_ITEM_BYTES) and _refers(raw, 0, len(raw)):
        try:
            if _items(raw, found, 0, len(raw), UNLISTED, True, 1) == len(raw):
                return referring(found)
        except (error, _Cut, Odd):
            pass
    return []


def referring(found: list[Item]) -> list[Item]:
    """Leave out items without a reference of their own or below."""
    return [i for i in found
            if any(k in i for k in REFERRING) or any(isinstance(v, list) for v in i.values())]


def _refers(raw: bytes, at: int, end: int) -> bool:
    object_, series = _PATTERNS
    return raw.find(object_, at, end) >= 0 or raw.find(series, at, end) >= 0


def _elements(
    raw: bytes, item: Item, at: int, stop: int, node: Node, implicit: bool, depth: int
) -> int:
    """Walk elements up to `stop` or a delimiter; return where, negative before pixel data."""
    wanted, size, private = node.wanted.get, len(raw), 0
    try:
        while at < stop:
            if implicit:
                key, length = _KEY_LENGTH(raw, at)
                entry, vr, value = wanted(key), 0, at + 8
            else:
                key, vr, length = _KEY_VR_LENGTH(raw, at)
                entry = wanted(key)
                if vr in _SHORT:
                    value = at + 8
                    if entry is None:  # most elements by far
                        private += key & 1
                        at = value + length
                        continue
                elif vr in _NAMES:
                    (length,) = _LENGTH(raw, at + 8)
                    value = at + 12
                elif key == _ITEM_END:
                    value = at + 8
                elif not depth and not raw[at:].strip(b"\0"):
                    break  # zeros up to the end of the file
                else:
                    raise Odd(Fallback.UNKNOWN_VR)
            if entry is None:
                private += key & 1
                if vr in _MAY_REFER or length == UNDEFINED or (
                        implicit and raw.startswith(_ITEM_BYTES, value)):
                    at = _unlisted(raw, item, key, vr, value, length, implicit, depth)
                else:
                    at = value + length
            elif isinstance(entry, str):
                at = value + length
                if at > size:
                    if length == UNDEFINED:
                        raise Odd(Fallback.UNDEFINED_LENGTH)
                    raise _Cut
                if vr == _SQ:
                    raise Odd(Fallback.SEQUENCE_AS_VALUE)
                item[entry] = (_NAMES[vr] if vr else "", raw[value:at])
            elif entry is PIXELS:
                at = -at
                break
            elif entry is ITEM_END:
                if stop != _ENDLESS:
                    raise Odd(Fallback.LENGTHS_DISAGREE)
                return value
            else:
                if vr not in (0, _SQ, _UN):
                    raise Odd(Fallback.SEQUENCE_AS_VALUE)
                if vr == _UN and not implicit:
                    _check_unknown(raw, value)
                at = _listed(raw, item, value, length, entry, implicit or vr == _UN, depth)
    finally:  # also of what is cut
        if isinstance(item, Root):
            item.private = private
    return at


def _listed(
    raw: bytes, item: Item, value: int, length: int, node: Node, implicit: bool, depth: int
) -> int:
    """Walk a sequence that the plan names, once for all files that hold the same bytes."""
    end = _end_of_small(raw, value, length) if depth < SHALLOW else 0
    kept = node.kept[implicit]
    content = raw[value:end]
    if content and (known := kept.get(content)) is not None:
        item[node.name] = known
        return end
    found: list[Item] = []
    item[node.name] = found
    at = _items(raw, found, value, length, node, implicit, depth + 1)
    if at == end:
        node.keep(implicit, content, found)
    return at


def _end_of_small(raw: bytes, value: int, length: int) -> int:
    """Return where a small sequence should end, 0 for others; without a length, the first end.

    Bytes that were once walked as a whole sequence are one wherever they stand.
    """
    if length == UNDEFINED:
        end = raw.find(_SEQUENCE_END_BYTES, value, value + SMALL) + 8
    else:
        end = value + length
    return end if value < end <= min(value + SMALL, len(raw)) else 0


def _items(
    raw: bytes, found: list[Item], at: int, length: int, node: Node, implicit: bool, depth: int
) -> int:
    """Walk the items of a sequence; they are in `found` also when the bytes end inside one."""
    if depth > DEEPEST:
        raise Odd(Fallback.TOO_DEEP)
    stop = _ENDLESS if length == UNDEFINED else at + length
    try:
        while at < stop:
            key, length = _KEY_LENGTH(raw, at)
            at += 8
            if key == _ITEM:
                item: Item = {}
                found.append(item)
                if length == UNDEFINED:
                    at = _elements(raw, item, at, _ENDLESS, node, implicit, depth)
                else:
                    end = at + length
                    at = _elements(raw, item, at, end, node, implicit, depth)
                    if at != end:
                        raise _Cut if at > len(raw) else Odd(Fallback.LENGTHS_DISAGREE)
            elif key == _SEQUENCE_END and stop == _ENDLESS:
                return at
            else:
                raise Odd(Fallback.NO_ITEM)
        if at > stop:
            raise _Cut if at > len(raw) else Odd(Fallback.LENGTHS_DISAGREE)
    except (error, _Cut):
        if stop <= len(raw):  # an item reaches out of its sequence, over the end of the file
            raise Odd(Fallback.LENGTHS_DISAGREE) from None
        raise
    return at


def _unlisted(
    raw: bytes, item: Item, key: int, vr: int, value: int, length: int, implicit: bool, depth: int
) -> int:
    """Step over an element that may be a sequence; references inside it are kept."""
    tag = key_of(key)
    if length == UNDEFINED:
        if vr not in (0, _SQ, _UN) or (vr == 0 and known_vr(tag) not in (None, "SQ")):
            raise Odd(Fallback.UNDEFINED_LENGTH)
    elif not _refers(raw, value, value + length):
        return value + length
    elif vr in (0, _UN) and (known := known_vr(tag)) != "SQ":
        if known is None and (found := embedded(raw[value : value + length])):
            item[name_of(tag)] = found
        return value + length
    if vr == _UN and not implicit:
        _check_unknown(raw, value)
    node = Node(name_of(tag), UNLISTED.wanted, UNLISTED.kept)
    try:
        return _listed(raw, item, value, length, node, implicit or vr == _UN, depth)
    finally:
        below = item[node.name]
        assert isinstance(below, list)
        below[:] = referring(below)
        if not below:
            del item[node.name]


def _check_unknown(raw: bytes, value: int) -> None:
    """Leave a UN whose items are in explicit VR: they should be implicit (PS3.5 6.2.2)."""
    vr = raw[value + 12 : value + 14]
    if vr.isalpha() and vr.isupper():
        raise Odd(Fallback.OTHER_ENCODING)


@lru_cache(65536)
def known_vr(tag: int) -> str | None:
    """Return the VR of the data dictionary; None for private and unknown elements."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return None
