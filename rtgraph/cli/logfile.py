"""The log file: a line of JSON for each message, in files that several commands may share.

The file grows to a size, then gets a number (`rtgraph.log.1` is the newest of those) and the next
one begins; the oldest is removed. It holds what the terminal shows on stderr. Of mistakes in a
command only their kind is kept, because the words of a command may be identifiers.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from rtgraph.errors import UsageError
from rtgraph.text import plain

if TYPE_CHECKING:
    from rtgraph.config import Settings

FACTS = "facts"
# What people see; without a file it goes nowhere else.
terminal = logging.getLogger("rtgraph.terminal")
terminal.addHandler(logging.NullHandler())
terminal.propagate = False


class _Lines(logging.Formatter):
    """A record as a JSON object: when, how serious, which process and command, and what."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": when, "level": record.levelname.lower(), "pid": record.process,
                "command": sys.argv[1] if len(sys.argv) > 1 else "",
                "message": plain(record.getMessage())}
        return json.dumps(line | getattr(record, FACTS, {}), sort_keys=True)


class SharedFile(RotatingFileHandler):
    """A rotating file into which several processes write, one record at a time."""

    def __init__(self, file: Path, most_bytes: int, kept: int) -> None:
        from filelock import FileLock

        super().__init__(file, maxBytes=most_bytes, backupCount=kept, encoding="utf-8", delay=True)
        self._turn = FileLock(file.with_name(f"{file.name}.lock"))
        self.setFormatter(_Lines())

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8",
                    opener=lambda name, flags: os.open(name, flags, 0o600))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; the file is closed again, since another process may rename it."""
        try:
            with self._turn:
                super().emit(record)
                if self.stream is not None:
                    self.stream.close()
                    self.stream = None
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Go on: a full disk of the log file ends no work."""


def follow(settings: "Settings") -> None:
    """Write messages into the file of the settings from now on, when there is one.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    file = settings.log_file
    if file is None or any(isinstance(h, SharedFile) for h in terminal.handlers):
        return
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = SharedFile(file, settings.log_megabytes * 1_000_000, settings.log_keep)
        handler._open().close()
    except OSError as error:
        raise UsageError(f"The log file cannot be written: {error.strerror}.",
                         "Set log.file or RTGRAPH_LOG.") from error
    terminal.addHandler(handler)
    terminal.setLevel(logging.INFO)
    others = logging.getLogger("rtgraph")
    others.addHandler(handler)
    if logging.lastResort is not None:
        others.addHandler(logging.lastResort)  # warnings are seen on stderr as without a file
