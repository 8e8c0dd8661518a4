"""Files that are written safely: whole under their name or not at all, and on the disk for sure."""

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock


def write(file: int, *parts: bytes | memoryview) -> None:
    """Write all of the parts to an open file."""
    for part in parts:
        left = memoryview(part)
        while left:
            left = left[os.write(file, left):]


def link(temporary: Path, target: Path, naming: Lock) -> bool:
    """Give a file its name; False when the name is taken. A link never replaces a file."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        with naming:
            if target.exists():
                return False
            os.rename(temporary, target)
    return True


def sync(paths: Sequence[str], base: Path, *, files: bool) -> None:
    """Wait until files and the folders that name them are on the disk."""
    folders: set[Path] = set()
    for path in map(Path, paths):
        if files:
            _fsync(path, os.O_RDONLY)
        folders |= {f for f in path.parents if f.is_relative_to(base)}
    for folder in sorted(folders):
        _fsync(folder, getattr(os, "O_DIRECTORY", 0))


def _fsync(path: Path, flags: int) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle of a folder
    try:
        file = os.open(path, flags)
    except FileNotFoundError:  # read into the graph and removed since
        return
    try:
        os.fsync(file)
    finally:
        os.close(file)
