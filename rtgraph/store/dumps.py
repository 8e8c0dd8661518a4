"""A managed graph as one file: written and read by Neo4j's own tool while the server is stopped."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from rtgraph.config import Settings
from rtgraph.errors import LocalServerError, OutputError, UsageError
from rtgraph.store import local

_DATABASE = "neo4j"
_PLACES = ("databases", "transactions")


def has_graph(home: Path) -> bool:
    """Tell whether a home holds a database, be it empty."""
    return (home / "data" / "databases" / _DATABASE).is_dir()


def dump(settings: Settings, file: Path, report: local.Report) -> int:
    """Write the graph of a home into `file`, which only the user can read; return its bytes.

    Raises
    ------
    LocalServerError
        The home holds no graph, or Neo4j's tool failed.
    OutputError
        The file cannot be written.
    """
    home = settings.home.resolve()
    if not has_graph(home):
        raise LocalServerError(f"There is no graph in {home}.",
                               "Name the home with --data or RTGRAPH_HOME.")
    with _beside(file) as folder:
        with local.stopped(settings, report) as tool:
            tool.run("database", "dump", _DATABASE, f"--to-path={folder}",
                     what="Neo4j did not write the graph",
                     hint=f"The graph is as it was. Is there room on the disk of {file.parent}?")
        made = folder / f"{_DATABASE}.dump"
        made.chmod(0o600)
        size = made.stat().st_size
        os.replace(made, file)
    return size


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """Yield a folder on the disk of `file`, which vanishes with what is in it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise OutputError(f"The file cannot be written: {error.strerror}.") from error


def load(settings: Settings, file: Path, report: local.Report) -> None:
    """Put the graph of a file in the place of that of a home, which stays when this fails.

    Raises
    ------
    UsageError
        The file cannot be read.
    LocalServerError
        Neo4j's tool does not take it.
    """
    try:
        file.open("rb").close()
    except OSError as error:
        raise UsageError(f"The dump cannot be read: {error.strerror}.") from error
    with local.stopped(settings, report) as tool, _set_aside(settings.home.resolve() / "data"):
        tool.run("database", "load", _DATABASE, "--from-stdin", "--overwrite-destination=true",
                 source=file, what="Neo4j did not take the dump",
                 hint="The graph of the home is as it was. Is this a file of rtgraph db dump?")


@contextmanager
def _set_aside(data: Path) -> Iterator[None]:
    """Move the database out of the way; move it back when what follows fails."""
    data.mkdir(exist_ok=True)
    kept = Path(mkdtemp(prefix="before-load-", dir=data))
    there = [p for p in _PLACES if (data / p / _DATABASE).exists()]
    for place in there:
        (data / place / _DATABASE).rename(kept / place)
    try:
        yield
    except BaseException:
        for place in _PLACES:
            shutil.rmtree(data / place / _DATABASE, ignore_errors=True)
            if place in there:
                (kept / place).rename(data / place / _DATABASE)
        with suppress(OSError):
            kept.rmdir()
        raise
    shutil.rmtree(kept, ignore_errors=True)
