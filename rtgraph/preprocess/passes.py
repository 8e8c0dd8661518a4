"""The geometry and pixel passes: measure what is selected, in workers, and write it to the graph.

A unit is one transaction, so that what is finished stays when a run is stopped. A measurement that
was made from the same files by the same version is not made again.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, field

from rtgraph.graphmodel.measured import FORGET, WRITE, Measure
from rtgraph.preprocess.cases import Locate, ask
from rtgraph.preprocess.measuring import Outcome, Unit, measure_unit
from rtgraph.preprocess.refusals import Code
from rtgraph.preprocess.units import units_of
from rtgraph.preprocess.workers import Workers
from rtgraph.store.bolt import Store, Transaction

# Reasons of the run, not of the data: what they stop is missing from the result.
LOST = frozenset({str(Code.FILE_MISSING), str(Code.FILE_CHANGED), str(Code.UNREADABLE), "MEMORY",
                  "WORKER"})
_PATIENTS = 8  # whose rows are held at a time
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a measurement of an object is not there, or not whole."""

    measure: Measure
    uid: str
    code: str
    detail: str

    @property
    def lost(self) -> bool:
        """Tell whether the run is incomplete by it, since a file could not be read."""
        return self.code in LOST


@dataclass(slots=True)
class Measured:
    """What passes did: measurements that were made, that were there already, that failed."""

    total: int = 0
    made: Counter[Measure] = field(default_factory=Counter)
    kept: Counter[Measure] = field(default_factory=Counter)
    troubles: list[Trouble] = field(default_factory=list)
    done: int = 0

    def lost(self, measures: Collection[Measure]) -> list[Trouble]:
        """Return why the result of these measures is incomplete."""
        return [t for t in self.troubles if t.lost and t.measure in measures]

    def said(self) -> list[str]:
        """Return what is to be said to the user: one line for each measure and kind of trouble."""
        found = []
        for measure in Measure:
            mine = [t for t in self.troubles if t.measure is measure]
            for lost, how in ((True, "could not be read"), (False, "not measured")):
                some = [t for t in mine if t.lost is lost]
                if some:
                    found.append(f"{measure}: {_listed(some, how)}")
        return found


def _listed(troubles: Iterable[Trouble], how: str) -> str:
    """Return how many objects, by code, and the first of them."""
    by_code: dict[str, list[str]] = {}
    for t in sorted(troubles, key=lambda t: (t.code, t.uid)):
        uids = by_code.setdefault(t.code, [])
        if t.uid not in uids:
            uids.append(t.uid)
    parts = [f"{len(uids)} {code} ({', '.join(uids[:_LISTED])}{', …' * (len(uids) > _LISTED)})"
             for code, uids in by_code.items()]
    n = len({uid for uids in by_code.values() for uid in uids})
    return f"{n} {how}: {'; '.join(parts)}"


async def measure(
    store: Store, measures: Collection[Measure], locate: Locate, *, patient: str | None = None,
    jobs: int = 1, executor: Executor | None = None, measured: Measured | None = None,
) -> Measured:
    """Measure what the graph holds and does not know yet, and write it to the graph.

    Parameters
    ----------
    store : Store
        The graph; its derived edges must be up to date.
    measures : collection of Measure
        What is wanted.
    locate : callable
        Gives where a path of the graph is on this machine, None when it is not.
    patient : str, optional
        Only of this `patient_key`.
    jobs : int
        Worker processes, or units at once on `executor`.
    executor : Executor, optional
        Where units are measured instead of processes of this run.
    measured : Measured, optional
        What is filled and returned, for those who look at it meanwhile.

    Raises
    ------
    ServerError
        The server is lost; finished units stay, the next run goes on.
    """
    found = measured or Measured()
    patients = await ask(store, "measure-patients", patient=patient)
    most = {str(r["patient_key"]): int(r["n_sets"]) * (Measure.contours in measures)
            + int(r["n_doses"]) * len({Measure.coverage, Measure.values} & {*measures})
            for r in patients}
    keys, found.total = list(most), sum(most.values())
    room = asyncio.Semaphore(jobs + 1)
    with nullcontext(Workers(executor)) if executor else Workers.processes(jobs) as pool:

        async def one(unit: Unit) -> None:
            try:
                await _one(store, unit, pool, found)
            finally:
                room.release()
            found.done += unit.size

        async with asyncio.TaskGroup() as group:
            for at in range(0, len(keys), _PATIENTS):
                now = keys[at:at + _PATIENTS]
                units = await units_of(store, now, measures, locate)
                # a dose whose plans name no one structure set has no coverage
                found.total += units.size - sum(most[key] for key in now)
                found.kept.update(units.kept)
                found.done += sum(units.kept.values())
                for unit in units.units:
                    await room.acquire()
                    group.create_task(one(unit))
    found.troubles.sort(key=lambda t: (t.measure, t.uid, t.code))
    return found


async def _one(store: Store, unit: Unit, pool: Workers, found: Measured) -> None:
    """Measure a unit and write what came of it; a worker that died takes only its unit with it."""
    try:
        outcomes = await pool.run(measure_unit, unit)
    except Exception as error:
        outcomes = _died(unit, type(error).__name__)
    await write(store, outcomes)
    for outcome in outcomes:
        found.troubles += [Trouble(outcome.measure, outcome.file.sop_uid, code, detail)
                           for code, detail in outcome.refused]
        if not outcome.refused:
            found.made[outcome.measure] += 1


def _died(unit: Unit, name: str) -> list[Outcome]:
    files = [(Measure.contours, unit.structures)] if unit.contours is not None else []
    files += [(Measure.coverage, t.dose) for t in unit.coverage]
    files += [(Measure.values, t.dose) for t in unit.values]
    return [Outcome(m, f, refused=[("WORKER", name)]) for m, f in files if f is not None]


async def write(store: Store, outcomes: Collection[Outcome]) -> None:
    """Write measurements in the place of older ones, in one transaction."""

    async def work(transaction: Transaction) -> None:
        for m in Measure:
            mine = [o for o in outcomes if o.measure is m]
            if mine:
                await transaction.run(FORGET[m], rows=[o.file.sop_uid for o in mine])
                await transaction.run(WRITE[m], rows=[{
                    "uid": o.file.sop_uid, "digest": o.file.digest, "mtime": o.file.mtime,
                    "facts": o.facts, "parts": [{"key": k, "facts": f} for k, f in o.parts],
                } for o in mine])

    await store.transact(work)
