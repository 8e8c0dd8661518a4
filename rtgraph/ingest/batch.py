"""From objects to rows of the write statements: pure, no I/O.

A batch is the objects of one transaction. Its steps are statements with their rows, in the order
in which they must run; rows are grouped by series or source and sorted by key, so that two writers
lock in the same order.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from rtgraph.graphmodel import attached, statements
from rtgraph.graphmodel.families import Family, family
from rtgraph.graphmodel.properties import Property, names
from rtgraph.graphmodel.relationships import QUALIFIERS
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
    by_uid = sorted(objects, key=_SOP_UID, reverse=True)
    for label, key, row, statement in _LEVELS:
        first = {key(o): o for o in by_uid}
        steps.append(Step(statement, [
            [uid, o.sop_uid, *row.of(o.values[label])] for uid, o in sorted(first.items())]))
    return steps


class _Row:
    """Takes the values of a row out of a dictionary by name; dates and times become text."""

    def __init__(self, columns: Sequence[Property]) -> None:
        self._names = names(columns)
        self._texts = [i for i, p in enumerate(columns) if statements.is_text(p)]

    def of(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the values in the order of the row."""
        row: list[Any] = list(map(values.get, self._names))
        for i in self._texts:
            if row[i] is not None:
                row[i] = row[i].isoformat()
        return row


_SOP_UID = attrgetter("sop_uid")
_LEVELS: tuple[tuple[str, Callable[[Instance], str], _Row, str], ...] = tuple(
    (label, attrgetter(key), _Row(row), statement) for (label, statement), key, row in zip(
        statements.VALUES, ("patient_key", "study_uid", "series_uid"),
        (statements.PATIENT_ROW, statements.STUDY_ROW, statements.SERIES_ROW), strict=True))


@cache
def _instance_row(kind: Family) -> _Row:
    return _Row(statements.instance_row(kind))


def instances(objects: Sequence[Instance], again: bool = False) -> list[tuple[Family, Step]]:
    """The objects with their containment edge, one statement a family."""
    by_family: dict[Family, dict[str, Rows]] = defaultdict(lambda: defaultdict(list))
    for o in sorted(objects, key=_SOP_UID):
        kind = family(o.sop_class)
        by_family[kind][o.series_uid].append(
            [o.sop_uid, *_instance_row(kind).of(instance_values(o))])
    text = statements.instances_again if again else statements.instances
    return [(kind, Step(text(kind), [[s, r] for s, r in sorted(groups.items())]))
            for kind, groups in sorted(by_family.items(), key=lambda item: item[0].labels)]


def instance_values(o: Instance) -> dict[str, Any]:
    """Return the properties of the node of an object, by name."""
    values = o.values["Instance"] | {
        "SOPInstanceUID": o.sop_uid, "SOPClassUID": o.sop_class,
        "file_path": o.file.path, "file_size": o.file.size, "file_mtime": o.file.mtime,
        "header_digest": o.digest,
    }
    if o.invalid:
        keywords, reasons, raws = (list(part) for part in zip(*o.invalid, strict=True))
        values |= {"invalid_keywords": keywords, "invalid_reasons": reasons,
                   "invalid_values": raws}
    return values


def references(objects: Sequence[Instance]) -> list[Step]:
    """Every edge that the objects state."""
    edges: dict[tuple[str, Family, bool], _Groups] = defaultdict(lambda: defaultdict(dict))
    others: dict[tuple[str, str], _Groups] = defaultdict(lambda: defaultdict(dict))
    for o in objects:
        if not o.references:
            continue
        of_series = family(o.sop_class).is_image
        source, start = ("Series", o.series_uid) if of_series else ("Instance", o.sop_uid)
        for t in o.references:
            if t.edge == "REFERENCES":
                qualified = bool(t.qualifiers)
                row = _row(t) if qualified else (t.uid, t.role, t.stated_sop_class, t.n, t.path_id)
                # what the objects of a series state alike is one row, an object has one a target
                key = row if of_series else (t.uid, t.role)
                edges[source, family(t.stated_sop_class), qualified][start][key] = row
            else:
                row = (t.uid, t.role, t.n, t.path_id, dict(t.qualifiers).get("purpose"))
                others[source, t.edge][start][row] = row
    steps = [Step(statements.reference_edges(*key), _grouped(groups))
             for key, groups in sorted(edges.items(), key=_by_labels)]
    return steps + [Step(statements.other_edges(source, edge), _grouped(groups))
                    for (source, edge), groups in sorted(others.items())]


_Groups = dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]


def _by_labels(item: tuple[tuple[str, Family, bool], _Groups]
               ) -> tuple[str, tuple[str, ...], bool]:
    (source, kind, qualified), _ = item
    return source, kind.labels, qualified


def _row(t: Target) -> tuple[Any, ...]:
    narrowed = dict(t.qualifiers)
    return (t.uid, t.role, t.stated_sop_class, t.n, t.path_id,
            *(narrowed.get(p.name) for p in QUALIFIERS))


def _grouped(groups: _Groups) -> Rows:
    """Sort by target, so that writers lock in the same order; the driver packs lists faster."""
    return [[start, [[list(v) if type(v) is tuple else v for v in r]
                     for r in sorted(rows.values(), key=_by_target)]]
            for start, rows in sorted(groups.items())]


def _by_target(row: tuple[Any, ...]) -> tuple[str, str, str]:
    return row[0], row[1], repr(row)


def variants(objects: Iterable[Instance]) -> Step:
    """What the objects of each series state differently."""
    found: dict[str, set[str]] = defaultdict(set)
    for o in objects:
        found[o.series_uid].add(o.variant)
    return Step(statements.VARIANTS, [[s, sorted(v)] for s, v in sorted(found.items())])


def parts(objects: Iterable[Instance]) -> list[Step]:
    """The parts of objects, one statement a kind."""
    by_kind: dict[str, dict[str, Rows]] = defaultdict(lambda: defaultdict(list))
    for o in objects:
        for part in o.parts:
            by_kind[part.label][o.sop_uid].append(
                [part.suffix, part.index, *_part_row(part.label).of(part.values)])
    return [Step(attached.parts(attached.PART_TYPES[label]),
                 [[uid, rows] for uid, rows in sorted(groups.items())])
            for label, groups in sorted(by_kind.items())]


@cache
def _part_row(label: str) -> _Row:
    return _Row(attached.part_row(attached.PART_TYPES[label]))


def links(objects: Iterable[Instance]) -> list[Step]:
    """The edges from objects and their parts to what they share or name."""
    found: dict[tuple[str, str, str], dict[tuple[Any, ...], None]] = defaultdict(dict)
    for o in objects:
        of_series = family(o.sop_class).is_image
        for link in o.links:
            label = link.source_label or ("Series" if of_series else "Instance")
            source = {"Series": o.series_uid}.get(label, o.sop_uid + link.source)
            target = o.sop_uid + link.target if link.target.startswith("#") else link.target
            values = dict(link.values)
            row = (source, target, *(values.get(p.name) for p in attached.link_row(link.type)))
            found[link.type, label, link.target_label][row] = None
    return [Step(attached.links(*key), [list(r) for r in sorted(rows, key=repr)])
            for key, rows in sorted(found.items())]


def placements(objects: Iterable[Instance], missing: Container[str]) -> Step | None:
    """Put missing targets under the series that is stated for them."""
    placed: dict[str, set[str]] = defaultdict(set)
    for o in objects:
        if o.placements:
            for t in o.references:
                if t.uid in missing and t.edge == "REFERENCES" and t.uid in o.placements:
                    for series in o.placements[t.uid]:
                        placed[series].add(t.uid)
    rows = [[series, sorted(uids)] for series, uids in sorted(placed.items())]
    return Step(statements.PLACEMENTS, rows) if rows else None


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
