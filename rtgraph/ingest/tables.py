"""The tables of a folder without a server: the same rows as the graph would give.

`read_folder` reads and settles copies as an ingest does; `tables` is pure and joins what the
objects state to the flat rows of `graphmodel.tables`.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtgraph.graphmodel.families import family
from rtgraph.graphmodel.modalities import OTHER, series_type
from rtgraph.graphmodel.schema import WELL_KNOWN_FRAMES
from rtgraph.graphmodel.tables import TABLES, Row, Tables
from rtgraph.ingest.compare import Candidate, same_data_set, settle
from rtgraph.ingest.discover import chunks, walk, with_roots
from rtgraph.ingest.parse import Plan
from rtgraph.ingest.pipeline import Progress, Sink
from rtgraph.ingest.pool import CHUNK, Workers, in_thread
from rtgraph.ingest.records import Found, Instance, Rejected, State, Target

_TITLES = ("RTPlanLabel", "StructureSetLabel", "DoseSummationType", "RTImageLabel", "ContentLabel")


async def read_folder(
    paths: Sequence[Path], workers: Workers | None, *, key: str, roots: Mapping[str, str],
    progress: Progress, rejected: Sink, follow_links: bool = False,
) -> list[Instance]:
    """Read all objects below `paths` into memory, each SOP Instance UID once.

    The object of several files with one UID is that of the smallest path, as in the graph. Without
    workers a thread of this process reads.
    """
    workers = workers or Workers()
    starts, all_roots = with_roots(paths, roots)
    plan = Plan(key)
    room = asyncio.Semaphore(workers.ahead)
    by_uid: dict[str, list[Instance]] = defaultdict(list)

    async def read(chunk: list[Found | Rejected]) -> None:
        found = [f for f in chunk if isinstance(f, Found)]
        try:
            results = await workers.read(found, plan)
        finally:
            room.release()
        progress.read += len(found)
        for r in (*(f for f in chunk if isinstance(f, Rejected)), *results):
            if isinstance(r, Instance):
                by_uid[r.sop_uid].append(r)
                progress.take_read(r)
            else:
                progress.take_rejected(r)
                rejected(r)

    async with asyncio.TaskGroup() as group:
        files = walk(starts, all_roots, follow_links=follow_links)
        async for chunk in in_thread(chunks(files, CHUNK)):
            await room.acquire()
            progress.seen += len(chunk)
            group.create_task(read(chunk))
        progress.walked = True
    return [await _settled(records, progress) for _, records in sorted(by_uid.items())]


async def _settled(records: list[Instance], progress: Progress) -> Instance:
    winner, copies = await asyncio.to_thread(settle, map(Candidate.of, records), same_data_set)
    progress.states[State.INDEXED] += 1
    progress.states.update(State.CONFLICT if c.differs else State.DUPLICATE for c in copies)
    assert winner.record is not None
    return winner.record


@dataclass(slots=True)
class _Edges:
    """References by start, with what the objects of an image series state merged."""

    rows: dict[tuple[str, str, str, str, str], Row] = field(default_factory=dict)

    def add(self, o: Instance, t: Target) -> None:
        """Add a reference of an object."""
        of_series = family(o.sop_class).is_image
        level = t.edge.partition("_")[2].lower() or "instance"
        source = ("series", o.series_uid) if of_series else ("instance", o.sop_uid)
        known = self.rows.setdefault((*source, t.role, level, t.uid), {
            "source_level": source[0], "source_uid": source[1], "role": t.role,
            "target_level": level, "target_uid": t.uid, "n": None if of_series else t.n,
            "path_id": t.path_id, "stated_sop_class": None})
        known["path_id"] = min(known["path_id"], t.path_id)
        stated = t.stated_sop_class if level == "instance" else None
        classes = [c for c in (known["stated_sop_class"], stated) if c]
        known["stated_sop_class"] = min(classes, default=None)

    def to(self, level: str) -> list[Row]:
        """Return the references to targets of a level."""
        return [r for r in self.rows.values() if r["target_level"] == level]


def tables(objects: Iterable[Instance]) -> Tables:
    """Join objects to tables; `objects` have distinct SOP Instance UIDs."""
    objects = sorted(objects, key=lambda o: o.sop_uid)
    edges = _Edges()
    for o in objects:
        for t in o.references:
            if t.edge != "REFERENCES_FRAME":
                edges.add(o, t)
    instances = _instances(objects, edges)
    series = _series(objects, edges, instances)
    found: Tables = {
        "patients": _patients(objects),
        "studies": _studies(objects, edges),
        "series": series,
        "instances": instances,
        "references": _references(edges, instances, series, {o.study_uid for o in objects}),
        "frames": _frames(objects),
    }
    return {name: [{c: row.get(c) for c in columns}
                   for row in sorted(found[name], key=lambda r: _order(r, columns))]
            for name, columns in TABLES.items()}


def _order(row: Row, columns: Iterable[str]) -> list[tuple[bool, str]]:
    return [(row.get(c) is None, str(row.get(c))) for c in columns]


def _patients(objects: Sequence[Instance]) -> list[Row]:
    studies: dict[str, set[str]] = defaultdict(set)
    first: dict[str, Row] = {}
    for o in objects:
        studies[o.patient_key].add(o.study_uid)
        first.setdefault(o.patient_key, o.values["Patient"])
    return [first[key] | {"patient_key": key, "n_studies": len(studies[key])} for key in first]


def _studies(objects: Sequence[Instance], edges: _Edges) -> list[Row]:
    first = {o.study_uid: o.values["Study"] for o in reversed(objects)}
    n_series = Counter(t for t, _ in {(o.study_uid, o.series_uid) for o in objects})
    n_instances: Counter[str] = Counter()
    in_series = Counter(o.series_uid for o in objects)
    for study, series in {(o.study_uid, o.series_uid) for o in objects}:
        n_instances[study] += in_series[series]
    rows: list[Row] = [
        first[study] | {"patient_key": key, "StudyInstanceUID": study, "missing": False,
                        "n_series": n_series[study], "n_instances": n_instances[study]}
        for key, study in {(o.patient_key, o.study_uid) for o in objects}]
    missing = {r["target_uid"] for r in edges.to("study")} - set(first)
    return rows + [{"StudyInstanceUID": uid, "missing": True, "n_series": 0, "n_instances": 0}
                   for uid in missing]


def _instances(objects: Sequence[Instance], edges: _Edges) -> list[Row]:
    frames = _effective_frames(objects)
    rows: list[Row] = [
        o.values["Instance"] | {
            "SeriesInstanceUID": o.series_uid, "SOPInstanceUID": o.sop_uid,
            "SOPClassUID": o.sop_class, "missing": False, "frame_uid": frames[o.sop_uid],
            "title": next((v for n in _TITLES if (v := o.values["Instance"].get(n))), None),
            "file_path": o.file.path, **_family(o.sop_class)}
        for o in objects]
    present = {o.sop_uid for o in objects}
    placed: dict[str, set[str]] = defaultdict(set)
    for o in objects:
        for uid, series in o.placements.items():
            placed[uid].update(series)
    stated: dict[str, str | None] = {}
    for r in sorted(edges.to("instance"), key=lambda r: str(r["source_uid"])):
        if r["target_uid"] not in present:
            stated.setdefault(r["target_uid"], r["stated_sop_class"])
    return rows + [
        {"SeriesInstanceUID": series, "SOPInstanceUID": uid, "SOPClassUID": sop_class,
         "missing": True, **_family(sop_class)}
        for uid, sop_class in stated.items() for series in (placed[uid] or (None,))]


def _family(sop_class: str | None) -> Row:
    kind = family(sop_class)
    return {"family": kind.labels[-1] if kind.labels else None, "is_image": kind.is_image}


def _effective_frames(objects: Sequence[Instance]) -> dict[str, str | None]:
    """Frames with those that plans, records and RT images inherit when they state none."""
    frames = {o.sop_uid: o.values["Instance"].get("frame_uid") for o in objects}
    labels = {o.sop_uid: family(o.sop_class).labels for o in objects}
    for heirs, roles, source in (
        (("RTPlan",), ("PLAN_STRUCTURE_SET",), "RTStruct"),
        (("RTImage", "RTRecord"), ("RTIMAGE_PLAN", "RECORD_PLAN"), "RTPlan"),
    ):
        for o in objects:
            if frames[o.sop_uid] is None and set(heirs) & set(labels[o.sop_uid]):
                given = [frames[t.uid] for t in o.references if t.role in roles
                         and source in labels.get(t.uid, ()) and frames[t.uid]]
                frames[o.sop_uid] = min((f for f in given if f), default=None)
    return frames


def _series(objects: Sequence[Instance], edges: _Edges, instances: list[Row]) -> list[Row]:
    first = {o.series_uid: o.values["Series"] for o in reversed(objects)}
    members: dict[str, list[Row]] = defaultdict(list)
    for row in instances:
        if row["SeriesInstanceUID"] is not None:
            members[row["SeriesInstanceUID"]].append(row)
    stated = {r["target_uid"] for r in edges.to("series")}
    patients = defaultdict(set)
    for o in objects:
        patients[o.study_uid].add(o.patient_key)
    studies: dict[str, set[str]] = defaultdict(set)
    for o in objects:
        studies[o.series_uid].add(o.study_uid)
    rows: list[Row] = []
    for uid in {*members, *stated}:
        values = first.get(uid, {})
        missing = sum(m["missing"] for m in members[uid])
        kind = _series_type(values.get("Modality"), members[uid])
        row = values | {
            "SeriesInstanceUID": uid, "label": kind.label, "layer": kind.layer,
            "missing": uid not in first, "n_instances": len(members[uid]) - missing,
            "n_missing_instances": missing}
        places: list[tuple[str | None, str | None]] = [
            (key, study) for study in studies[uid] for key in patients[study]]
        rows += [row | {"patient_key": key, "StudyInstanceUID": study}
                 for key, study in places or [(None, None)]]
    return rows


def _series_type(modality: Any, members: list[Row]) -> Any:
    """By Modality, else by the family of the first instance."""
    if series_type(modality) is not OTHER or modality in OTHER.modalities:
        return series_type(modality)
    first = min(members, key=lambda m: str(m["SOPInstanceUID"]), default=None)
    return series_type(family(first["SOPClassUID"]).modality if first else None)


def _references(
    edges: _Edges, instances: list[Row], series: list[Row], studies: set[str]
) -> list[Row]:
    present = {
        "instance": {r["SOPInstanceUID"] for r in instances if not r["missing"]},
        "series": {r["SeriesInstanceUID"] for r in series if not r["missing"]},
        "study": studies,
    }
    return [r | {"resolved": r["target_uid"] in present[r["target_level"]]}
            for r in edges.rows.values()]


def _frames(objects: Sequence[Instance]) -> list[Row]:
    of_study: dict[str, set[str]] = defaultdict(set)
    of_series: dict[str, set[str]] = defaultdict(set)
    patients: dict[str, set[str]] = defaultdict(set)
    for o in objects:
        of_study[o.study_uid].add(o.patient_key)
    for o in objects:
        of_series[o.series_uid] |= of_study[o.study_uid]
    for o in objects:
        patients[o.values["Instance"].get("frame_uid", "")] |= of_series[o.series_uid]
    n = Counter((o.series_uid, v["frame_uid"], v["frame_source"])
                for o in objects if (v := o.values["Instance"]).get("frame_uid"))
    return [
        {"SeriesInstanceUID": series, "FrameOfReferenceUID": frame, "source": source,
         "kind": "WELL_KNOWN" if frame.startswith(WELL_KNOWN_FRAMES) else "PATIENT",
         "n_instances": count, "n_patients": len(patients[frame])}
        for (series, frame, source), count in n.items()]
