"""Reading single attributes of a pydicom data set without trusting any of them.

Raw bytes are taken where pydicom still has them, so that a value is judged by rtgraph's own
normaliser. Whatever pydicom raises on one element costs that element only.
"""

import logging
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from pydicom.charset import decode_bytes
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.tag import BaseTag

from rtgraph.graphmodel.nodes import Property, stated
from rtgraph.ingest.normalise import (
    LONGEST_RAW,
    Invalid,
    Value,
    clean,
    from_bytes,
    from_text,
    is_binary,
    is_split,
)
from rtgraph.ingest.remains import UNDEFINED, Remains

# pydicom logs odd values as they stand, and they may be a patient's.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
# What pydicom is known to raise on access to a damaged element.
DAMAGED = (
    BytesLengthException, AttributeError, EOFError, LookupError, NotImplementedError, OSError,
    OverflowError, RecursionError, TypeError, ValueError, struct.error, zlib.error,
)
REPLACED = "\ufffd"
_silence = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the warnings of pydicom, which hold values of patients.

    Filters of warnings belong to the whole process, so one thread at a time changes them.
    """
    with _silence, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


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
    element = _whole(ds, tag)
    if element is None:
        return None
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


def surplus(ds: Dataset, declared: Property) -> str:
    """Return the text of an attribute that has several values instead of one, else ""."""
    if declared.is_list or is_binary(declared.vr) or not is_split(declared.vr):
        return ""
    raw = getattr(_whole(ds, declared.tag), "value", None)
    if isinstance(raw, bytes) and b"\\" not in raw:
        return ""
    text = clean(_raw_text(ds, declared.tag))
    return text[:LONGEST_RAW] if "\\" in text else ""


def codes(ds: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the items of a code sequence as `scheme^value`."""
    found = (
        f"{first_text(item, 'CodingSchemeDesignator')}^{first_text(item, 'CodeValue')}"
        for item in items(ds, keyword)
    )
    return tuple(sorted({c[:LONGEST_RAW] for c in found if c != "^"}))


def numbers(ds: Dataset, keyword: str) -> tuple[int, ...]:
    """Return the whole numbers of an attribute; none when one of them is no number."""
    if _tag(keyword) not in ds:
        return ()
    values = value_of(ds, _declared(keyword))
    return tuple(v for v in values if isinstance(v, int)) if isinstance(values, list) else ()


@cache
def _declared(keyword: str) -> Property:
    (row,) = stated(keyword)
    return row


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return tag


def _whole(ds: Dataset, tag: int) -> Any:
    """Return an element as it is stored; None when it is absent or the file ends inside it."""
    element: Any = ds.get_item(tag, keep_deferred=True)
    if isinstance(element, RawDataElement) and element.length != UNDEFINED:
        return element if len(element.value or b"") >= element.length else None
    return element


def _raw_text(ds: Dataset, tag: int) -> str:
    if tag not in ds:
        return ""
    try:
        raw: Any = getattr(_whole(ds, tag), "value", None)
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
    vr = getattr(ds.get_item(tag, keep_deferred=True), "VR", None)
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
        if _whole(ds, tag) is None:
            return _items_before_the_cut(ds, tag)
        element = ds[tag]
        return list(element.value or ()) if element.VR == "SQ" else []
    except DAMAGED:
        return []


def _items_before_the_cut(ds: Dataset, tag: BaseTag) -> list[Dataset]:
    cut: Any = ds.get_item(tag, keep_deferred=True)
    if (cut.VR or dictionary_VR(tag)) != "SQ":
        return []
    rest = Remains(cut.value or b"", cut.is_implicit_VR, cut.is_little_endian,
                   ds.original_character_set)
    return rest.items()
