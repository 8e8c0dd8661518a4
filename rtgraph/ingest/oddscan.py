"""The same scan by pydicom, for files that the quick one leaves: each bad element costs itself.

pydicom reads the elements; their bytes are taken as they are, so that values are judged by
rtgraph's own normaliser whichever way a file was read.
"""

import logging
import re
import struct
import threading
import warnings
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from pydicom.valuerep import VR
from pydicom.values import convert_SQ

from rtgraph.ingest.headscan import UNDEFINED, Scanned, embedded, known_vr, referring
from rtgraph.ingest.items import Item, Leaf, Root
from rtgraph.ingest.plan import PIXEL_TAGS, UNLISTED, Node, key_of, name_of

# pydicom logs odd values as they stand, and they may be a patient's.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
# What pydicom is known to raise on access to a damaged element.
DAMAGED = (
    BytesLengthException, InvalidDicomError, AttributeError, EOFError, LookupError,
    NotImplementedError, OSError, OverflowError, RecursionError, TypeError, ValueError,
    struct.error, zlib.error,
)
_SWAPPED = {"US": "H", "SS": "h", "AT": "H", "UL": "I", "SL": "i", "FL": "f", "FD": "d",
            "UV": "Q", "SV": "q"}
# pydicom reads nothing at all where the character set is of a VR that it does not know.
_CHARACTER_SET = re.compile(rb"(\x08\0\x05\0|\0\x08\0\x05)([A-Z]{2})")
_VRS = frozenset(vr.value.encode() for vr in VR)
_silence = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the warnings of pydicom, which hold values of patients.

    Filters of warnings belong to the whole process, so one thread at a time changes them.
    """
    with _silence, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _Watch:
    """Stops at the pixel data and remembers the last element that reading came to."""

    def __init__(self, stream: BytesIO) -> None:
        self.stream = stream
        self.tag, self.value_at = BaseTag(0), -1
        self.stopped = False

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        self.tag, self.value_at = tag or self.tag, self.stream.tell()
        self.stopped = tag in PIXEL_TAGS
        return self.stopped


def odd_scan(raw: bytes, plan: Node) -> Scanned:
    """Read a whole file by pydicom; what stands before an element that it cannot read is kept.

    Raises
    ------
    EOFError
        The file ends before the first element.
    RecursionError
        Items are nested too deeply for pydicom.
    """
    raw = _CHARACTER_SET.sub(lambda m: m[0] if m[2] in _VRS else m[1] + b"CS", raw)
    watch, end = _Watch(stream := BytesIO(raw)), len(raw)
    try:
        ds = read_partial(stream, stop_when=watch, force=True)
        end = stream.tell()
        cut = not watch.stopped and _ends_early(ds, raw)
    except RecursionError:
        raise
    except DAMAGED as error:
        if watch.value_at < 0:
            raise EOFError from error
        again, cut = BytesIO(raw), True
        ds = read_partial(again, stop_when=lambda *_: again.tell() >= watch.value_at, force=True)
    root = Root(planned(ds, plan))
    root.private = sum(tag.is_private for tag in list(ds.keys()))
    return Scanned(root, end, cut, int(watch.tag), watch.stopped)


def _ends_early(ds: FileDataset, raw: bytes) -> bool:
    """Tell whether the last element or its header reaches over the end of the file."""
    element: Any = ds.get_item(max(ds.keys()), keep_deferred=True) if len(ds) else None
    if not isinstance(element, RawDataElement) or element.length == UNDEFINED:
        return False
    end = element.value_tell + element.length
    return end > len(raw) or bool(raw[end:].strip(b"\0") and len(raw) - end < 8)


def planned(ds: Dataset, node: Node) -> Item:
    """Return what the plan wants of a data set of pydicom, with whatever else refers."""
    found: Item = {}
    for tag in list(ds.keys()):
        entry = node.wanted.get(key_of(tag))
        try:
            if isinstance(entry, str):
                if leaf := _leaf(ds, tag):
                    found[entry] = leaf
            elif entry is not None:
                if (below := _items(ds, tag)) is not None:
                    found[entry.name] = [planned(item, entry) for item in below]
            elif refers := _unlisted(ds, tag):
                found[name_of(tag)] = refers
        except RecursionError:  # nested too deeply: half a tree would look whole
            raise
        except DAMAGED:
            continue
    return found


def _unlisted(ds: Dataset, tag: BaseTag) -> list[Item]:
    element: Any = ds.get_item(tag, keep_deferred=True)
    if isinstance(element, RawDataElement) and known_vr(tag) is None and element.VR in (None, "UN"):
        return embedded(element.value or b"")
    return referring([planned(item, UNLISTED) for item in _items(ds, tag) or ()])


def _items(ds: Dataset, tag: BaseTag) -> list[Dataset] | None:
    """Return the items of a sequence; None when the element is none."""
    element: Any = ds.get_item(tag, keep_deferred=True)
    vr = element.VR
    if vr in (None, "UN") and isinstance(element, RawDataElement):
        vr = known_vr(tag)
    if vr != "SQ" or _is_short(element):
        return None
    if not isinstance(element, RawDataElement):
        return list(element.value or ())
    # `ds[tag]` would need a good PixelRepresentation, and leaves a UN of 64 KiB as it is
    return list(convert_SQ(element.value or b"", element.is_implicit_VR, element.is_little_endian))


def _is_short(element: Any) -> bool:
    return (isinstance(element, RawDataElement) and element.length != UNDEFINED
            and len(element.value or b"") < element.length)


def _leaf(ds: Dataset, tag: BaseTag) -> Leaf | None:
    """Return an element as its bytes, in little endian; None when the file ends inside it."""
    element: Any = ds.get_item(tag, keep_deferred=True)
    if element.VR == "SQ" or _is_short(element):
        return None
    value = element.value
    if not isinstance(element, RawDataElement):  # pydicom has read it already
        parts = [value] if isinstance(value, str | bytes) or value is None else value
        value = "\\".join(str(v or "") for v in parts).encode("latin-1", "replace")
    if not element.is_little_endian if isinstance(element, RawDataElement) else False:
        letter = _SWAPPED.get(element.VR or "")
        if letter and len(value) % array(letter).itemsize == 0:
            numbers = array(letter, value)
            numbers.byteswap()
            value = numbers.tobytes()
    return element.VR or "", value or b""
