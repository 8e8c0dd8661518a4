"""A run: the IngestRun node, the reject list, the worker processes, and the summary.

Everything around the pipeline that has an effect outside of the graph's content stands here.
"""

import asyncio
import json
import multiprocessing
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from rtgraph import __version__
from rtgraph.config import Settings
from rtgraph.errors import OutputError, ServerError
from rtgraph.graphmodel import questions, schema, statements
from rtgraph.ingest.discover import actual, readable
from rtgraph.ingest.parse import PARSER_VERSION
from rtgraph.ingest.pipeline import Options, Progress, ingest
from rtgraph.ingest.records import Rejected, State
from rtgraph.store.bolt import Counters, Store

_COUNTS = """\
CALL () { MATCH (n:Patient) RETURN count(n) AS patients }
CALL () { MATCH (n:Study) WHERE NOT n:Missing RETURN count(n) AS studies }
CALL () { MATCH (n:Series) WHERE NOT n:Missing RETURN count(n) AS series }
CALL () { MATCH (n:Instance) RETURN count(n) AS all_instances }
CALL () { MATCH (n:Missing) WHERE n:Instance RETURN count(n) AS missing_instances }
CALL () { MATCH (:Instance)-[r:REFERENCES]->(:Instance) RETURN count(r) AS of_objects }
CALL () { MATCH (:Series)-[r:REFERENCES]->(:Instance) RETURN count(r) AS of_images }
CALL () { MATCH (b:Missing)<-[r:REFERENCES]-() WHERE b:Instance RETURN count(r) AS unresolved }
CALL () { MATCH (:Series)-[r:REFERENCES]->(:Series) RETURN count(r) AS series_references }
CALL () { MATCH ()-[r:SHARES_FOR]->() RETURN count(r) AS shares_for }
CALL () { MATCH (n:FrameOfReference) RETURN count(n) AS frames }
RETURN patients, studies, series, all_instances - missing_instances AS instances,
       missing_instances, of_objects + of_images AS references, unresolved, series_references,
       shares_for, frames"""


@dataclass
class Summary:
    """What a run did; the counts of files add up to `n_files`."""

    run_id: str
    state: str
    seconds: float
    progress: Progress = field(repr=False)
    before: Mapping[str, int] = field(default_factory=dict)
    after: Mapping[str, int] = field(default_factory=dict)
    rejects_file: Path | None = None

    @property
    def n_files(self) -> int:
        """Files that were seen."""
        return self.progress.seen

    @property
    def unchanged(self) -> bool:
        """Tell whether the graph is the same as before the run."""
        return self.progress.changes == Counters() and not self.progress.states[State.INDEXED]


async def counts(store: Store) -> dict[str, int]:
    """Count what is in the graph."""
    rows = await store.read(_COUNTS)
    return {name: int(n) for name, n in rows[0].items()}


async def run_ingest(
    store: Store, paths: Sequence[Path], settings: Settings, *, options: Options,
    progress: Progress, rejects_file: Path | None = None, jobs: int | None = None,
) -> Summary:
    """Do one run and leave an IngestRun node; an interrupted one says so and can be repeated."""
    key = await store.prepare(schema.schema())
    started = datetime.now(UTC)
    run_id = f"{started:%Y-%m-%dT%H:%M:%SZ}-{secrets.token_hex(2)}"
    node = {
        "id": run_id, "started": started, "finished": None, "state": "RUNNING",
        "tool_version": __version__, "parser_version": PARSER_VERSION,
        "table_version": schema.table_version(), "n_files": None, "n_instances": None,
        "n_rejected": None, "counts": None,
        "options": json.dumps({"full": options.full, "writers": options.writers,
                               "batch": options.batch}, sort_keys=True),
    }
    before = await counts(store)
    roots = {r["name"]: actual(r["path"]) for r in await store.read(questions.ROOTS)}
    for name, folder in settings.real_roots().items():
        if roots.get(name) != folder:
            await store.write(statements.ROOT_NODE, name=name, path=readable(folder))
    roots |= settings.real_roots()
    state = "FAILED"
    try:
        await store.write(statements.RUN_NODE, **node)
        with reject_list(rejects_file) as rejected, workers(jobs) as executor:
            await ingest(store, paths, executor, key=key, run_id=run_id, roots=roots,
                         options=options, progress=progress, rejected=rejected)
        progress.states = +progress.states  # states without a file go
        state = "DONE"
    except asyncio.CancelledError:
        state = "INTERRUPTED"
        raise
    except BaseExceptionGroup as group:
        raise _first(group) from group
    finally:
        finished = datetime.now(UTC)
        # A server that is lost is what is told; it cannot be told to the graph as well.
        with suppress(*([] if state == "DONE" else [ServerError])):
            await asyncio.shield(store.write(statements.RUN_NODE, **node | {
                "finished": finished, "state": state, "n_files": progress.seen,
                "n_instances": progress.states[State.INDEXED],
                "n_rejected": progress.states[State.REJECTED],
                "counts": json.dumps({s.value: progress.states[s] for s in State}, sort_keys=True),
            }))
    return Summary(run_id, state, (finished - started).total_seconds(), progress, before,
                   await counts(store), rejects_file if progress.states[State.REJECTED] else None)


def _first(error: BaseException) -> BaseException:
    """Return what ended a TaskGroup: the first error of those that it gathers."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@contextmanager
def workers(jobs: int | None) -> Iterator[Executor | None]:
    """Yield a pool of worker processes; one job reads in this process."""
    n = jobs or os.cpu_count() or 1
    if n == 1:
        yield None
        return
    # spawn: the parent has threads and open connections, which a fork would copy
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n, mp_context=context, initializer=_ignore_interrupt)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    """Ctrl-C is for the parent, which lets the current batch finish."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def reject_list(path: Path | None) -> Iterator[Callable[[Rejected], None]]:
    """Yield a function that writes one JSON line a rejected file, readable by the user only.

    The list holds paths, which may hold names of patients; nothing else shows them. The file is
    made when the first line is written; a later run adds its lines, since files that were rejected
    before are not read again. A file of another kind is never written to.
    """
    stream: TextIO | None = None

    def write(rejected: Rejected) -> None:
        nonlocal stream
        if path is None:
            return
        if stream is None:
            stream = _private(path)
        stream.write(json.dumps({
            "path": rejected.file.location.encode("utf-8", "backslashreplace").decode(),
            "reason": rejected.reason.value, "detail": rejected.detail,
        }, sort_keys=True) + "\n")

    try:
        yield write
    finally:
        if stream is not None:
            stream.close()


def _private(path: Path) -> TextIO:
    try:
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as kept:
                if not kept.readline().startswith('{"detail": '):
                    raise OutputError("The file for rejected files is something else.",
                                      "Name another one with --rejects FILE.")
            path.chmod(0o600)
        return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "a",
                         encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"The list of rejected files cannot be written: {error.strerror}.",
            "Name another place with --rejects FILE.") from error
