"""What an archive has announced goes into the graph: counts, and nodes for what is not there."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from rtgraph.graphmodel import archive
from rtgraph.graphmodel.families import Family, family
from rtgraph.graphmodel.schema import schema
from rtgraph.ingest.derive import derive
from rtgraph.ingest.levels import LONGEST_ID
from rtgraph.ingest.parse import patient_key
from rtgraph.pacs.ledger import SeriesResult
from rtgraph.pacs.query import Level, Query, Row, number
from rtgraph.store.bolt import Counters, Store

PAGE = 2000


@dataclass
class Announced:
    """Rows of the statements of `graphmodel.archive`, by key."""

    studies: dict[str, list[Any]] = field(default_factory=dict, repr=False)
    series: dict[str, list[Any]] = field(default_factory=dict, repr=False)
    objects: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def study(
        self, key: str, uid: str, expected: int | None, patient_id: str | None, issuer: str | None
    ) -> None:
        """Add a study; its patient only where the archive has told the ID."""
        own, by = (normalize("NFC", text or "")[:LONGEST_ID].strip()
                   for text in (patient_id, issuer))
        place = [patient_key(key, by, own, uid), own, by or None] if own else [None] * 3
        if uid not in self.studies or own:
            self.studies[uid] = [uid, expected, *place]


def of_results(key: str, results: Iterable[SeriesResult]) -> Announced:
    """Return what was announced of series that were fetched, and which objects did not come."""
    found = Announced()
    for r in results:
        found.study(key, r.study_uid, r.study_series, r.patient_id, r.issuer)
        found.series[r.series_uid] = [r.series_uid, r.study_uid, r.modality or None, r.number]
        if r.failed:
            found.objects[r.series_uid] = dict(r.failed)
    return found


def of_answers(key: str, query: Query, rows: Iterable[Row]) -> Announced:
    """Return what answers to a question announce; the graph must know their place."""
    found = Announced()
    for row in rows:
        study, series, uid = (row.get(level.unique) for level in (
            Level.study, Level.series, Level.image))
        if not study:
            continue
        found.study(key, study, number(row, "NumberOfStudyRelatedSeries"), row.get("PatientID"),
                    row.get("IssuerOfPatientID"))
        if query.level in (Level.series, Level.image) and series:
            found.series.setdefault(series, [
                series, study, row.get("Modality"), number(row, "NumberOfSeriesRelatedInstances")])
        if query.level is Level.image and series and uid:
            found.objects.setdefault(series, {})[uid] = str(row.get("SOPClassUID") or "")
    return found


async def store_answers(store: Store, query: Query, rows: Sequence[Row]) -> Counters:
    """Write what answers to a question announce."""
    async with store:
        key = await store.prepare(schema())
        return await announce(store, of_answers(key, query, rows), "")


async def announce(store: Store, found: Announced, run_id: str) -> Counters:
    """Write what was announced and bring derived facts up to date."""
    changes = Counters()
    for statement, found_rows in ((archive.ANNOUNCE_STUDIES, found.studies),
                                  (archive.ANNOUNCE_SERIES, found.series)):
        changes += await _write(store, statement, sorted(found_rows.values(), key=_first))
    by_family: dict[Family, dict[str, list[list[str | None]]]] = defaultdict(dict)
    for series, objects in found.objects.items():
        for uid, sop_class in sorted(objects.items()):
            by_family[family(sop_class)].setdefault(series, []).append([uid, sop_class or None])
    for kind, groups in sorted(by_family.items(), key=lambda item: item[0].labels):
        rows = [[series, objects] for series, objects in sorted(groups.items())]
        changes += await _write(store, archive.announce_objects(kind), rows, run=run_id)
    return changes + await derive(store)


async def note_requested(store: Store, results: Sequence[SeriesResult], run_id: str) -> None:
    """Link a retrieval with the series and studies that it asked for."""
    studies: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    series = []
    for r in results:
        counts = [r.announced, r.received, max(len(r.failed), r.short)]
        series.append([r.series_uid, *counts])
        studies[r.study_uid] = [a + b for a, b in zip(studies[r.study_uid], counts, strict=True)]
    await _write(store, archive.REQUESTED_SERIES, sorted(series, key=_first), run=run_id)
    await _write(store, archive.REQUESTED_STUDIES,
                 [[uid, *counts] for uid, counts in sorted(studies.items())], run=run_id)


def _first(row: Sequence[Any]) -> str:
    return str(row[0])


async def _write(store: Store, statement: str, rows: Sequence[Any], **more: object) -> Counters:
    changes = Counters()
    for at in range(0, len(rows), PAGE):
        changes += await store.change(statement, rows=rows[at : at + PAGE], **more)
    return changes
