"""The receiver as a service: what archives and other systems send goes into the graph.

Files are answered when they are on the disk, and ingested while more come. A run of the ingest
ends when nothing has come for a while, so that derived facts follow; the next file begins another.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rtgraph.config import Settings
from rtgraph.graphmodel.archive import Kept
from rtgraph.ingest.pipeline import Options, Progress, Source
from rtgraph.ingest.records import Instance
from rtgraph.ingest.rejected import Notice
from rtgraph.ingest.runs import Summary, run_ingest
from rtgraph.pacs.answer import Say
from rtgraph.pacs.arrivals import Arrivals
from rtgraph.pacs.scp import Scp
from rtgraph.pacs.storing import GRAPH_ONLY, Folder, Outcome, Stored
from rtgraph.store.bolt import Store

# Seconds: without a new file until a run ends; until it ends though files come; until a batch is
# written that is not full.
QUIET, LONGEST, LINGER = 5.0, 300.0, 2.0


@dataclass
class Received:
    """What a receiver has done: objects by outcome, failures by reason, and the ingest's runs."""

    associations: int = 0
    refused: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    runs: int = 0
    files: int = 0
    cut_off: bool = False
    unsynced: int = 0


def folder_of(settings: Settings) -> Folder:
    """Return the folder for what is received, as the settings say."""
    return Folder(settings.received.resolve(), Kept(settings.keep.upper()), settings.sync,
                  settings.min_free)


def options_of(settings: Settings) -> Options:
    """Return how what arrives is ingested."""
    return Options(writers=settings.writers, batch=settings.batch, names=settings.names,
                   linger=LINGER)


def forget(objects: Sequence[Instance]) -> None:
    """Remove the files of objects that are for the graph alone, now that they are in it."""
    for o in objects:
        if o.values["Instance"].get("kept") == Kept.NONE and GRAPH_ONLY in o.file.location:
            path = Path(o.file.location)
            with suppress(OSError):
                path.unlink(missing_ok=True)
                path.parent.rmdir()  # only when it is empty
                path.parent.parent.rmdir()


async def receive(
    store: Store, settings: Settings, *, stop: asyncio.Event, drain: float = 30.0,
    say: Say, listening: Callable[[str, int], None] = lambda address, port: None,
    ended: Callable[[Summary], None] = lambda summary: None,
    rejects_file: Path | None = None, notice: Notice | None = None,
) -> Received:
    """Receive and ingest until `stop` is set.

    Parameters
    ----------
    drain : float
        Seconds that open associations may go on after that; what came is ingested in any case.
    listening : callable
        Gets address and port when objects are received.
    ended : callable
        Gets the summary of each run of the ingest.

    Raises
    ------
    ReceiverError
        The port or the folder cannot be used.
    """
    folder, arrivals, done = folder_of(settings), Arrivals(QUIET, LONGEST), Received()

    def arrived(stored: Stored) -> None:
        if stored.outcome is not Outcome.DUPLICATE:
            arrivals.put(stored.path)

    scp = Scp(settings, folder, arrived, say=say)
    listening(*scp.start())
    ending = asyncio.create_task(_end(stop, scp, arrivals, drain))

    async def run(folders: Sequence[str] = ()) -> None:
        summary = await run_ingest(
            store, [folder.base], settings, options=options_of(settings), progress=Progress(),
            rejects_file=rejects_file, jobs=settings.jobs, notice=notice,
            source=Source(partial(arrivals.pages, folders=folders, until=folder.prepared),
                          forget))
        done.runs += 1
        done.files += summary.n_files
        ended(summary)

    try:
        await run([str(folder.base)])
        while await asyncio.to_thread(arrivals.wait):
            await run()
        done.cut_off = not await ending
    finally:
        ending.cancel()
        arrivals.close()
        await asyncio.to_thread(scp.stop)
        done = replace(done, associations=scp.associations, refused=scp.refused,
                       outcomes={o.value: n for o, n in scp.answers.outcomes.items()},
                       failed=dict(scp.answers.failed), unsynced=scp.unsynced)
    return done


async def _end(stop: asyncio.Event, scp: Scp, arrivals: Arrivals, drain: float) -> bool:
    """Take no more associations once `stop` is set; tell whether all came to their own end."""
    await stop.wait()
    whole = await asyncio.to_thread(scp.stop, drain)
    arrivals.close()
    return whole
