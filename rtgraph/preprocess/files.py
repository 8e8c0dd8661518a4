"""Bytes of DICOM objects: plain files, and members of zip archives (`/folder/archive.zip!/name`).

Messages name UIDs, never paths: a path may hold the name of a patient.
"""

import io
import os
import zipfile
import zlib
from hashlib import blake2b
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.errors import InvalidDicomError

from rtgraph.preprocess.refusals import Code, Refused

_MEMBER = "!/"


def opened(location: str) -> BinaryIO:
    """Open a file or a member of an archive.

    Raises
    ------
    Refused
        FILE_MISSING: there is no such file, or it cannot be read.
    """
    try:
        if inside := _split(location):
            with zipfile.ZipFile(inside[0]) as zipped:
                return io.BytesIO(zipped.read(inside[1]))
        return open(location, "rb")
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, RuntimeError) as error:
        raise Refused(Code.FILE_MISSING, f"a file cannot be opened ({type(error).__name__})"
                      ) from error


def _split(location: str) -> tuple[str, str] | None:
    """Return archive and member of a location; None when it is a file of its own."""
    at = -1 if os.path.lexists(location) else location.find(_MEMBER)
    while at >= 0:
        if os.path.isfile(location[:at]):
            return location[:at], location[at + len(_MEMBER):]
        at = location.find(_MEMBER, at + 1)
    return None


def read(location: str, *, pixels: bool = True) -> FileDataset:
    """Read a DICOM object, with or without its pixel data.

    Raises
    ------
    Refused
        FILE_MISSING, or UNREADABLE: it is no DICOM object.
    """
    with opened(location) as stream:
        try:
            ds = dcmread(stream, stop_before_pixels=not pixels, force=True)
        except (InvalidDicomError, EOFError, ValueError, KeyError, OSError, NotImplementedError,
                RecursionError) as error:
            raise Refused(Code.UNREADABLE, f"a file is no DICOM object ({type(error).__name__})"
                          ) from error
    if "SOPInstanceUID" not in ds:
        raise Refused(Code.UNREADABLE, "a file is no DICOM object")
    return ds


_DIGESTED = 16 * 1024  # bytes of a data set that the graph's header_digest covers, at most
_LONG = (b"OB", b"OW", b"UN", b"SQ", b"UT", b"UC", b"UR", b"OF", b"OD", b"OL", b"OV", b"SV", b"UV")


def header_digest(location: str, size: int) -> str:
    """Return the digest that the graph keeps of an object: of its head and the size of the file.

    It covers the data set from its first element up to the pixel data, at most 16 KiB.
    """
    with opened(location) as stream:
        raw = stream.read(132 + 2 * _DIGESTED)
        start = _data_set(raw)
        stream.seek(0)
        try:
            dcmread(stream, stop_before_pixels=True, force=True)
            end = stream.tell()
        except (InvalidDicomError, EOFError, ValueError, KeyError, OSError, NotImplementedError):
            end = 0
    stop = min(start + _DIGESTED, end) if end > start else start + _DIGESTED
    return blake2b(raw[start:stop] + str(size).encode(), digest_size=16).hexdigest()


def _data_set(raw: bytes) -> int:
    """Return where the data set begins, behind preamble and file meta group (PS3.10 7.1)."""
    at = 132 if raw[128:132] == b"DICM" else 0
    while raw.startswith(b"\x02\x00", at):
        long = raw[at + 4:at + 6] in _LONG
        length = raw[at + 8:at + 12] if long else raw[at + 6:at + 8]
        at += (12 if long else 8) + int.from_bytes(length, "little")
    return at


def status(location: str) -> tuple[int, int]:
    """Return size and modification time (ns); a member has its own size and its archive's time.

    Raises
    ------
    Refused
        FILE_MISSING.
    """
    try:
        if inside := _split(location):
            with zipfile.ZipFile(inside[0]) as zipped:
                return zipped.getinfo(inside[1]).file_size, os.stat(inside[0]).st_mtime_ns
        found = os.stat(location)
        return found.st_size, found.st_mtime_ns
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise Refused(Code.FILE_MISSING, f"a file cannot be opened ({type(error).__name__})"
                      ) from error
