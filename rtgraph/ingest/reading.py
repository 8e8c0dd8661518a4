"""From the bytes of a file to a pydicom data set: recognition, digest, files that end early.

Files are recognised by content: a DICM mark, or a plausible first element at offset 0 (usual in
exports of some planning and record systems). Reading ends at the pixel data.
"""

import struct
from hashlib import blake2b
from io import BytesIO
from typing import Any, BinaryIO

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import FileDataset
from pydicom.filereader import read_partial
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from rtgraph.ingest.records import Reason
from rtgraph.ingest.remains import UNDEFINED, Remains

DIGESTED = 16 * 1024
HEAD = DIGESTED + 512
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})


class _Watch:
    """Stops at the pixel data and remembers the last element that reading came to."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.tag, self.length, self.value_at = BaseTag(0), 0, -1
        self.stopped = False

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        self.tag, self.length, self.value_at = tag, length, self.stream.tell()
        self.stopped = tag in _PIXELS
        return self.stopped


def read_data_set(stream: BinaryIO, size: int) -> tuple[FileDataset, bool]:
    """Read up to the pixel data; tell whether the file ends inside the data set.

    Raises
    ------
    EOFError
        The file ends before the first element.
    """
    stream.seek(0)
    watch = _Watch(stream)
    try:
        ds = read_partial(stream, stop_when=watch, force=True)
    except (EOFError, struct.error, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        if watch.value_at < 0:
            raise EOFError from error
        stream.seek(0)
        return _before_the_cut(stream.read(), watch), True
    return ds, not watch.stopped and _ends_early(ds, stream, size)


def _before_the_cut(raw: bytes, watch: _Watch) -> FileDataset:
    """Return what is whole of a file that ends inside a sequence or a header."""
    if watch.length != UNDEFINED:
        return read_partial(BytesIO(raw[: watch.value_at + watch.length]), force=True)
    ds = read_partial(BytesIO(raw), stop_when=lambda tag, vr, length: tag >= watch.tag, force=True)
    implicit, little = ds.original_encoding
    rest = Remains(raw[watch.value_at :], bool(implicit), bool(little), ds.original_character_set)
    ds[watch.tag] = DataElement(watch.tag, "SQ", Sequence(rest.items()))
    return ds


def _ends_early(ds: FileDataset, stream: BinaryIO, size: int) -> bool:
    """Tell whether the last element or its header reaches over the end of the file."""
    element: Any = ds.get_item(max(ds.keys()), keep_deferred=True) if len(ds) else None
    deflated = ds.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian
    if deflated or not isinstance(element, RawDataElement) or element.length == UNDEFINED:
        return False
    end = element.value_tell + element.length
    if not 0 < size - end < 8:
        return end > size
    stream.seek(end)
    return bool(stream.read(8).strip(b"\0"))  # less than a header, and no padding


def no_dicom(head: bytes) -> Reason | None:
    """Return why a file that starts like this holds no data set; None when it seems to."""
    if not head:
        return Reason.EMPTY_FILE
    if head[128:132] == b"DICM":
        return Reason.NO_DATA_SET if _data_set_start(head) >= len(head) else None
    if len(head) < 8:
        return Reason.NOT_DICOM
    little, big = (int.from_bytes(head[:2], order) for order in ("little", "big"))
    group, order = (little, "little") if little <= big else (big, "big")
    if group not in (0x0002, 0x0008):
        return Reason.NOT_DICOM
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    length = int.from_bytes(head[4:8], "little" if order == "little" else "big")
    return None if explicit or length < 0x10000 else Reason.NOT_DICOM


def _data_set_start(head: bytes) -> int:
    """Offset of the first element behind the file meta group (explicit little endian)."""
    at = 132 if head[128:132] == b"DICM" else 0
    while head[at : at + 2] == b"\x02\x00":
        long = head[at + 4 : at + 6] in (b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT")
        length = head[at + 8 : at + 12] if long else head[at + 6 : at + 8]
        at += (12 if long else 8) + int.from_bytes(length, "little")
    return at


def digest(head: bytes, end: int, size: int) -> str:
    """Return a digest of the head of a data set that was read up to `end`, and of the size."""
    start = _data_set_start(head)
    stop = min(start + DIGESTED, end) if end > start else start + DIGESTED
    return blake2b(head[start:stop] + str(size).encode(), digest_size=16).hexdigest()
