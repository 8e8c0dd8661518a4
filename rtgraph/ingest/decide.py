"""Before a batch is written: which file is which object, and what must be written with them."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rtgraph.graphmodel import questions
from rtgraph.ingest import opening
from rtgraph.ingest.compare import Candidate, Copy, same_data_set, settle
from rtgraph.ingest.discover import Roots
from rtgraph.ingest.records import Instance, State
from rtgraph.ingest.revise import Around, Run, is_changed, read_around, reread
from rtgraph.store.bolt import Row, Store


@dataclass(slots=True)
class Decision:
    """What to write; `known` is what the graph had, `gone` names copies that are no more."""

    known: dict[str, Row]
    around: Around = field(default_factory=Around)
    objects: list[Instance] = field(default_factory=list)
    copies: list[tuple[str, str, Copy]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    states: Counter[State] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Choice:
    """The file that is an object, the other ones, and the paths of those that are gone."""

    winner: Candidate
    copies: Sequence[Copy]
    gone: Sequence[str]


async def decide(
    store: Store, objects: Sequence[Instance], run: Run, all_uids: bool = True
) -> Decision:
    """Decide for each SOP Instance UID which file is the object, with what the graph has.

    Unless `all_uids`, the graph is asked only for objects of series that it has: the others are
    most likely new, and writing finds out when one of them is not.
    """
    by_uid: dict[str, list[Instance]] = defaultdict(list)
    for o in objects:
        by_uid[o.sop_uid].append(o)
    known = await _known(store, by_uid if all_uids else await _of_begun_series(store, by_uid))
    chosen: dict[str, _Choice] = {}
    around, fresh, beside = Around(), dict(by_uid), {}
    while fresh:
        await _choose_each(chosen, fresh, known, run)
        written = [c.winner.record for c in chosen.values() if c.winner.record is not None]
        around = await read_around(store, written, known, run)
        known |= await _known(store, [o.sop_uid for o in around.objects])
        beside = {o.sop_uid: [*by_uid.get(o.sop_uid, ()), o] for o in around.objects}
        fresh = {o.sop_uid: beside[o.sop_uid] for o in around.objects
                 if is_changed(o, known[o.sop_uid])}
    await _choose_each(chosen, beside, known, run)

    decision = Decision(known, around)
    given = {o.file.path for o in objects}
    for uid, choice in chosen.items():
        winner = choice.winner
        decision.gone += choice.gone
        decision.copies += [(uid, winner.series_uid, c) for c in choice.copies]
        if winner.record is not None:
            decision.objects.append(winner.record)
        if winner.path in given:
            decision.states[State.INDEXED] += 1
        for copy in choice.copies:
            state = State.CONFLICT if copy.differs else State.DUPLICATE
            if copy.file.path in given:
                decision.states[state] += 1
            elif _was_object_of(run, known.get(uid), copy.file.path):
                decision.states.update({state: 1, State.INDEXED: -1})
    return decision


def _was_object_of(run: Run, row: Row | None, path: str) -> bool:
    """Tell whether another batch of the run has counted this file as the object."""
    return row is not None and row["path"] == path and row["run"] == run.id


async def _of_begun_series(store: Store, by_uid: Mapping[str, Sequence[Instance]]) -> list[str]:
    """Return the SOP Instance UIDs of objects whose series has some in the graph."""
    series = {o.series_uid for records in by_uid.values() for o in records}
    begun = {row["uid"] for row in await store.read(questions.BEGUN, rows=sorted(series))}
    return [uid for uid, records in by_uid.items() if any(o.series_uid in begun for o in records)]


async def _known(store: Store, uids: Iterable[str]) -> dict[str, Row]:
    wanted = sorted(uids)
    rows = await store.read(questions.KNOWN_OBJECTS, rows=wanted) if wanted else []
    return {row["uid"]: row for row in rows}


async def _choose_each(
    chosen: dict[str, _Choice], records: Mapping[str, Sequence[Instance]],
    known: Mapping[str, Row], run: Run,
) -> None:
    """Choose where there is a choice; several files are compared in a thread."""
    for uid, found in records.items():
        if len(found) == 1 and uid not in known:
            chosen[uid] = _Choice(Candidate.of(found[0]), (), ())
        else:
            chosen[uid] = await asyncio.to_thread(_choose_of_several, found, known.get(uid), run)


def _choose_of_several(records: Sequence[Instance], known: Row | None, run: Run) -> _Choice:
    candidates, gone = _candidates(records, known, run.roots)
    while True:
        winner, copies = settle(candidates, same_data_set)
        if winner.record is not None or known is None or winner.path == known["path"]:
            return _Choice(winner, copies, gone)
        # The object's own file is gone, and the next was noted as its copy only: read that one.
        record = reread(records[0].sop_uid, winner.path, run)
        if record is not None:
            return _Choice(replace(winner, record=record), copies, gone)
        candidates = [c.file for c in copies]
        gone.append(winner.path)


def _candidates(
    records: Sequence[Instance], known: Row | None, roots: Roots
) -> tuple[list[Candidate], list[str]]:
    """Return the files that hold an object, and the paths of those that are gone."""
    found = {c.path: c for c in map(Candidate.of, records)}
    gone: list[str] = []
    if known is None:
        return list(found.values()), gone
    for row in (known | {"header_digest": known["digest"], "series_uid": known["series"]},
                *known["copies"]):
        path = str(row["path"])
        location = roots.location(path)
        if path in found:  # read again
            continue
        if location is not None and opening.is_gone(location):
            gone.append(path)
            continue
        found[path] = Candidate(
            path, location, row["size"], row["mtime"], row["header_digest"] or "",
            row.get("series_uid") or known["series"])
    return list(found.values()), gone
