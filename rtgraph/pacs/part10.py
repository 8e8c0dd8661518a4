"""Files as they are written for what was received: file meta header, and data sets without bulk.

The data set is written as it came over the network, byte for byte; only `--keep header` and `none`
encode it again, without its bulk.
"""

from dataclasses import dataclass
from io import BytesIO

from pydicom import dcmread, dcmwrite
from pydicom.tag import BaseTag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from rtgraph.graphmodel.archive import Kept
from rtgraph.ingest.headscan import Odd, scan
from rtgraph.ingest.items import Item, first_text
from rtgraph.ingest.oddscan import DAMAGED, quiet
from rtgraph.ingest.plan import Node, key_of, tag_of
from rtgraph.ingest.reading import file_meta
from rtgraph.ingest.records import IDENTITY
from rtgraph.pacs.network import IMPLEMENTATION, VERSION_NAME

HEAD = 16 * 1024
_PREAMBLE = bytes(128) + b"DICM"
_VERSION = b"\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01"  # FileMetaInformationVersion
_IDENTITY = Node("identity", {key_of(tag_of(keyword)): keyword for keyword in IDENTITY})
_WHOLE = frozenset({
    0x7FE00001, 0x7FE00002, 0x7FE00008, 0x7FE00009, 0x7FE00010,  # pixel data, offset tables
    0x56000020,  # spectroscopy
    0x00420011,  # encapsulated document
})
# In repeating groups: curves, audio samples, overlays.
_REPEATED = {0x5000: (0x3000, 0x200C), 0x6000: (0x3000,)}
_WAVEFORMS, _WAVEFORM = 0x54000100, 0x54001010


@dataclass(frozen=True, slots=True)
class Arrived:
    """An object as it came over the network.

    `data` is its data set in the transfer syntax `syntax`; `sender` is an AE title or a URL.
    """

    sop_class: str
    sop_uid: str
    syntax: str
    sender: str
    data: memoryview | bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """The four UIDs of a data set; "" where one is absent."""

    sop_class: str = ""
    sop_uid: str = ""
    series_uid: str = ""
    study_uid: str = ""


def identity(data: memoryview | bytes, syntax: str) -> Identity:
    """Read the UIDs of a data set; what cannot be read has none."""
    for size in (HEAD, len(data)):
        found = _item(bytes(data[:size]), syntax)
        if found.keys() >= IDENTITY.keys() or size >= len(data):
            break
    return Identity(*(first_text(found, keyword) for keyword in IDENTITY))


def _item(raw: bytes, syntax: str) -> Item:
    if syntax not in (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        try:
            return scan(raw, 0, _IDENTITY, implicit=syntax == ImplicitVRLittleEndian).item
        except Odd:
            pass
    try:
        with quiet():
            ds = dcmread(BytesIO(file_head(Arrived("", "", syntax, "", b"")) + raw), force=True,
                         stop_before_pixels=True, specific_tags=list(IDENTITY))
            return {k: ("UI", str(ds[k].value).encode()) for k in IDENTITY if k in ds}
    except DAMAGED:
        return {}


def file_head(o: Arrived, kept: Kept = Kept.FULL) -> bytes:
    """Return preamble and file meta header (PS3.10 7.1) for an object.

    What is kept of the object shows in the implementation version name, so that a file without
    its bulk says so by itself.
    """
    name = VERSION_NAME if kept is Kept.FULL else kept.version_name
    elements = b"".join((
        _VERSION,
        _element(0x02, b"UI", o.sop_class), _element(0x03, b"UI", o.sop_uid),
        _element(0x10, b"UI", o.syntax), _element(0x12, b"UI", IMPLEMENTATION),
        _element(0x13, b"SH", name), _element(0x16, b"AE", o.sender[:16]),
    ))
    return b"".join((_PREAMBLE, b"\x02\0\0\0UL\4\0", len(elements).to_bytes(4, "little"),
                     elements))


def _element(number: int, vr: bytes, value: str) -> bytes:
    raw = value.encode("ascii", "replace")
    raw += (b"\0" if vr == b"UI" else b" ") * (len(raw) % 2)
    return b"\x02\0" + number.to_bytes(2, "little") + vr + len(raw).to_bytes(2, "little") + raw


def without_bulk(o: Arrived) -> bytes | None:
    """Return the data set without pixel data and other bulk; None when it cannot be read.

    Bulk is what PS3.4 Z.1.3 leaves out of a retrieval without bulk data. Contours, control points
    and histograms are no bulk.
    """
    head = file_head(o)
    try:
        with quiet():
            ds = dcmread(BytesIO(head + o.data), force=True)
            for tag in [t for t in list(ds.keys()) if _is_bulk(t)]:
                del ds[tag]
            if _WAVEFORMS in ds:
                for item in ds[_WAVEFORMS].value:
                    item.pop(_WAVEFORM, None)
            out = BytesIO()
            dcmwrite(out, ds, enforce_file_format=False)
    except DAMAGED:
        return None
    raw = out.getvalue()
    return raw[file_meta(raw)[1]:]


def _is_bulk(tag: BaseTag) -> bool:
    repeated = _REPEATED.get(tag.group & 0xFF00, ())
    return tag in _WHOLE or (tag.element in repeated and not tag.is_private)
