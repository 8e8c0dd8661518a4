"""From objects to rows of the write statements: pure, no I/O.

A batch is the objects of one transaction. Its steps are statements with their rows, in the order
in which they must run; rows are grouped by series or source and sorted by key, so that two writers
lock in the same order.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rtgraph.graphmodel import statements
from rtgraph.graphmodel.nodes import Family, family
from rtgraph.ingest.compare import Copy
from rtgraph.ingest.parse import PARSER_VERSION
from rtgraph.ingest.records import Instance, Reason, Rejected, Target

Rows = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """A statement and its rows."""

    statement: str
    rows: Sequence[Any]


def hierarchy(objects: Sequence[Instance]) -> list[Step]:
    """Patients, studies and series with their values, those of the smallest SOP Instance UID."""
    triples = sorted({(o.patient_key, o.study_uid, o.series_uid) for o in objects})
    steps = [Step(statements.HIERARCHY, [list(t) for t in triples])]
    keys = {"Patient": lambda o: o.patient_key, "Study": lambda o: o.study_uid,
            "Series": lambda o: o.series_uid}
    rows = {"Patient": statements.PATIENT_ROW, "Study": statements.STUDY_ROW,
            "Series": statements.SERIES_ROW}
    by_uid = sorted(objects, key=lambda o: o.sop_uid, reverse=True)
    for label, statement in statements.VALUES:
        first = {keys[label](o): o for o in by_uid}
        steps.append(Step(statement, [
            [key, o.sop_uid, *(o.values[label].get(n) for n in rows[label])]
            for key, o in sorted(first.items())
        ]))
    return steps


def instances(objects: Sequence[Instance]) -> list[tuple[Family, Step]]:
    """The objects with their containment edge, one statement a family."""
    by_family: dict[Family, dict[str, Rows]] = defaultdict(lambda: defaultdict(list))
    for o in sorted(objects, key=lambda o: o.sop_uid):
        kind = family(o.sop_class)
        values = instance_values(o)
        by_family[kind][o.series_uid].append(
            [o.sop_uid, *(values.get(n) for n in statements.instance_row(kind))])
    return [(kind, Step(statements.instances(kind), [[s, r] for s, r in sorted(groups.items())]))
            for kind, groups in sorted(by_family.items(), key=lambda item: item[0].labels)]


def instance_values(o: Instance) -> dict[str, Any]:
    """Return the properties of the node of an object, by name."""
    keywords, reasons, raws = zip(*o.invalid, strict=True) if o.invalid else (None, None, None)
    return o.values["Instance"] | {
        "SOPInstanceUID": o.sop_uid, "SOPClassUID": o.sop_class,
        "file_path": o.file.path, "file_size": o.file.size, "file_mtime": o.file.mtime,
        "header_digest": o.digest, "invalid_keywords": keywords, "invalid_reasons": reasons,
        "invalid_values": raws,
    }


def references(objects: Sequence[Instance]) -> list[Step]:
    """Every edge that the objects state, and the series of missing targets where stated."""
    edges: dict[tuple[str, Family], dict[str, Rows]] = defaultdict(lambda: defaultdict(list))
    others: dict[tuple[str, str], dict[str, Rows]] = defaultdict(lambda: defaultdict(list))
    for o in sorted(objects, key=lambda o: o.sop_uid):
        source = "Series" if family(o.sop_class).is_image else "Instance"
        start = o.series_uid if source == "Series" else o.sop_uid
        for t in o.references:
            if t.edge == "REFERENCES":
                edges[source, family(t.stated_sop_class)][start].append(_row(t))
            else:
                others[source, t.edge][start].append([t.uid, t.role, t.n, t.path_id])
    steps = [Step(statements.reference_edges(source, kind), _grouped(groups))
             for (source, kind), groups in sorted(edges.items(), key=_by_labels)]
    steps += [Step(statements.other_edges(source, edge), _grouped(groups))
              for (source, edge), groups in sorted(others.items())]
    if placed := _placements(objects):
        steps.append(Step(statements.PLACEMENTS, placed))
    return steps


def _by_labels(item: tuple[tuple[str, Family], dict[str, Rows]]) -> tuple[str, tuple[str, ...]]:
    (source, kind), _ = item
    return source, kind.labels


def _row(t: Target) -> list[Any]:
    return [t.uid, t.role, t.stated_sop_class, t.n, t.path_id, list(t.frames) or None,
            list(t.segments) or None, list(t.purpose) or None, t.relationship, t.path]


def _grouped(groups: dict[str, Rows]) -> Rows:
    """Sort by key; what the objects of a series state alike is one row."""
    return [[start, [list(r) for r in sorted({_frozen(r) for r in rows}, key=repr)]]
            for start, rows in sorted(groups.items())]


def _frozen(row: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(v) if isinstance(v, list) else v for v in row)


def _placements(objects: Iterable[Instance]) -> Rows:
    placed: dict[str, set[str]] = defaultdict(set)
    for o in objects:
        wanted = {t.uid for t in o.references if t.edge == "REFERENCES"}
        for uid, series in o.placements.items():
            if uid in wanted:
                placed[series].add(uid)
    return [[series, sorted(uids)] for series, uids in sorted(placed.items())]


def copies(copied: Iterable[tuple[str, str, Copy]]) -> Step:
    """Second files; rows from (SOP Instance UID, series of the object, copy)."""
    rows = [
        [uid, c.file.path, c.file.size, c.file.mtime, PARSER_VERSION, c.file.digest, "COPY",
         c.differs, c.file.series_uid if c.file.series_uid != series else None, None]
        for uid, series, c in copied
    ]
    return Step(statements.COPIES, sorted(rows, key=lambda r: r[1]))


def rejects(rejected: Iterable[Rejected]) -> Step:
    """Files that are no objects, and why."""
    rows = [
        [r.file.path, r.file.size, r.file.mtime, PARSER_VERSION, None,
         "NOT_DICOM" if r.reason is Reason.NOT_DICOM else "REJECTED", None, None, r.reason.value]
        for r in rejected
    ]
    return Step(statements.REJECTS, sorted(rows, key=lambda r: str(r[0])))
