"""Cypher that reads and writes, made from the declarations; no I/O.

Rows are lists; the position of a value is that of its property in the declaration, and SET names
every property, so a null removes what an earlier reading stated. Each statement is idempotent, and
MERGE by UID makes the order of arrival irrelevant. One text a family: labels are constant text.
Dates and times are sent as text, because the driver takes fifty times as long to send them.
"""

from collections.abc import Sequence
from functools import cache

from rtgraph.graphmodel.nodes import (
    FAMILY_LABELS,
    FILE,
    INSTANCE,
    PATIENT,
    RUN,
    SERIES,
    STUDY,
    Family,
)
from rtgraph.graphmodel.properties import Property, names
from rtgraph.graphmodel.questions import STATED
from rtgraph.graphmodel.schema import WELL_KNOWN_FRAMES

# Properties that the derived pass, the hierarchy statement or a stub sets, not a file.
_DERIVED = frozenset({
    "n_studies", "modalities", "n_series", "n_instances", "props_from", "layer", "sop_classes",
    "modalities_seen", "n_missing_instances", "frame_uids", "anchor_rank", "n_unresolved_refs",
    "internal_roles", "dirty", "referred_by_patients", "stated_sop_class", "first_seen_run",
    "parser_version", "run_id", "unsettled",
})


_OF_TEXT = {"DATE": "date", "LOCAL TIME": "localtime", "LOCAL DATETIME": "localdatetime"}


def columns(properties: Sequence[Property], key: str) -> tuple[Property, ...]:
    """Return the properties that a file sets, in the order of the row; its key is apart."""
    return tuple(p for p in properties if p.name not in _DERIVED and p.name != key)


PATIENT_ROW = columns(PATIENT, "patient_key")
STUDY_ROW = columns(STUDY, "StudyInstanceUID")
SERIES_ROW = columns(SERIES, "SeriesInstanceUID")
FILE_ROW = tuple(p for p in FILE if p.name != "path")


@cache
def instance_row(kind: Family) -> tuple[Property, ...]:
    """Return the properties of an instance row of a family, behind the UID."""
    return columns((*INSTANCE, *kind.properties), "SOPInstanceUID")


def is_text(p: Property) -> bool:
    """Tell whether the values of a property are sent as text (ISO 8601)."""
    return p.kind in _OF_TEXT


def _sets(variable: str, row: Sequence[Property], offset: int) -> str:
    return ", ".join(
        f"{variable}.{p.name} = " + (f"{_OF_TEXT[p.kind]}(r[{i}])" if is_text(p) else f"r[{i}]")
        for i, p in enumerate(row, offset))


# (:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series); rows: patient_key, study, series
HIERARCHY = """\
UNWIND $rows AS r
MERGE (p:Patient {patient_key: r[0]})
MERGE (t:Study {StudyInstanceUID: r[1]})
MERGE (s:Series {SeriesInstanceUID: r[2]})
SET s.dirty = true
REMOVE t:Missing, t.referred_by_patients, s:Missing, s.referred_by_patients
MERGE (p)-[:HAS_STUDY]->(t)
MERGE (t)-[:HAS_SERIES]->(s)"""


def level_values(label: str, key: str, row: Sequence[Property]) -> str:
    """Return the statement for the values of a patient, study or series.

    They are those of the instance with the smallest UID, whichever comes first. Rows: key, UID of
    that instance, values.
    """
    return f"""\
UNWIND $rows AS r
MATCH (n:{label} {{{key}: r[0]}})
WHERE n.props_from IS NULL OR r[1] <= n.props_from
SET n.props_from = r[1], {_sets("n", row, 2)}"""


@cache
def instances(kind: Family) -> str:
    """Return the statement that writes objects of a family that are not in the graph yet.

    Rows are grouped by series: series UID, then rows of UID and values. A node that was there
    before, a stub or what another writer has left there meanwhile, is only locked and comes back;
    `instances_again` writes it.
    """
    return f"""\
UNWIND $rows AS g
MATCH (s:Series {{SeriesInstanceUID: g[0]}})
UNWIND g[1] AS r
MERGE (i:Instance {{SOPInstanceUID: r[0]}})
ON CREATE SET i{_labels(kind)}, i.run_id = $run, i.parser_version = $parser,
  {_sets("i", instance_row(kind), 1)}
ON MATCH SET i.first_seen_run = coalesce(i.first_seen_run, $run)
MERGE (s)-[:HAS_INSTANCE]->(i)
WITH i
WHERE i.first_seen_run IS NOT NULL
RETURN i.SOPInstanceUID AS uid"""


@cache
def instances_again(kind: Family) -> str:
    """Return the statement that writes objects anew, or turns stubs into them.

    Rows are those of `instances`. `run_id` is set first: that takes the lock of the node, so that
    `before` is what another writer has left there. Rows come back for objects that were somewhere
    else, had another class stated or were written meanwhile.
    """
    row = instance_row(kind)
    sop_class = 1 + names(row).index("SOPClassUID")
    return f"""\
UNWIND $rows AS g
MATCH (s:Series {{SeriesInstanceUID: g[0]}})
UNWIND g[1] AS r
MERGE (i:Instance {{SOPInstanceUID: r[0]}})
SET i.run_id = $run
WITH s, i, r, i.file_path AS before, coalesce(i.stated_sop_class <> r[{sop_class}], false) AS other
SET i{_labels(kind)}, i.parser_version = $parser, {_sets("i", row, 1)}
REMOVE i:Missing, i.stated_sop_class, i.first_seen_run, i.referred_by_patients
MERGE (s)-[h:HAS_INSTANCE]->(i)
REMOVE h.stated
WITH s, i, before, other
WHERE before IS NOT NULL OR other OR COUNT {{ (i)<-[:HAS_INSTANCE]-() }} > 1
RETURN i.SOPInstanceUID AS uid, s.SeriesInstanceUID AS series, before"""


def _labels(kind: Family) -> str:
    return "".join(f":{label}" for label in kind.labels) or ":Instance"


@cache
def settle(kind: Family) -> str:
    """Return the statement for objects that were elsewhere: labels of the real class, one series.

    Rows: UID, series UID.
    """
    return f"""\
UNWIND $rows AS r
MATCH (i:Instance {{SOPInstanceUID: r[0]}})
REMOVE i:{":".join(FAMILY_LABELS)}
SET i{_labels(kind)}
WITH i, r
MATCH (i)<-[h:HAS_INSTANCE]-(old:Series)
WHERE old.SeriesInstanceUID <> r[1]
DELETE h
SET old.dirty = true
RETURN DISTINCT old.SeriesInstanceUID AS series"""


@cache
def reference_edges(source: str, kind: Family, qualified: bool) -> str:
    """Return the statement for REFERENCES from an Instance or, for image objects, a Series.

    Rows are grouped by source; each target: UID, role, stated class, n, path_id, and if `qualified`
    frames, segments, purpose, relationship, path. Nearly all references have no more than the
    first. An object has no such edge when it is written: `RETIRE` takes those of known ones first.
    A series adds up over its objects, so values that differ are merged in a way that does not
    depend on the order. Missing targets come back.
    """
    labels = "".join(f":{label}" for label in kind.labels)
    key = "SOPInstanceUID" if source == "Instance" else "SeriesInstanceUID"
    return f"""\
UNWIND $rows AS g
MATCH (a:{source} {{{key}: g[0]}})
UNWIND g[1] AS t
MERGE (b:Instance {{SOPInstanceUID: t[0]}})
ON CREATE SET b:Missing{labels}, b.stated_sop_class = t[2], b.first_seen_run = $run
{_edge_of_object(qualified) if source == "Instance" else _edge_of_series(qualified)}
WITH b
WHERE b:Missing
RETURN collect(DISTINCT b.SOPInstanceUID) AS missing"""


def _edge_of_object(qualified: bool) -> str:
    more = (", frames: t[5], segments: t[6], purpose: t[7], relationship: t[8], path: t[9]"
            if qualified else "")
    return ("CREATE (a)-[:REFERENCES {role: t[1], stated_sop_class: t[2], n: t[3], path_id: t[4]"
            f"{more}}}]->(b)")


def _edge_of_series(qualified: bool) -> str:
    more = """,
    e.purpose = CASE WHEN t[7] IS NULL THEN e.purpose ELSE
      COLLECT { UNWIND coalesce(e.purpose, []) + t[7] AS x RETURN DISTINCT x ORDER BY x } END,
    e.path = CASE WHEN e.path <= t[9] THEN e.path ELSE coalesce(t[9], e.path) END"""
    text = """\
MERGE (a)-[e:REFERENCES {role: t[1]}]->(b)
SET e.stated_sop_class = CASE WHEN e.stated_sop_class <= t[2] THEN e.stated_sop_class
      ELSE coalesce(t[2], e.stated_sop_class) END,
    e.path_id = CASE WHEN e.path_id <= t[4] THEN e.path_id ELSE t[4] END"""
    return text + more if qualified else text


@cache
def other_edges(source: str, edge: str) -> str:
    """Return the statement for references to series, studies and frames.

    Rows are grouped by source; each target: UID, role, n, path_id.
    """
    key = "SOPInstanceUID" if source == "Instance" else "SeriesInstanceUID"
    target, target_key, created = {
        "REFERENCES_SERIES": ("Series", "SeriesInstanceUID", "b:Missing, b.dirty = true"),
        "REFERENCES_STUDY": ("Study", "StudyInstanceUID", "b:Missing"),
        "REFERENCES_FRAME": ("FrameOfReference", "FrameOfReferenceUID", FRAME_KIND),
    }[edge]
    count = "e.n = t[2], " if source == "Instance" else ""
    return f"""\
UNWIND $rows AS g
MATCH (a:{source} {{{key}: g[0]}})
UNWIND g[1] AS t
MERGE (b:{target} {{{target_key}: t[0]}})
ON CREATE SET {created}
MERGE (a)-[e:{edge} {{role: t[1]}}]->(b)
SET {count}e.path_id = t[3]"""


FRAME_KIND = (
    f"b.kind = CASE WHEN b.FrameOfReferenceUID STARTS WITH '{WELL_KNOWN_FRAMES}' "
    "THEN 'WELL_KNOWN' ELSE 'PATIENT' END, b.dirty = true"
)

# Missing objects whose series is stated hang under it. Rows: series UID, UIDs.
PLACEMENTS = """\
UNWIND $rows AS g
UNWIND g[1] AS uid
MATCH (b:Instance {SOPInstanceUID: uid})
WHERE b:Missing
MERGE (s:Series {SeriesInstanceUID: g[0]})
ON CREATE SET s:Missing
SET s.dirty = true
MERGE (s)-[h:HAS_INSTANCE]->(b)
ON CREATE SET h.stated = true"""

# What objects that are read again stated before goes. Rows: UIDs. What is left of the targets is
# looked at next: stubs are returned, frames are marked, and so is a series that still refers.
_FORSAKEN = """\
DELETE e
WITH DISTINCT b
FOREACH (f IN CASE WHEN b:FrameOfReference THEN [b] ELSE [] END | SET f.dirty = true)
WITH b
WHERE b:Missing
OPTIONAL MATCH (b)<-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-(x:Instance|Series)
WITH b, head(collect(x)) AS x
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(x)
FOREACH (d IN [d IN [s, x] WHERE d:Series] | SET d.dirty = true)
RETURN DISTINCT b.SOPInstanceUID AS instance, b.SeriesInstanceUID AS series,
       b.StudyInstanceUID AS study"""
RETIRE = f"""\
UNWIND $rows AS uid
MATCH (:Instance {{SOPInstanceUID: uid}})-[e:{STATED}]->(b)
{_FORSAKEN}"""
# The same for series of image objects; edges between series are for the derived pass.
RETIRE_SERIES = f"""\
UNWIND $rows AS uid
MATCH (:Series {{SeriesInstanceUID: uid}})-[e:{STATED}]->(b)
WHERE NOT b:Series OR type(e) = 'REFERENCES_SERIES'
{_FORSAKEN}"""

# Locks: what another writer adds is seen when one looks again, or comes later. Rows: keys or UIDs.
HOLD_OBJECTS = """\
UNWIND $rows AS uid
MATCH (i:Instance {SOPInstanceUID: uid})
SET i.run_id = i.run_id"""
HOLD_PATIENTS = """\
UNWIND $rows AS key
MATCH (p:Patient {patient_key: key})
SET p.props_from = p.props_from"""
HOLD_STUDIES = """\
UNWIND $rows AS uid
MATCH (t:Study {StudyInstanceUID: uid})
SET t.props_from = t.props_from"""
HOLD_SERIES = """\
UNWIND $rows AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
SET s.dirty = true"""

# Places that are made anew from objects that were read again. Rows: UIDs, keys.
RELEASE = """\
UNWIND $rows AS uid
MATCH (t:Study {StudyInstanceUID: uid})
REMOVE t.props_from, t.unsettled
WITH t
OPTIONAL MATCH (t)-[h:HAS_SERIES]->(s:Series)
SET s.dirty = true
REMOVE s.props_from
DELETE h
WITH DISTINCT t
MATCH (p:Patient)-[h:HAS_STUDY]->(t)
DELETE h
RETURN DISTINCT p.patient_key AS patient"""
UNSETTLE = "UNWIND $rows AS uid MATCH (t:Study {StudyInstanceUID: uid}) SET t.unsettled = true"
FORGET = "UNWIND $rows AS key MATCH (p:Patient {patient_key: key}) REMOVE p.props_from"

# Stubs that nothing refers to any more go; their series are looked at next. Rows: UIDs.
DROP_STUBS = """\
UNWIND $rows AS uid
MATCH (b:Instance {SOPInstanceUID: uid})
WHERE b:Missing AND NOT EXISTS { (b)<-[:REFERENCES]-() }
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(b)
SET s.dirty = true
DETACH DELETE b
RETURN DISTINCT s.SeriesInstanceUID AS series"""
# Series without an object leave their studies; one that is still named stays as a stub. Whatever
# was counted or ranked with them is marked. Rows: UIDs.
EMPTY_SERIES = """\
UNWIND $rows AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
WHERE NOT EXISTS { (s)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing }
OPTIONAL MATCH (s)-[:IN_FRAME|REFERENCES_FRAME]->(f:FrameOfReference)
SET f.dirty = true
WITH DISTINCT s
OPTIONAL MATCH (s)-[:REFERENCES]->(b:Series)
SET b.dirty = true
WITH DISTINCT s
OPTIONAL MATCH (x:Issue {rule: 'VAL-01'})-[:ABOUT]->(s)
DETACH DELETE x
WITH DISTINCT s
OPTIONAL MATCH (t:Study)-[h:HAS_SERIES]->(s)
DELETE h
SET s = {SeriesInstanceUID: s.SeriesInstanceUID, dirty: true}, s:Missing
RETURN DISTINCT s.SeriesInstanceUID AS series, t.StudyInstanceUID AS study"""
DROP_SERIES = """\
UNWIND $rows AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
WHERE s:Missing AND NOT EXISTS { (s)-[:HAS_INSTANCE]->() }
  AND NOT EXISTS { (s)<-[:REFERENCES_SERIES]-() }
DETACH DELETE s"""
EMPTY_STUDIES = """\
UNWIND $rows AS uid
MATCH (t:Study {StudyInstanceUID: uid})
OPTIONAL MATCH (t)-[:HAS_SERIES]->(s:Series)
WITH t, head(collect(s)) AS one
SET one.dirty = true
WITH t
WHERE NOT EXISTS { (t)-[:HAS_SERIES]->() }
OPTIONAL MATCH (p:Patient)-[h:HAS_STUDY]->(t)
DELETE h
SET t = {StudyInstanceUID: t.StudyInstanceUID}, t:Missing
RETURN DISTINCT t.StudyInstanceUID AS study, p.patient_key AS patient"""
DROP_STUDIES = """\
UNWIND $rows AS uid
MATCH (t:Study {StudyInstanceUID: uid})
WHERE t:Missing AND NOT EXISTS { (t)<-[:REFERENCES_STUDY]-() }
DETACH DELETE t"""
DROP_PATIENTS = """\
UNWIND $rows AS key
MATCH (p:Patient {patient_key: key})
OPTIONAL MATCH (p)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series)
WITH p, head(collect(s)) AS one
SET one.dirty = true
WITH p
WHERE NOT EXISTS { (p)-[:HAS_STUDY]->() }
DELETE p"""

COPIES = f"""\
UNWIND $rows AS r
MATCH (i:Instance {{SOPInstanceUID: r[0]}})
MERGE (f:File {{path: r[1]}})
SET {_sets("f", FILE_ROW, 2)}
WITH i, f
OPTIONAL MATCH (old:Instance)-[e:STORED_AS]->(f)
WHERE old <> i
DELETE e
MERGE (i)-[:STORED_AS]->(f)"""
REJECTS = f"""\
UNWIND $rows AS r
MERGE (f:File {{path: r[0]}})
SET {_sets("f", FILE_ROW, 1)}
WITH f
OPTIONAL MATCH (:Instance)-[e:STORED_AS]->(f)
DELETE e"""
# The count is kept by the server.
ANY_FILES = "MATCH (f:File) RETURN count(f) AS n"
DROP_FILES = """\
UNWIND $rows AS path
MATCH (f:File {path: path})
DETACH DELETE f"""
RUN_NODE = "MERGE (r:IngestRun {id: $id}) SET " + ", ".join(
    f"r.{n} = ${n}" for n in names(RUN) if n != "id")
ROOT_NODE = "MERGE (r:Root {name: $name}) SET r.path = $path"

VALUES = (
    ("Patient", level_values("Patient", "patient_key", PATIENT_ROW)),
    ("Study", level_values("Study", "StudyInstanceUID", STUDY_ROW)),
    ("Series", level_values("Series", "SeriesInstanceUID", SERIES_ROW)),
)
