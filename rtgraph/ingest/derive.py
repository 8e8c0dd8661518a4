"""The derived pass: counts, lifted edges, frames and issues of what a run has touched.

Touched series and frames carry a mark in the graph, so a killed run loses nothing: the next pass
finds them. It may be repeated at any time, and while another run writes: a batch of series is
locked before it is looked at, and what is written to them later marks them again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.roi_names import Match, candidates, match
from rtgraph.graphmodel.schema import MAX_CLIQUE, WELL_KNOWN_FRAMES, derivations
from rtgraph.graphmodel.standard_names import list_version, standard_names
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
    ("variants", ""), ("no_slices", ""), ("numbers", "images"), ("slices", "images"),
    ("references_before", ""),
    ("lift_instances", "referring"), ("lift_series", "referring"), ("crossing", "referring"),
    ("referring_patients", "referring"),
    ("frames_before", ""),
    ("frame_of_plan", "plans"),
    ("frames", ""),
    ("frames_named", "referring"), ("frames_of_parts", "objects"),
    ("equipment", ""),
    ("inferred_before", ""), ("inferred_names_before", "objects"),
    ("issues_before", ""), ("issues", "invalid"),
    ("study_counts", ""), ("patient_counts", ""), ("almost_done", ""),
)
# These rest on what the statements above have derived for other series.
_LAST = (
    ("frame_of_delivery", "deliveries"), ("cone_beam", ""),
    ("links_before", "objects"), ("part_links_before", "objects"),
    *((name, "objects") for name in (
        "targets", "uses_roi", "of_roi", "dose_of", "delivery_of", "images", "applies_to",
        "derived_from", "registered_before", "implicit_before", "implicit", "registered")),
    ("members_of_series", ""), ("members_of_objects", "objects"),
    ("named_before", "objects"), ("named_as", "objects"),
    ("anchor_ranks", ""), ("series_done", ""),
)
_FRAMES = ("frame_counts", "shares_before", "cliques", "stars", "frames_done", "frames_unused")
_AT_THE_END = ("equipment_kinds", "equipment_unused")
_GUESSES = ("PLAN_BY_LABEL", "DOSE_BY_FRAME", "CBCT_TO_FRACTION", "STRUCT_BY_FRAME")
Report = Callable[[int, int], None]
Work = Callable[[Transaction, Sequence[str]], Awaitable[None]]


async def derive(
    store: Store, report: Report | None = None, *, infer: bool = False
) -> Counters:
    """Bring everything derived up to date.

    What a batch derives may rest on what another has derived, so of two runs one waits.

    Parameters
    ----------
    report : callable, optional
        Gets series done and series in all.
    infer : bool
        Whether to make guesses for the touched series too, as INFERRED_LINK.
    """

    async def alone(transaction: Transaction) -> Counters:
        await _run(transaction, "alone")
        return await _derive(store, report, infer)

    return await store.transact(alone)


async def rebuild(
    store: Store, report: Report | None = None, *, infer: bool = False
) -> Counters:
    """Make everything derived anew from stored facts; arguments as for `derive`."""
    for name in ("mark_series", "mark_frames"):
        await store.write(derivations()[name])
    return await derive(store, report, infer=infer)


async def _derive(store: Store, report: Report | None, infer: bool) -> Counters:
    touched, changes = await _spread(store)
    facts: dict[str, set[str]] = defaultdict(set)
    done = 0

    async def series(transaction: Transaction, uids: Sequence[str]) -> None:
        for row in await _series(transaction, uids):
            for name in ("objects", "deliveries"):
                if row[name]:
                    facts[name].add(row["uid"])

    async def last(transaction: Transaction, uids: Sequence[str]) -> None:
        for name, needed in _LAST:
            part = [u for u in uids if not needed or u in facts[needed]]
            if part:
                rows = await _names(transaction, "roi_names", match, part) if (
                    name == "named_as") else []
                await _run(transaction, name, dirty=part, rows=rows)

    def count(n: int) -> None:
        nonlocal done
        done += n
        if report:
            report(done, len(touched))

    # for all series first: `complete` compares with n_instances
    changes += await _pass(store, _statements("dirty", "counts"), touched)
    changes += await _pass(store, series, touched, count)
    changes += await _pass(store, last, touched)
    if infer:
        changes += await _pass(store, _guess, touched)
    frames = await _touched(store, "touched_frames")
    changes += await _pass(store, _statements("frames", *_FRAMES), frames)
    for name in _AT_THE_END if touched else ():
        changes += await store.write(derivations()[name])
    return changes


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


async def _series(transaction: Transaction, uids: Sequence[str]) -> list[Row]:
    """Derive what belongs to a batch of series; return what their objects are."""
    await _run(transaction, "hold", dirty=uids)
    facts = await _run(transaction, "facts", dirty=uids)
    for name, needed in _SERIES:
        part = [row["uid"] for row in facts if not needed or row[needed]]
        if name == "frames":
            await _run(transaction, name, rows=[f for row in facts for f in row["frames"]])
        elif name == "variants":
            await _run(transaction, name, rows=[
                [row["uid"], row["variants"]] for row in facts if row["variants"]])
        elif part:
            await _run(transaction, name, dirty=part)
    return facts


async def _guess(transaction: Transaction, uids: Sequence[str]) -> None:
    """Make the guesses for a batch of series."""
    for name in _GUESSES:
        await _run(transaction, name, dirty=uids)
    rows = await _names(transaction, "names_unmatched", _most_like, uids)
    await _run(transaction, "NAME_BY_LIKENESS", dirty=uids, rows=rows)


def _most_like(name: str) -> Match | None:
    return next(iter(candidates(name, 1)), None)


async def _names(
    transaction: Transaction, question: str, find: Callable[[str], Match | None],
    uids: Sequence[str],
) -> list[list[object]]:
    """Return the standard names of ROI names that a question returns, as rows to link them."""
    rows: list[list[object]] = []
    for row in await _run(transaction, question, dirty=uids):
        if found := find(row["name"]):
            standard = standard_names()[found.name]
            rows.append([row["name"], found.name, standard.category, standard.side,
                         standard.description, list_version(), found.method.value, found.score])
    return rows


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
