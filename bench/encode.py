"""Bytes of objects: whole files by pydicom, and templates whose fields are filled by copying.

A template is a file whose varying fields hold marks of fixed width. Filling it joins the constant
parts with the new fields, which takes microseconds; so a cohort of any size can be written.
"""

import re
import struct
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from bench.objects import ROOT, undefined_lengths

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"


def file_bytes(ds: Dataset, syntax: str, *, undefined: bool = False) -> bytes:
    """Return a DICOM file in a transfer syntax, sequences with or without lengths."""
    if undefined:
        undefined_lengths(ds)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = UID(ROOT + "1")
    meta.ImplementationVersionName = "RTGRAPH_BENCH"
    ds.file_meta = meta
    stream = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(stream, ds, enforce_file_format=True)
    return stream.getvalue()


@dataclass(frozen=True, slots=True)
class Encoder:
    """Writes the few sequences of a template that have as many items as a series has images."""

    implicit: bool
    undefined: bool

    def text(self, tag: int, vr: str, value: bytes) -> bytes:
        """Return an element; `value` has an even length."""
        if self.implicit:
            return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value
        return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value

    def sequence(self, tag: int, items: Sequence[bytes]) -> bytes:
        """Return a sequence of items that are encoded already."""
        if self.undefined:
            body = b"".join(
                b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + i + b"\xfe\xff\x0d\xe0\0\0\0\0" for i in items
            ) + b"\xfe\xff\xdd\xe0\0\0\0\0"
            length = 0xFFFFFFFF
        else:
            body = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(i)) + i for i in items)
            length = len(body)
        if self.implicit:
            return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length) + body
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"SQ", 0, length) + body


@dataclass(frozen=True, slots=True)
class Template:
    """A file in parts; every second part is the name of a field."""

    constant: tuple[bytes, ...]
    fields: tuple[str, ...]

    @classmethod
    def of(cls, data: bytes, marks: Mapping[str, bytes]) -> "Template":
        """Cut a file at its marks; a mark that is not in the file is not asked for later."""
        names = {mark: name for name, mark in marks.items()}
        pattern = re.compile(b"|".join(
            re.escape(m) for m in sorted(names, key=len, reverse=True)))
        parts, fields, at = [], [], 0
        for found in pattern.finditer(data):
            parts.append(data[at : found.start()])
            fields.append(names[found[0]])
            at = found.end()
        return cls((*parts, data[at:]), tuple(fields))

    def partly(self, values: Mapping[str, bytes]) -> "Template":
        """Fill the fields of `values` and keep the others open."""
        parts, fields = [self.constant[0]], []
        for name, after in zip(self.fields, self.constant[1:], strict=True):
            if name in values:
                parts[-1] += values[name] + after
            else:
                fields.append(name)
                parts.append(after)
        return Template(tuple(parts), tuple(fields))

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """Return the file."""
        parts = [self.constant[0]]
        for name, after in zip(self.fields, self.constant[1:], strict=True):
            parts.append(values[name])
            parts.append(after)
        return b"".join(parts)


BLOB_MARKS = {"blob0": b"@BLOB-0@", "blob1": b"@BLOB-1@"}


def put_blob(ds: Dataset, tag: int, mark: bytes) -> None:
    """Hold the place of a whole element."""
    ds.add_new(tag, "OB", mark)


def without_blob_headers(data: bytes, implicit: bool) -> bytes:
    """Take away the headers of the elements that hold places, so that whole elements fit in."""
    width = 8 if implicit else 12
    for mark in BLOB_MARKS.values():
        at = data.find(mark)
        if at >= 0:
            data = data[: at - width] + data[at:]
    return data
