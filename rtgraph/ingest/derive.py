"""The derived pass: counts, lifted edges, frames and issues of what a run has touched.

Touched series and frames carry a mark in the graph, so a killed run loses nothing: the next pass
finds them. It may be repeated at any time.
"""

from collections.abc import Callable, Sequence

from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.schema import MAX_CLIQUE, WELL_KNOWN_FRAMES, derivations
from rtgraph.store.bolt import Counters, Store, Transaction

BATCH = 2000
_SIBLINGS = ("spread_study",)
_SPREAD = ("spread", "spread_series", "spread_targets")
_FIRST = ("counts", "labels")  # for all series first: `complete` compares with n_instances
_SERIES = (
    "references_before", "lift_instances", "lift_series", "crossing", "reference_counts",
    "referring_patients", "frames_before", "frame_of_plan", "frame_of_delivery", "frames",
    "issues_before", "issues", "study_counts", "patient_counts", "anchor_ranks", "series_done",
)
_FRAMES = ("frame_counts", "shares_before", "cliques", "stars", "frames_done", "frames_unused")


async def derive(store: Store, report: Callable[[int, int], None] | None = None) -> Counters:
    """Bring everything derived up to date; `report` gets series done and series in all."""
    changes = await _pass(store, _SIBLINGS, "dirty", await _touched(store, "touched"))
    changes += await _pass(store, _SPREAD, "dirty", await _touched(store, "touched"))
    touched = await _touched(store, "touched")
    changes += await _pass(store, _FIRST, "dirty", touched)
    for at in range(0, len(touched), BATCH):
        changes += await _pass(store, _SERIES, "dirty", touched[at : at + BATCH])
        if report:
            report(min(at + BATCH, len(touched)), len(touched))
    return changes + await _pass(store, _FRAMES, "frames", await _touched(store, "touched_frames"))


async def _touched(store: Store, name: str) -> list[str]:
    return [row["uid"] for row in await store.read(derivations()[name])]


async def _pass(
    store: Store, names: Sequence[str], parameter: str, uids: Sequence[str]
) -> Counters:
    """Run statements over batches of UIDs, one transaction a batch."""
    changes = Counters()
    for at in range(0, len(uids), BATCH):
        part = uids[at : at + BATCH]

        async def work(transaction: Transaction, part: Sequence[str] = part) -> Counters:
            for name in names:
                await transaction.run(
                    derivations()[name], **{parameter: part}, max_clique=MAX_CLIQUE,
                    if_alone=sorted(locating_roles()), well_known=WELL_KNOWN_FRAMES)
            return transaction.counters

        changes += await store.transact(work)
    return changes
