"""The only way to bytes: plain files, and members of zip archives (`/folder/archive.zip!/member`).

Nothing is ever extracted: the name of a member only names, so it may be as hostile as it likes.
Whatever is wrong with an archive is an `OSError` without names, like a disk that cannot be read.
"""

import os
import re
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from errno import EINVAL, EIO, ENOENT, ENOMEM, ENOTDIR
from io import BytesIO
from struct import error as StructError
from threading import Lock
from typing import IO, BinaryIO

SEPARATOR = "!/"
_SUFFIX = ".zip"
_SIGNATURES = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_AT_ONCE = 1024 * 1024
_OPEN_ARCHIVES = 4
# zipfile inflates these piece by piece; bzip2 and LZMA it inflates without a limit.
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_LARGEST = 4 * 1024**3
_LARGE = 64 * 1024**2
_RATIO = 1000
_DAMAGED = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, StructError, EOFError,
            RuntimeError, LookupError, ValueError, OverflowError, AssertionError)

_SHORTER = "a member of the archive is shorter than declared"

_Version = tuple[int, int, int]  # inode, size, mtime
_archives: OrderedDict[str, tuple[_Version, zipfile.ZipFile]] = OrderedDict()
_lock = Lock()


def read(location: str, n: int | None = None) -> bytes:
    """Return the first `n` bytes of a file or member, or all.

    Raises
    ------
    OSError
        It cannot be read; a damaged, encrypted or absurd member has EIO.
    """
    try:
        inside = split(location) if SEPARATOR in location else None
        return _read_file(location, n) if inside is None else _read_member(*inside, n)
    except MemoryError:
        raise OSError(ENOMEM, os.strerror(ENOMEM)) from None
    except ValueError:  # no path: it holds a zero byte or characters that cannot be encoded
        raise OSError(EINVAL, os.strerror(EINVAL)) from None


def _read_file(location: str, n: int | None) -> bytes:
    file = os.open(location, _FLAGS)
    try:
        if n is None or n > _AT_ONCE:  # a buffer as large as the file, not as the wish
            size = os.fstat(file).st_size
            n = size if n is None else min(n, size)
        data = os.read(file, n)
        if len(data) == n:
            return data
        parts = [data]
        while data and (n := n - len(data)):
            parts.append(data := os.read(file, n))
        return b"".join(parts)
    finally:
        os.close(file)


def split(location: str) -> tuple[str, str] | None:
    """Return archive and member of a location; None when it is no member of an archive here."""
    at = location.find(SEPARATOR)
    if at >= 0 and os.path.lexists(location):  # a folder may have such a name
        return None
    while at >= 0:
        archive = location[:at]
        if has_suffix(archive) and os.path.isfile(archive):
            return archive, location[at + len(SEPARATOR):]
        at = location.find(SEPARATOR, at + 1)
    return None


def above(path: str) -> list[str]:
    """Return the folders and archives that a path of the graph is in, as paths of the graph."""
    folders = [path[: m.end()] for m in re.finditer("[:/]", path)]
    names = (folder.removesuffix(SEPARATOR) for folder in folders if folder.endswith(SEPARATOR))
    return [*folders, *(name for name in names if has_suffix(name))]


def is_member(location: str) -> bool:
    """Tell whether a location is in an archive that is here."""
    return SEPARATOR in location and split(location) is not None


def has_suffix(name: str) -> bool:
    """Tell whether a file may be an archive by its name."""
    return name[-len(_SUFFIX):].lower() == _SUFFIX


def is_archive(location: str) -> bool:
    """Tell whether a file is a zip archive by its content, be it damaged."""
    head = read(location, 132)
    with _eio():
        return head.startswith(_SIGNATURES) or (
            head[128:] != b"DICM" and zipfile.is_zipfile(location))


def status(location: str) -> tuple[int, int]:
    """Return size and mtime; a member has its own size, and the time of its archive.

    Raises
    ------
    OSError
        There is no such file or member.
    """
    inside = split(location) if SEPARATOR in location else None
    if inside is None:
        try:
            plain = os.stat(location)
        except ValueError:
            raise OSError(EINVAL, os.strerror(EINVAL)) from None
        return plain.st_size, plain.st_mtime_ns
    with _lock, _eio():
        archive = _archive(inside[0])
        info = archive.NameToInfo.get(inside[1])
        if info is None or info.is_dir():
            raise OSError(ENOENT, os.strerror(ENOENT))
        return info.file_size, _archives[inside[0]][0][-1]


def is_gone(location: str) -> bool | None:
    """Tell whether there is no such file or member; None when that cannot be seen at the moment.

    A folder that may not be entered, a share that does not answer and a damaged archive tell
    nothing about what is in them.
    """
    try:
        status(location)
    except OSError as error:
        return True if error.errno in (ENOENT, ENOTDIR) else None
    return False


def members(archive: str) -> list[tuple[str, int]]:
    """Return names and sizes of the members of an archive by name, without its folders.

    Raises
    ------
    OSError
        The archive is damaged, or its list of members encrypted.
    """
    with _eio(), zipfile.ZipFile(archive) as opened:
        infos = opened.NameToInfo.values()  # of several with one name, the last
        return sorted((i.filename, i.file_size) for i in infos if not i.is_dir())


def blocks(location: str, size: int = _AT_ONCE) -> Generator[bytes, None, None]:
    """Yield all bytes of a file or member, in blocks of `size`; the last one may be shorter.

    Raises
    ------
    OSError
        As `read`.
    """
    inside = split(location) if SEPARATOR in location else None
    if inside is None:
        with _plain(location) as file:
            while block := file.read(size):
                yield block
        return
    with _eio(), _member(*inside) as (stream, left):
        while left:
            block = stream.read(min(size, left))
            left -= len(block)
            if not block:
                raise OSError(EIO, _SHORTER)
            yield block


@contextmanager
def opened(location: str) -> Iterator[BinaryIO]:
    """Open a file or member for reading; a member is held in memory.

    Raises
    ------
    OSError
        As `read`.
    """
    if is_member(location):
        yield BytesIO(read(location))
        return
    with _plain(location) as stream:
        yield stream


def _plain(location: str) -> BinaryIO:
    try:
        return open(location, "rb")
    except ValueError:
        raise OSError(EINVAL, os.strerror(EINVAL)) from None


def _read_member(archive: str, member: str, n: int | None) -> bytes:
    with _eio(), _member(archive, member) as (stream, size):
        # Never more than is declared: asked for all, zipfile would inflate what there is.
        wanted = size if n is None else min(n, size)
        data = stream.read(wanted)
    if len(data) < wanted:
        raise OSError(EIO, _SHORTER)
    return data


@contextmanager
def _member(archive: str, member: str) -> Iterator[tuple[IO[bytes], int]]:
    """Open a member; with it comes its size."""
    with _lock:
        opened = _archive(archive)
        info = opened.getinfo(member)
        _refuse_absurd(info)
        stream = opened.open(info)
    with stream:
        yield stream, info.file_size


def _refuse_absurd(info: zipfile.ZipInfo) -> None:
    """Refuse what is made to fill the memory."""
    if info.compress_type not in _COMPRESSIONS:
        raise OSError(EIO, "a member of the archive has an unsupported compression")
    ratio = info.file_size / max(info.compress_size, 1)
    if info.file_size > _LARGEST or (info.file_size > _LARGE and ratio > _RATIO):
        raise OSError(EIO, "a member of the archive declares an absurd size")


def _archive(path: str) -> zipfile.ZipFile:
    """Return an archive that is kept open as long as it stays the same; the lock is held."""
    now = os.stat(path)
    version = (now.st_ino, now.st_size, now.st_mtime_ns)
    kept, archive = _archives.pop(path, (None, None))
    if archive is None or kept != version:
        if archive is not None:
            archive.close()
        archive = zipfile.ZipFile(path)
    _archives[path] = version, archive
    while len(_archives) > _OPEN_ARCHIVES:
        _archives.popitem(last=False)[1][1].close()
    return archive


def close() -> None:
    """Close the archives that are kept open."""
    with _lock:
        while _archives:
            _archives.popitem()[1][1].close()


@contextmanager
def _eio() -> Iterator[None]:
    """Whatever zipfile raises about an archive becomes an `OSError` without names."""
    try:
        yield
    except MemoryError:
        raise OSError(ENOMEM, os.strerror(ENOMEM)) from None
    except _DAMAGED:
        raise OSError(EIO, "the archive or its member is damaged or encrypted") from None


def _forget() -> None:
    """A forked process shares the offset of open files: it must open its own."""
    global _lock
    _lock = Lock()
    _archives.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
