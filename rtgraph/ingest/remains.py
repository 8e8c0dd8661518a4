"""What is left of a sequence in which the file ends.

pydicom gives such a sequence up as a whole. Here its bytes are walked once more, and everything is
kept that stands before the cut: references of a structure set that was sent in part.
"""

import struct
from collections.abc import MutableSequence
from dataclasses import dataclass
from typing import NamedTuple

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

UNDEFINED = 0xFFFFFFFF
_ITEM_END, _SEQUENCE_END = 0xFFFEE00D, 0xFFFEE0DD


class Header(NamedTuple):
    """Tag, VR (None when it is not stated) and length of an element or item."""

    tag: int
    vr: str | None
    length: int


@dataclass
class Remains:
    """The bytes from the first item of a sequence to the end of the file."""

    raw: bytes
    implicit: bool
    little: bool
    charset: str | MutableSequence[str]
    at: int = 0

    def items(self, length: int = UNDEFINED) -> list[Dataset]:
        """Return the items of a sequence, the last one with what is there of it."""
        end, found = self._end(length), []
        while (head := self._header(end)) and head.tag != _SEQUENCE_END:
            found.append(self._data_set(head.length))
        return found

    def _end(self, length: int) -> int:
        return len(self.raw) if length == UNDEFINED else min(self.at + length, len(self.raw))

    def _data_set(self, length: int) -> Dataset:
        end, ds = self._end(length), Dataset()
        ds.set_original_encoding(self.implicit, self.little, self.charset)
        while (head := self._header(end)) and head.tag != _ITEM_END:
            tag = BaseTag(head.tag)
            if head.vr == "SQ" or head.length == UNDEFINED:
                ds[tag] = DataElement(tag, "SQ", Sequence(self.items(head.length)))
                continue
            value = self.raw[self.at : self.at + head.length]
            if len(value) == head.length:
                ds[tag] = RawDataElement(
                    tag, head.vr, head.length, value, self.at, self.implicit, self.little)
            self.at += head.length
        return ds

    def _header(self, end: int) -> Header | None:
        """Read the header of an element or item; None at the end of what holds it."""
        order = "<" if self.little else ">"
        raw, start = self.raw, self.at
        self.at = start + 8
        if self.at > end:
            self.at = end
            return None
        group, element, length = struct.unpack_from(f"{order}HHI", raw, start)
        tag = group << 16 | element
        if group == 0xFFFE:
            return Header(tag, None, length)
        if self.implicit:
            return Header(tag, _known_vr(tag), length)
        vr = raw[start + 4 : start + 6].decode("latin-1")
        if vr not in EXPLICIT_VR_LENGTH_32:
            return Header(tag, vr, struct.unpack_from(f"{order}H", raw, start + 6)[0])
        self.at += 4
        if self.at > end:
            self.at = end
            return None
        return Header(tag, vr, struct.unpack_from(f"{order}I", raw, start + 8)[0])


def _known_vr(tag: int) -> str | None:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return None
