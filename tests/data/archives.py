"""Zip archives of folders, and archives with what no honest program writes; DICOMDIR."""

import gc
import struct
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

from pydicom.fileset import FileSet

_LOCAL, _CENTRAL = b"PK\3\4", b"PK\1\2"
# Offsets of a field behind the signature of the local and of the central header.
FLAGS, METHOD, CRC, COMPRESSED, SIZE = (6, 8), (8, 10), (14, 16), (18, 20), (22, 24)


def zipped(folder: Path, archive: Path) -> Path:
    """Write every file of a folder into an archive."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            made.write(path, path.relative_to(folder).as_posix())
    return archive


def zip_of(archive: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write an archive of these members, whatever their names; a name may come again."""
    with zipfile.ZipFile(archive, "w", method) as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in members:
            made.writestr(name, data)
    return archive


def with_field(raw: bytes, field: tuple[int, int], value: int, size: int) -> bytes:
    """Return an archive with another value in both headers of its first member."""
    changed = bytearray(raw)
    for signature, offset in zip((_LOCAL, _CENTRAL), field, strict=True):
        at = raw.index(signature) + offset
        changed[at : at + size] = struct.pack("<Q", value)[:size]
    return bytes(changed)


def write_directory(files: Iterable[Path], folder: Path) -> Path:
    """Write copies of files as a file-set with its DICOMDIR, as media have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves a folder to be cleaned up
        made = FileSet()
        for path in files:
            made.add(path)
        made.write(folder)
        del made
        gc.collect()
    return folder / "DICOMDIR"
