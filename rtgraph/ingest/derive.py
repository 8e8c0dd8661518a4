"""The derived pass: counts, lifted edges, frames and issues of what a run has touched.

Touched series and frames carry a mark in the graph, so a killed run loses nothing: the next pass
finds them. It may be repeated at any time, and while another run writes: a batch of series is
locked before it is looked at, and what is written to them later marks them again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.schema import MAX_CLIQUE, WELL_KNOWN_FRAMES, derivations
from rtgraph.store.bolt import Counters, Row, Store, Transaction

BATCH = 2000
# Two at once, far apart in the graph: neighbours share studies and patients, and would wait.
PARTS = 2
_SIBLINGS = ("spread_study",)
_SPREAD = ("spread", "spread_series", "spread_targets")
# The statements of a batch of series in order, with what `facts` must have found in a series;
# most series hold slices only, and refer to nothing.
_SERIES = (
    ("several", "several"),
    ("labels", ""), ("labels_by_family", ""),
    ("references_before", ""),
    ("lift_instances", "referring"), ("lift_series", "referring"), ("crossing", "referring"),
    ("referring_patients", "referring"),
    ("frames_before", ""),
    ("frame_of_plan", "plans"),
    ("frames", ""),
    ("issues_before", ""), ("issues", "invalid"),
    ("study_counts", ""), ("patient_counts", ""), ("almost_done", ""),
)
# These rest on what the statements above have derived for other series.
_LAST = ("frame_of_delivery", "anchor_ranks", "series_done")
_FRAMES = ("frame_counts", "shares_before", "cliques", "stars", "frames_done", "frames_unused")
Work = Callable[[Transaction, Sequence[str]], Awaitable[None]]


async def derive(store: Store, report: Callable[[int, int], None] | None = None) -> Counters:
    """Bring everything derived up to date; `report` gets series done and series in all.

    What a batch derives may rest on what another has derived, so of two runs one waits.
    """

    async def alone(transaction: Transaction) -> Counters:
        await _run(transaction, "alone")
        return await _derive(store, report)

    return await store.transact(alone)


async def _derive(store: Store, report: Callable[[int, int], None] | None) -> Counters:
    touched, changes = await _spread(store)
    deliveries: set[str] = set()
    done = 0

    async def series(transaction: Transaction, uids: Sequence[str]) -> None:
        deliveries.update(await _series(transaction, uids))

    async def last(transaction: Transaction, uids: Sequence[str]) -> None:
        for name in _LAST:
            part = uids if name != "frame_of_delivery" else [u for u in uids if u in deliveries]
            if part:
                await _run(transaction, name, dirty=part)

    def count(n: int) -> None:
        nonlocal done
        done += n
        if report:
            report(done, len(touched))

    # for all series first: `complete` compares with n_instances
    changes += await _pass(store, _statements("dirty", "counts"), touched)
    changes += await _pass(store, series, touched, count)
    changes += await _pass(store, last, touched)
    frames = await _touched(store, "touched_frames")
    return changes + await _pass(store, _statements("frames", *_FRAMES), frames)


async def _spread(store: Store) -> tuple[list[str], Counters]:
    """Mark what depends on the touched series; return all that are marked then."""
    touched, changes = await _touched(store, "touched"), Counters()
    for names in (_SIBLINGS, _SPREAD):
        # where all are marked, as after a first run, there is nothing to spread to
        if not touched or len(touched) >= (await _read(store, "all_series"))[0]["n"]:
            break
        changes += await _pass(store, _statements("dirty", *names), touched)
        touched = await _touched(store, "touched")
    return touched, changes


async def _series(transaction: Transaction, uids: Sequence[str]) -> list[str]:
    """Derive what belongs to a batch of series; return those with objects of deliveries."""
    await _run(transaction, "hold", dirty=uids)
    facts = await _run(transaction, "facts", dirty=uids)
    for name, needed in _SERIES:
        part = [row["uid"] for row in facts if not needed or row[needed]]
        if name == "frames":
            await _run(transaction, name, rows=[f for row in facts for f in row["frames"]])
        elif part:
            await _run(transaction, name, dirty=part)
    return [row["uid"] for row in facts if row["deliveries"]]


def _statements(parameter: str, *names: str) -> Work:
    async def work(transaction: Transaction, uids: Sequence[str]) -> None:
        for name in names:
            await _run(transaction, name, **{parameter: uids})

    return work


async def _pass(
    store: Store, work: Work, uids: Sequence[str], count: Callable[[int], None] | None = None
) -> Counters:
    """Do the work for batches of UIDs, one transaction a batch."""

    async def one(part: Sequence[str]) -> Counters:
        async def whole(transaction: Transaction) -> Counters:
            await work(transaction, part)
            return transaction.counters

        changes = await store.transact(whole)
        if count:
            count(len(part))
        return changes

    async def share(part: Sequence[str]) -> Counters:
        changes = Counters()
        for at in range(0, len(part), BATCH):
            changes += await one(part[at : at + BATCH])
        return changes

    size = -(-len(uids) // PARTS) or 1
    async with asyncio.TaskGroup() as group:
        shares = [group.create_task(share(uids[at : at + size]))
                  for at in range(0, len(uids), size)]
    return sum((s.result() for s in shares), Counters())


async def _touched(store: Store, name: str) -> list[str]:
    return [row["uid"] for row in await _read(store, name)]


async def _read(store: Store, name: str) -> list[Row]:
    return await store.read(derivations()[name])


async def _run(transaction: Transaction, name: str, **parameters: object) -> list[Row]:
    return await transaction.run(
        derivations()[name], **parameters, max_clique=MAX_CLIQUE,
        if_alone=sorted(locating_roles()), well_known=WELL_KNOWN_FRAMES)
