"""Reading single attributes of a pydicom data set without trusting any of them.

Raw bytes are taken where pydicom still has them, so that a value is judged by rtgraph's own
normaliser. Whatever pydicom raises on one element costs that element only.
"""

import logging
import struct
from collections.abc import Iterator
from typing import Any

from pydicom.charset import decode_bytes
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.tag import BaseTag

from rtgraph.graphmodel.nodes import Property
from rtgraph.ingest.normalise import (
    LONGEST_RAW,
    Invalid,
    Value,
    clean,
    from_bytes,
    from_text,
    is_binary,
)

# pydicom logs odd values as they stand, and they may be a patient's.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
# What pydicom is known to raise on access to a damaged element.
DAMAGED = (
    BytesLengthException, AttributeError, EOFError, LookupError, NotImplementedError, OSError,
    OverflowError, RecursionError, TypeError, ValueError, struct.error,
)
REPLACED = "\ufffd"


def text_of(ds: Dataset, keyword: str) -> str:
    """Return the text of an attribute, several values joined by backslashes; "" when absent."""
    return clean(_raw_text(ds, _tag(keyword)))


def first_text(ds: Dataset, keyword: str) -> str:
    """Return the first value of an attribute as text."""
    return clean(_raw_text(ds, _tag(keyword)).split("\\")[0])


def items(ds: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none when it is absent or damaged."""
    return _items(ds, BaseTag(_tag(keyword)))


def sequences(ds: Dataset) -> Iterator[tuple[str, list[Dataset]]]:
    """Yield name and items of every sequence of `ds`, private and unknown ones included.

    The name is the keyword, or the tag as (GGGG,EEEE) where there is none.
    """
    for tag in list(ds.keys()):
        if _may_be_sequence(ds, tag):
            found = _items(ds, tag)
            if found:
                name = keyword_for_tag(tag) or f"({tag.group:04X},{tag.element:04X})"
                yield name, found


def value_of(ds: Dataset, declared: Property) -> Value | Invalid | None:
    """Return the normalised value of a declared attribute, `Invalid`, or None when absent."""
    tag = declared.tag
    if tag not in ds:
        return None
    element = ds.get_item(tag)
    vr = "US" if declared.vr == "US or SS" else declared.vr
    raw = getattr(element, "value", None)
    file_vr = getattr(element, "VR", None)
    if file_vr in (None, "UN", "US or SS"):
        file_vr = vr
    try:
        if is_binary(file_vr) and isinstance(raw, bytes):
            numbers = from_bytes(raw, file_vr, True, bool(ds.original_encoding[1]))
            if numbers is None or isinstance(numbers, Invalid):
                return numbers
            assert isinstance(numbers, list)
            if is_binary(vr):
                return numbers if declared.is_list else numbers[0]
            return from_text("\\".join(str(n) for n in numbers), vr, declared.is_list)
        text = _raw_text(ds, tag)
        read_as = vr if not is_binary(vr) else ("DS" if "FLOAT" in declared.kind else "IS")
        return from_text(text, read_as, declared.is_list)
    except DAMAGED as error:
        return Invalid(f"UNREADABLE_{type(error).__name__.upper()}", "")


def undecodable(ds: Dataset, declared: Property) -> bool:
    """Tell whether bytes of a text attribute had to be replaced."""
    return not is_binary(declared.vr) and REPLACED in _raw_text(ds, declared.tag)


def codes(ds: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the items of a code sequence as `scheme^value`."""
    found = (
        f"{first_text(item, 'CodingSchemeDesignator')}^{first_text(item, 'CodeValue')}"
        for item in items(ds, keyword)
    )
    return tuple(sorted({c[:LONGEST_RAW] for c in found if c != "^"}))


def numbers(ds: Dataset, keyword: str) -> tuple[int, ...]:
    """Return the whole numbers of an attribute; what is no number is left out."""
    tag = _tag(keyword)
    if tag not in ds:
        return ()
    try:
        value = ds[tag].value
    except DAMAGED:
        return ()
    many = value if isinstance(value, list | tuple) or hasattr(value, "__iter__") else [value]
    return tuple(int(v) for v in many if isinstance(v, int | float) and not isinstance(v, bool))


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return tag


def _raw_text(ds: Dataset, tag: int) -> str:
    if tag not in ds:
        return ""
    try:
        raw: Any = getattr(ds.get_item(tag), "value", None)
        if isinstance(raw, bytes):
            encodings = ds.original_character_set or ["iso8859"]
            encodings = [encodings] if isinstance(encodings, str) else list(encodings)
            return decode_bytes(raw, encodings, {0x5C})
    except DAMAGED:
        return ""
    if raw is None:
        return ""
    if isinstance(raw, str | int | float):
        return str(raw)
    return "\\".join(str(v) for v in raw) if hasattr(raw, "__iter__") else str(raw)


def _may_be_sequence(ds: Dataset, tag: BaseTag) -> bool:
    vr = getattr(ds.get_item(tag), "VR", None)
    if vr not in (None, "UN"):
        return bool(vr == "SQ")
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return True  # private or unknown: only reading it tells


def _items(ds: Dataset, tag: BaseTag) -> list[Dataset]:
    if tag not in ds:
        return []
    try:
        element = ds[tag]
        return list(element.value or ()) if element.VR == "SQ" else []
    except DAMAGED:
        return []
