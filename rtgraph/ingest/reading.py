"""From a file to its scanned header: recognition, the two reads, digest, the way of odd files.

Files are recognised by content: a DICM mark, or a plausible first element at offset 0 (usual in
exports of some planning and record systems). One short read suffices for most images; the whole
file is read where it does not.
"""

import zlib
from dataclasses import dataclass, field
from hashlib import blake2b

from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from rtgraph.ingest.headscan import Fallback, Odd, scan
from rtgraph.ingest.items import Root
from rtgraph.ingest.oddscan import odd_scan
from rtgraph.ingest.opening import read
from rtgraph.ingest.plan import Node
from rtgraph.ingest.records import Reason

DIGESTED = 16 * 1024
HEAD = DIGESTED + 512
# Of a file that is much larger, so many bytes are read before all of it, pixel data included, is.
STEPS = (256 * 1024, 8 * 1024 * 1024)
LARGEST_INFLATED = 512 * 1024 * 1024
_LONG = frozenset(vr.encode() for vr in EXPLICIT_VR_LENGTH_32)
_META = {2: "MediaStorageSOPClassUID", 3: "MediaStorageSOPInstanceUID", 16: "TransferSyntaxUID"}


@dataclass(slots=True)
class Header:
    """The header of a file; `fallback` says why it was left to pydicom, if it was.

    `last` is the tag of the last element where one of the identity is missing; `pixels` tells
    whether pixel data follows.
    """

    meta: dict[str, str] = field(default_factory=dict)
    item: Root = field(default_factory=Root)
    empty: bool = False
    cut: bool = False
    digest: str = ""
    fallback: str = ""
    last: int = 0xFFFFFFFF
    pixels: bool = False


def read_header(location: str, size: int, plan: Node) -> Header | Reason:
    """Read a file as far as needed.

    Returns
    -------
    Header or Reason
        Why there is no data set.

    Raises
    ------
    EOFError
        The file ends before the first element.
    OSError
        The file cannot be read.
    zlib.error
        A deflated data set cannot be inflated, or is too large.
    """
    asked, raw = HEAD, read(location, HEAD)
    if reason := no_dicom(raw):
        return reason
    while True:
        header = _header(raw, size, plan, whole=len(raw) < asked)
        if header is not None:
            return header
        larger = next((n for n in STEPS if asked < n < size // 4), size + 1)
        # a file may have grown since its size was asked for
        asked = larger if asked <= size else 2 * asked
        raw = read(location, asked)


def _header(raw: bytes, size: int, plan: Node, *, whole: bool) -> Header | None:
    """Scan what was read of a file; None when that was not enough."""
    meta, start = _meta(raw)
    if not whole and len(raw) - start < 8:
        return None
    syntax, fallback = meta.get("TransferSyntaxUID", ""), ""
    body, complete = raw, True
    if syntax == DeflatedExplicitVRLittleEndian:
        body, complete = _inflated(raw[start:])
        start = 0
    try:
        found = scan(body, start, plan, implicit=_is_implicit(body, start, syntax))
    except Odd as odd:
        if not whole:
            return None
        found, fallback = odd_scan(body, plan), odd.reason.value
    if not whole and (found.cut or found.end >= len(body)):
        return None  # a read that ends between two elements looks like a whole file
    cut = found.cut or (not complete and found.end == len(body))
    empty = len(body) - start < 8
    return Header(meta, found.item, empty, cut,
                  digest(body, start, found.end, size), fallback, found.last, found.pixels)


def _is_implicit(raw: bytes, start: int, syntax: str) -> bool:
    """Tell how the data set is encoded; one that is not as its file says is left to pydicom."""
    group, vr = int.from_bytes(raw[start : start + 2], "little"), raw[start + 4 : start + 6]
    if len(vr) == 2 and group == 0:
        raise Odd(Fallback.COMMAND_SET)
    if syntax == ExplicitVRBigEndian or (not syntax and group >= 0x0400):
        raise Odd(Fallback.BIG_ENDIAN)
    found = not (vr.isalpha() and vr.isupper())
    if len(vr) == 2 and syntax and found != (syntax == ImplicitVRLittleEndian):
        raise Odd(Fallback.OTHER_ENCODING)
    return found


def _inflated(deflated: bytes) -> tuple[bytes, bool]:
    """Inflate what there is, within bounds; tell whether the stream came to its end."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    body = inflater.decompress(deflated, LARGEST_INFLATED)
    if inflater.unconsumed_tail:
        raise zlib.error("too large")
    return body, inflater.eof


def no_dicom(head: bytes) -> Reason | None:
    """Return why a file that starts like this holds no data set; None when it seems to."""
    if not head:
        return Reason.EMPTY_FILE
    if head[128:132] == b"DICM":
        return None
    if len(head) < 8:
        return Reason.NOT_DICOM
    little, big = (int.from_bytes(head[:2], order) for order in ("little", "big"))
    group, order = (little, "little") if little <= big else (big, "big")
    if group not in (0x0002, 0x0008):
        return Reason.NOT_DICOM
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    length = int.from_bytes(head[4:8], "little" if order == "little" else "big")
    return None if explicit or length < 0x10000 else Reason.NOT_DICOM


def _meta(raw: bytes) -> tuple[dict[str, str], int]:
    """Walk the file meta group; return its UIDs and where the data set begins (PS3.10 7.1).

    The length that the group states of itself is often wrong, so it is not used.
    """
    at = 132 if raw[128:132] == b"DICM" else 0
    meta: dict[str, str] = {}
    while raw.startswith(b"\x02\x00", at) and len(raw) - at >= 8:
        vr = raw[at + 4 : at + 6]
        if not vr.isalpha():
            length, value = raw[at + 4 : at + 8], at + 8
        elif vr in _LONG:
            length, value = raw[at + 8 : at + 12], at + 12
        else:
            length, value = raw[at + 6 : at + 8], at + 8
        end = value + int.from_bytes(length, "little")
        name = _META.get(raw[at + 2] | raw[at + 3] << 8)
        if name and end <= len(raw):
            meta[name] = raw[value:end].decode("latin-1").split("\\")[0].strip(" \0")
        at = end
    return meta, at


def digest(raw: bytes, start: int, end: int, size: int) -> str:
    """Return a digest of the head of a data set, up to its pixel data, and of the file size."""
    stop = min(start + DIGESTED, end) if end > start else start + DIGESTED
    return blake2b(raw[start:stop] + str(size).encode(), digest_size=16).hexdigest()
