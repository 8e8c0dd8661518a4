"""Bytes of DICOM objects: plain files, and members of zip archives (`/folder/archive.zip!/name`).

Messages name UIDs, never paths: a path may hold the name of a patient.
"""

import io
import os
import zipfile
import zlib
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
        if _MEMBER in location and not os.path.lexists(location):
            archive, _, member = location.rpartition(_MEMBER)
            with zipfile.ZipFile(archive) as zipped:
                return io.BytesIO(zipped.read(member))
        return open(location, "rb")
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, RuntimeError) as error:
        raise Refused(Code.FILE_MISSING, f"a file cannot be opened ({type(error).__name__})"
                      ) from error


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
