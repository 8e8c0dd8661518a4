"""A run: the IngestRun node, the reject list, and the summary.

Everything around the pipeline that has an effect outside of the graph's content stands here.
"""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rtgraph import __version__
from rtgraph.config import Settings
from rtgraph.errors import ServerError, first_of
from rtgraph.graphmodel import schema, statements
from rtgraph.ingest.known import claim_roots
from rtgraph.ingest.lifetime import mark_killed, stopping, this_process
from rtgraph.ingest.parse import PARSER_VERSION, Plan
from rtgraph.ingest.pipeline import Options, Progress, Source, ingest
from rtgraph.ingest.pool import workers
from rtgraph.ingest.prune import may_prune
from rtgraph.ingest.records import State
from rtgraph.ingest.rejected import Notice, Retry, reject_list
from rtgraph.ingest.revise import Run
from rtgraph.ingest.tags import UserTag, remember
from rtgraph.store.bolt import Counters, Store

__all__ = ["Summary", "counts", "reject_list", "run_ingest", "stopping", "workers"]

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
    reject_lines: tuple[int, int] = (0, 0)

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
    executor: str | None = None, stop: asyncio.Event | None = None,
    tags: Sequence[UserTag] = (), retry: Retry | None = None, retry_file: bool = False,
    notice: Notice | None = None, source: Source | None = None,
) -> Summary:
    """Do one run and leave an IngestRun node; an interrupted one says so and can be repeated.

    Parameters
    ----------
    executor : str, optional
        Address of a cluster that reads the files, instead of processes of this machine.
    stop : asyncio.Event, optional
        Once set, the run writes what it has read and ends as INTERRUPTED; see `stopping`.
    tags : sequence of UserTag
        Attributes besides those that the graph knows from earlier runs.
    retry : Retry, optional
        What of the files below `paths` is read: a list of rejected files.
    retry_file : bool
        Whether `rejects_file` is that list; it then holds what still fails.
    notice : callable, optional
        Gets each rejected file and its line in the list.

    Raises
    ------
    TooManyRejects
        More files were rejected than the options allow.
    """
    stop = stop or asyncio.Event()
    key = await store.prepare(schema.schema(), upgrade=True)
    started = datetime.now(UTC)
    run_id = f"{started:%Y-%m-%dT%H:%M:%SZ}-{secrets.token_hex(2)}"
    node = {
        "id": run_id, "started": started, "finished": None, "state": "RUNNING",
        "tool_version": __version__, "parser_version": PARSER_VERSION,
        "table_version": schema.table_version(), "n_files": None, "n_instances": None,
        "n_rejected": None, "counts": None, "process": this_process(key),
        "options": json.dumps({"full": options.full, "writers": options.writers,
                               "batch": options.batch}, sort_keys=True),
    }
    before = await counts(store)
    await mark_killed(store, key)
    state = "FAILED"
    try:
        await store.change(statements.RUN_NODE, **node)
        known = await remember(store, tags)
        progress.fresh_tags = known.fresh
        with (reject_list(rejects_file, notice=notice, again=retry_file) as rejected,
              workers(jobs, executor) as readers):
            start = await claim_roots(store, paths, settings.real_roots())
            if options.prune:
                await may_prune(store, start.paths, start.roots)
            run = Run(run_id, start.roots, Plan(key, options.names, known.tags))
            done = await ingest(store, start, readers, run=run, options=options, retry=retry,
                                progress=progress, rejected=rejected, stop=stop, source=source)
            rejected.complete = done
        progress.states = +progress.states  # states without a file go
        state = "DONE" if done else "STOPPED" if progress.too_many else "INTERRUPTED"
        if progress.too_many:
            raise progress.too_many
    except asyncio.CancelledError:
        state = "INTERRUPTED"
        raise
    except BaseExceptionGroup as group:
        raise first_of(group) from group
    finally:
        finished = datetime.now(UTC)
        ended = node | {
            "finished": finished, "state": state, "n_files": progress.seen,
            "n_instances": progress.states[State.INDEXED],
            "n_rejected": progress.states[State.REJECTED],
            "counts": json.dumps({s.value: progress.states[s] for s in State}, sort_keys=True),
        }
        if state == "DONE":
            await store.change(statements.RUN_NODE, **ended)
            await store.change(schema.UPGRADED, parser=PARSER_VERSION)
        else:  # a server that is lost is what is told; it cannot be told to the graph as well
            with suppress(ServerError):
                await asyncio.shield(store.write(statements.RUN_NODE, **ended))
    return Summary(run_id, state, (finished - started).total_seconds(), progress, before,
                   await counts(store), rejects_file if progress.states[State.REJECTED] else None,
                   (rejected.first, rejected.last))
