"""The derived pass: counts, lifted edges, frames and issues of what a run has touched.

Touched series and frames carry a mark in the graph, so a killed run loses nothing: the next pass
finds them. It may be repeated at any time, and while another run writes: a batch of series is
locked before it is looked at, and what is written to them later marks them again.
"""

from collections.abc import Callable, Sequence

from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.schema import MAX_CLIQUE, WELL_KNOWN_FRAMES, derivations
from rtgraph.store.bolt import Counters, Row, Store, Transaction

BATCH = 2000
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
    ("frame_of_plan", "plans"), ("frame_of_delivery", "deliveries"),
    ("frames", ""),
    ("issues_before", ""), ("issues", "invalid"),
    ("study_counts", ""), ("patient_counts", ""), ("anchor_ranks", ""),
    ("series_done", ""),
)
_FRAMES = ("frame_counts", "shares_before", "cliques", "stars", "frames_done", "frames_unused")


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
    # for all series first: `complete` compares with n_instances
    changes += await _pass(store, ("counts",), "dirty", touched)
    for at in range(0, len(touched), BATCH):
        changes += await _series(store, touched[at : at + BATCH])
        if report:
            report(min(at + BATCH, len(touched)), len(touched))
    return changes + await _pass(store, _FRAMES, "frames", await _touched(store, "touched_frames"))


async def _spread(store: Store) -> tuple[list[str], Counters]:
    """Mark what depends on the touched series; return all that are marked then."""
    touched, changes = await _touched(store, "touched"), Counters()
    for names in (_SIBLINGS, _SPREAD):
        # where all are marked, as after a first run, there is nothing to spread to
        if not touched or len(touched) >= (await _read(store, "all_series"))[0]["n"]:
            break
        changes += await _pass(store, names, "dirty", touched)
        touched = await _touched(store, "touched")
    return touched, changes


async def _series(store: Store, uids: Sequence[str]) -> Counters:
    """Derive what belongs to a batch of series, and take off their marks, in one transaction."""

    async def work(transaction: Transaction) -> Counters:
        await _run(transaction, "hold", dirty=uids)
        facts = await _run(transaction, "facts", dirty=uids)
        for name, needed in _SERIES:
            part = [row["uid"] for row in facts if not needed or row[needed]]
            if name == "frames":
                await _run(transaction, name, rows=[f for row in facts for f in row["frames"]])
            elif part:
                await _run(transaction, name, dirty=part)
        return transaction.counters

    return await store.transact(work)


async def _pass(
    store: Store, names: Sequence[str], parameter: str, uids: Sequence[str]
) -> Counters:
    """Run statements over batches of UIDs, one transaction a batch."""
    changes = Counters()
    for at in range(0, len(uids), BATCH):
        part = uids[at : at + BATCH]

        async def work(transaction: Transaction, part: Sequence[str] = part) -> Counters:
            for name in names:
                await _run(transaction, name, **{parameter: part})
            return transaction.counters

        changes += await store.transact(work)
    return changes


async def _touched(store: Store, name: str) -> list[str]:
    return [row["uid"] for row in await _read(store, name)]


async def _read(store: Store, name: str) -> list[Row]:
    return await store.read(derivations()[name])


async def _run(transaction: Transaction, name: str, **parameters: object) -> list[Row]:
    return await transaction.run(
        derivations()[name], **parameters, max_clique=MAX_CLIQUE,
        if_alone=sorted(locating_roles()), well_known=WELL_KNOWN_FRAMES)
