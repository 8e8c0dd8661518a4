"""The jars of the managed server: what `jars.lock` names, fetched once, checked before each start.

Where a jar came from does not count, only its sha256 in the lock file: a folder that was filled on
another machine is as good as a fetched one. `jgo` fetches; it writes in place and only warns of a
wrong sum, so each jar goes to a staging folder, is checked here, and is moved under its own name.
"""

import errno
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from rtgraph.errors import LocalServerError

Report = Callable[[str], None]

_THREADS = 12
_OTHER_WAYS = (
    "Set HTTPS_PROXY or REQUESTS_CA_BUNDLE if the network needs them; or copy the jar folder of"
    " another machine and name it with RTGRAPH_JARS; or use an existing server with RTGRAPH_URI."
)


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock file."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str
    size: int

    def __str__(self) -> str:
        return ":".join(filter(None, (self.group, self.artifact, self.version, self.classifier)))

    @property
    def file_name(self) -> str:
        """The name in the jar folder, which is flat."""
        return "-".join(filter(None, (self.artifact, self.version, self.classifier))) + ".jar"


def locked() -> list[Jar]:
    """Return the jars of `jars.lock`; it is sorted, so the class path is the same everywhere."""
    return read_lock(files("rtgraph.store").joinpath("jars.lock").read_text(encoding="utf-8"))


def read_lock(text: str) -> list[Jar]:
    """Return the jars of a lock file, which `tools/lock_jars.py` writes."""
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return [Jar(g, a, v, c.strip("-"), sha256, int(size)) for g, a, v, c, sha256, size in rows]


def neo4j_version() -> str:
    """Return the version of Neo4j Community that the lock file names."""
    return next(j.version for j in locked() if (j.group, j.artifact) == ("org.neo4j", "neo4j"))


def default_folder() -> Path:
    """Return the jar folder in the user's cache; all homes share it."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("rtgraph", appauthor=False)) / "jars"


def ensure(jars: Sequence[Jar], folder: Path, *, offline: bool, report: Report) -> list[Path]:
    """Return the files of `jars` in `folder`, each with its sha256; fetch what is not there.

    A jar that was changed counts as absent. A fetch that was broken off goes on where it stopped.
    """
    with usable(folder, "RTGRAPH_JARS"):
        missing = _missing(jars, folder)
        if missing and offline:
            raise LocalServerError(
                f"Neo4j is not complete in {folder}, and local.offline forbids fetching:"
                f" {_count(missing)} absent or changed, the first is {missing[0].file_name}.",
                "Run `rtgraph up` once without it, or copy the jar folder of another machine.",
            )
        if missing:
            folder.mkdir(parents=True, exist_ok=True)
            with exclusive(folder / ".rtgraph-lock", "wait: another command fetches Neo4j", report):
                _fetch(_missing(jars, folder), len(jars), folder, report)
    return [folder / jar.file_name for jar in jars]


@contextmanager
def usable(folder: Path, variable: str) -> Iterator[None]:
    """Turn a full disk, a missing permission and the like into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            problem, remedy = f"The disk of {folder} is full.", "Free some space"
        else:
            reason = error.strerror or error
            problem, remedy = f"{folder} cannot be used: {reason}.", "Make it writable"
        hint = f"{remedy}, or name another folder with {variable}."
        raise LocalServerError(problem, hint) from error


@contextmanager
def exclusive(file: Path, busy: str, report: Report) -> Iterator[None]:
    """Let one process at a time pass, and say so when this one has to wait."""
    from filelock import FileLock, Timeout

    lock = FileLock(file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        report(busy)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _missing(jars: Sequence[Jar], folder: Path) -> list[Jar]:
    """Return the jars that are absent or not as locked; 155 MB take 0.1 s on two cores."""
    with ThreadPoolExecutor() as pool:
        sound = pool.map(lambda jar: _is_sound(folder / jar.file_name, jar), jars)
        return [jar for jar, good in zip(jars, sound, strict=True) if not good]


def _is_sound(file: Path, jar: Jar) -> bool:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


def _fetch(jars: Sequence[Jar], all_jars: int, folder: Path, report: Report) -> None:
    """Fetch `jars` side by side; the first failure ends it, and what is complete stays."""
    if not jars:  # another command was faster
        return
    total = _count(jars)
    report(
        f"Neo4j Community {neo4j_version()} (GPLv3, a separate program) is not"
        f" {'here' if len(jars) == all_jars else 'complete here'} yet:"
        f" fetching {total}, {_megabytes(jars)}"
    )
    logging.getLogger("jgo").setLevel(logging.ERROR)  # it warns of sums that are checked here
    staging = folder / ".rtgraph-fetch"
    shutil.rmtree(staging, ignore_errors=True)  # left by a process that was killed
    staging.mkdir()
    pool = ThreadPoolExecutor(_THREADS)
    try:
        tasks = {pool.submit(_fetch_one, jar, folder, staging): jar for jar in jars}
        for done in _each_second(tasks):
            report(f"fetch {len(done)} of {total}, {_megabytes(tasks[task] for task in done)}")
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(staging, ignore_errors=True)
    report("fetch done, sha256 of every file as locked")


def _each_second(tasks: Iterable[Future[None]]) -> Iterator[set[Future[None]]]:
    """Yield the finished tasks about every second until all are; raise what one of them raised."""
    waiting = set(tasks)
    done: set[Future[None]] = set()
    while waiting:
        fresh, waiting = wait(waiting, timeout=1, return_when=FIRST_EXCEPTION)
        for task in fresh:
            task.result()
        done |= fresh
        yield done


def _fetch_one(jar: Jar, folder: Path, staging: Path) -> None:
    """Fetch one jar; what fails is removed and tried again once."""
    try:
        _download(jar, folder, staging)
    except LocalServerError:
        _download(jar, folder, staging)


def _download(jar: Jar, folder: Path, staging: Path) -> None:
    """Download into a folder of its own, which vanishes, and move what is as locked."""
    from jgo.maven import MavenContext
    from requests import RequestException

    with TemporaryDirectory(dir=staging) as fresh:
        context = MavenContext(repo_cache=Path(fresh), timeout=30)
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        try:
            file = component.artifact(jar.classifier, "jar").resolve()
        except RequestException as error:
            problem = f"Maven Central was not reached for {jar} ({type(error).__name__})."
            raise LocalServerError(problem, _OTHER_WAYS) from error
        except RuntimeError as error:  # the one answer of jgo to every status but 200
            problem = f"Maven Central, or a proxy before it, does not give {jar}."
            raise LocalServerError(problem, _OTHER_WAYS) from error
        if not _is_sound(file, jar):
            problem = f"{jar} came damaged or changed: its sha256 is not the locked one."
            raise LocalServerError(problem, _OTHER_WAYS)
        os.replace(file, folder / jar.file_name)


def _count(jars: Sequence[Jar]) -> str:
    return f"{len(jars)} file{'s' * (len(jars) != 1)}"


def _megabytes(jars: Iterable[Jar]) -> str:
    return f"{sum(jar.size for jar in jars) / 1e6:.0f} MB"
