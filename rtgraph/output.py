"""Write results: whole or not at all, and over nothing unless that is asked for."""

import os
from pathlib import Path

from rtgraph.errors import OutputError


def write_file(content: str | bytes, path: Path, *, force: bool) -> None:
    """Write a file under a temporary name, then rename it; text is UTF-8 whatever the locale.

    The message of an error does not repeat the path, which can hold names of patients.
    """
    part = path.parent / f".{path.name}.{os.getpid()}.part"
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    try:
        refuse_existing(path, force=force)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        hint = "Is the folder writable? Choose another one with --output."
        raise OutputError(f"The file cannot be written: {reason}.", hint) from error


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse to overwrite a file.

    Raises
    ------
    OutputError
        It exists and `force` is false.
    """
    if not force and path.exists():
        raise OutputError("The file exists already.", "Overwrite it with --force.")
