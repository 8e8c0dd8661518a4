"""The derived pass: counts, lifted edges, frames and issues of what a run has touched.

Touched series and frames carry a mark in the graph, so a killed run loses nothing: the next pass
finds them. It may be repeated at any time, and while another run writes: a batch of series is
locked before it is looked at, and what is written to them later marks them again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from rtgraph.graphmodel.references import locating_roles
from rtgraph.graphmodel.roi_names import Match, as_decided, candidates, match
from rtgraph.graphmodel.schema import MAX_CLIQUE, WELL_KNOWN_FRAMES, derivations
from rtgraph.graphmodel.standard_names import list_version, standard_names
from rtgraph.store.bolt import Counters, Row, Store, Transaction

BATCH = 2000
# Two at once, far apart in the graph: neighbours share studies and patients, and would wait.
PARTS, SMALL = 2, 200
_SIBLINGS = ("spread_study",)
_SPREAD = ("spread", "spread_series", "spread_targets")
# The statements of a batch of series in order, with what `facts` must have found in a series;
# most series hold slices only, and refer to nothing.
_SERIES = (
    ("several", "several"),
    ("labels", ""), ("labels_by_family", ""),
    ("no_slices", ""), ("variants", ""), ("numbers", "images"), ("slices", "images"),
    ("cone_beam", "images"),
    ("references_before", ""),
    ("lift_instances", "referring"), ("lift_series", "referring"), ("crossing", "referring"),
    ("referring_patients", "referring"),
    ("frames_before", ""),
    ("frame_of_plan", "plans"),
    ("frames", ""),
    ("frames_named", "referring"), ("frames_named_by_objects", "objects"),
    ("frames_of_parts", "structures registrations"),
    ("equipment", ""),
    ("inferred_before", "guesses"), ("inferred_names_before", "guesses"),
    ("issues_before", ""), ("issues", "invalid"),
    ("study_counts", ""), ("patient_counts", ""), ("almost_done", ""),
)
# These rest on what the statements above have derived for other series.
_LAST = (
    ("frame_of_delivery", "deliveries"), ("frame_of_deliveries_of_plan", "plans"),
    ("links_before", "doses deliveries"),
    ("part_links_before", "plans doses deliveries registrations structures segmentations"),
    ("targets", "plans"), ("uses_roi", "plans"), ("of_roi", "doses"), ("dose_of", "doses"),
    ("delivery_of", "deliveries"), ("images", "deliveries"), ("applies_to", "registrations"),
    ("derived_from", "structures segmentations"),
    ("registered_before", "structures registrations"),
    ("implicit_before", "registrations"), ("implicit", "registrations"),
    ("registered", "structures registrations"),
    ("members_of_series", ""), ("members_of_objects", "objects"),
    ("named_before", "structures"), ("named_as", "structures"),
    ("anchor_ranks", ""), ("series_done", ""),
)
_FRAMES = ("hold_frames", "frame_counts", "shares_before", "cliques", "stars", "frames_done",
           "frames_unused")
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

    await store.resample()

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
    guesses = (await _read(store, "guesses"))[0]["n"] > 0
    facts: dict[str, Row] = {}
    done = 0

    async def series(transaction: Transaction, uids: Sequence[str]) -> None:
        await _run(transaction, "hold", dirty=uids)
        for row in await _run(transaction, "facts", dirty=uids):
            facts[row["uid"]] = row | {"guesses": guesses}
        await _in_order(transaction, _SERIES, uids, facts)

    async def last(transaction: Transaction, uids: Sequence[str]) -> None:
        await _in_order(transaction, _LAST, uids, facts)

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
    for name in _AT_THE_END:
        changes += await store.change(derivations()[name])
    return changes


async def _in_order(
    transaction: Transaction, steps: Sequence[tuple[str, str]], uids: Sequence[str],
    facts: Mapping[str, Row],
) -> None:
    """Run statements for those of a batch of series that hold what each is about."""
    for name, needed in steps:
        part = [uid for uid in uids if uid in facts and (
            not needed or any(facts[uid][word] for word in needed.split()))]
        if part:
            await _run(transaction, name, dirty=part,
                       rows=await _rows(transaction, name, part, facts))


async def _rows(
    transaction: Transaction, name: str, uids: Sequence[str], facts: Mapping[str, Row]
) -> list[Any]:
    """Return the rows that a statement takes besides the series."""
    if name == "frames":
        return [frame for uid in uids for frame in facts[uid]["frames"]]
    if name == "variants":
        return [[uid, facts[uid]["variants"]] for uid in uids if facts[uid]["variants"]]
    if name == "named_as":
        return await _names(transaction, "roi_names", _named, uids)
    return []


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


async def _guess(transaction: Transaction, uids: Sequence[str]) -> None:
    """Make the guesses for a batch of series."""
    for name in _GUESSES:
        await _run(transaction, name, dirty=uids)
    rows = await _names(transaction, "names_unmatched", _most_like, uids)
    await _run(transaction, "NAME_BY_LIKENESS", dirty=uids, rows=rows)


def _named(row: Row) -> Match | None:
    return as_decided(row["name"], row["decided"]) or match(row["name"])


def _most_like(row: Row) -> Match | None:
    return next(iter(candidates(row["name"], 1)), None)


async def _names(
    transaction: Transaction, question: str, find: Callable[[Row], Match | None],
    uids: Sequence[str],
) -> list[list[object]]:
    """Return the standard names of ROI names that a question returns, as rows to link them."""
    rows: list[list[object]] = []
    for row in await _run(transaction, question, dirty=uids):
        if found := find(row):
            standard = standard_names()[found.name]
            is_decided = row.get("decided") == found.name
            rows.append([row["name"], found.name, standard.category, standard.side,
                         standard.description, list_version(), found.method.value, found.score,
                         *(row[k] if is_decided else None for k in ("reviewer", "reviewed"))])
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

    size = max(-(-len(uids) // PARTS), SMALL)
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
