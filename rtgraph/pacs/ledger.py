"""Announced, arrived, in the graph: the books of a retrieval, kept while it goes on.

Only what is open is held by UID, so memory does not grow with what has been done.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from rtgraph.ingest.records import Instance
from rtgraph.pacs.plan import SeriesPlan
from rtgraph.pacs.storing import Outcome, Stored


@dataclass(slots=True)
class SeriesResult:
    """What became of a series.

    `there` objects were in the graph before, `received` have come, `in_graph` are there in the
    end; `failed` did not come (with their SOP classes), `refused` are those that the archive said
    it could not send, and `lost` came and are not in the graph.
    `number` and `study_series` are what the archive counts in the series and in its study;
    `listed` tells whether it lists the objects, too.
    """

    study_uid: str
    series_uid: str
    modality: str
    announced: int
    there: int = 0
    received: int = 0
    in_graph: int = 0
    patient_id: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    number: int | None = None
    study_series: int | None = None
    listed: bool = True
    failed: Mapping[str, str] = field(default_factory=dict, repr=False)
    refused: tuple[str, ...] = field(default=(), repr=False)
    lost: tuple[str, ...] = field(default=(), repr=False)

    @property
    def short(self) -> int:
        """How many objects the archive announced and the graph does not have."""
        return max(0, self.announced - self.in_graph)

    @property
    def missing(self) -> list[str]:
        """Which objects these are, as far as the archive has listed or named them."""
        return sorted({*self.failed, *self.refused, *self.lost})


@dataclass
class Ledger:
    """The books; `conflicts` came with other content than what was there.

    What is `replaced` came with other content, too, and has taken the place of what was there.
    """

    conflicts: int = 0
    replaced: int = 0
    _by_uid: dict[str, SeriesPlan] = field(default_factory=dict, repr=False)
    _by_series: dict[str, SeriesPlan] = field(default_factory=dict, repr=False)
    _unwritten: dict[str, set[str]] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def begin(self, plan: SeriesPlan) -> None:
        """Open a series: what is coming of it is known."""
        with self._lock:
            self._by_series[plan.series_uid] = plan
            self._by_uid.update(dict.fromkeys(plan.coming, plan))
            self._unwritten.setdefault(plan.series_uid, set()).update(plan.coming)

    def arrived(self, stored: Stored) -> bool:
        """Note an object that is on the disk; called from any thread.

        Returns
        -------
        bool
            Whether its file is to be ingested: it is new, or here from before and not read yet.
        """
        uid, series = stored.uids.sop_uid, stored.uids.series_uid
        with self._lock:
            self.conflicts += stored.outcome is Outcome.CONFLICT
            self.replaced += stored.outcome is Outcome.REPLACED
            plan = self._by_uid.pop(uid, None)
            if plan is not None:
                plan.coming.discard(uid)
                plan.arrived += 1
                return True
            plan = self._by_series.get(series)
            if plan is not None and not plan.instances and uid not in plan.seen:
                plan.seen.add(uid)
                plan.arrived += 1
                self._unwritten[series].add(uid)
                return True
            return stored.outcome is not Outcome.DUPLICATE

    def written(self, objects: Sequence[Instance]) -> None:
        """Note objects that are in the graph."""
        with self._lock:
            for o in objects:
                if (open_ := self._unwritten.get(o.series_uid)) is not None:
                    open_.discard(o.sop_uid)

    def end(self, plan: SeriesPlan) -> SeriesResult:
        """Close a series; what it lacks is kept in the result."""
        with self._lock:
            self._by_series.pop(plan.series_uid, None)
            for uid in plan.coming:
                self._by_uid.pop(uid, None)
                self._unwritten[plan.series_uid].discard(uid)
        return SeriesResult(
            plan.study_uid, plan.series_uid, plan.modality, plan.announced,
            len(plan.there) or plan.held, plan.arrived, patient_id=plan.patient_id,
            issuer=plan.issuer,
            number=None if plan.partial or plan.unknown else plan.announced,
            study_series=plan.study_series, listed=bool(plan.instances),
            failed={uid: plan.instances.get(uid, "") for uid in sorted(plan.coming)},
            refused=tuple(sorted(
                plan.refused & plan.coming if plan.instances else plan.refused - plan.seen)))

    def unwritten(self) -> dict[str, set[str]]:
        """Return what has arrived and was not seen to be written, by series."""
        with self._lock:
            return {series: set(uids) for series, uids in self._unwritten.items() if uids}


def totals(results: Iterable[SeriesResult]) -> dict[str, int]:
    """Add up results."""
    found = list(results)
    return {
        "series": len(found),
        "announced": sum(r.announced for r in found),
        "there": sum(r.there for r in found),
        "received": sum(r.received for r in found),
        "in_graph": sum(r.in_graph for r in found),
        "failed": sum(len(r.failed) for r in found),
        "short": sum(r.short for r in found),
    }
