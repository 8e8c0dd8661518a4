"""Cypher that reads and writes, made from the declarations; no I/O.

Rows are lists; the position of a value is that of its property in the declaration, and SET names
every property, so a null removes what an earlier reading stated. Each statement is idempotent, and
MERGE by UID makes the order of arrival irrelevant. One text a family: labels are constant text.
Dates and times are sent as text, because the driver takes fifty times as long to send them.
"""

from collections.abc import Sequence
from functools import cache

from rtgraph.graphmodel.families import FAMILY_LABELS, Family
from rtgraph.graphmodel.nodes import FILE, INSTANCE, PATIENT, RUN, SERIES, STUDY
from rtgraph.graphmodel.properties import Property, names
from rtgraph.graphmodel.relationships import QUALIFIERS
from rtgraph.graphmodel.schema import WELL_KNOWN_FRAMES

FIRST_QUALIFIER = 5  # place of the first qualifier in the row of a reference
# What the edge of a series keeps: frames and segments differ from slice to slice.
_OF_SERIES = frozenset({"purpose", "derivation", "beam_numbers", "path"})
_OF_TEXT = {"DATE": "date", "LOCAL TIME": "localtime", "LOCAL DATETIME": "localdatetime"}


def columns(properties: Sequence[Property], key: str) -> tuple[Property, ...]:
    """Return the properties that a file sets, in the order of the row; its key is apart."""
    return tuple(p for p in properties if not p.later and p.name != key)


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


def assignments(variable: str, row: Sequence[Property], offset: int) -> str:
    """Return the terms of SET for the properties of a row `r` that begins at `offset`."""
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
SET n.props_from = r[1], {assignments("n", row, 2)}"""


# Values that the objects of a series mostly state alike, each combination once; the objects name
# theirs by its hash. Rows: series UID, variants.
VARIANTS = """\
UNWIND $rows AS r
MATCH (s:Series {SeriesInstanceUID: r[0]})
WITH s, r[1] AS new
WHERE s.variants IS NULL OR any(v IN new WHERE NOT v IN s.variants)
SET s.variants = COLLECT {
  UNWIND coalesce(s.variants, []) + new AS v RETURN DISTINCT v ORDER BY v }"""


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
  {assignments("i", instance_row(kind), 1)}
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
SET i{_labels(kind)}, i.parser_version = $parser, {assignments("i", row, 1)}
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
    the declared qualifiers. Nearly all references have no more than the first. An object has no
    such edge when it is written: `RETIRE` takes those of known ones first.
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
    more = "".join(f", {p.name}: t[{at}]" for at, p in enumerate(QUALIFIERS, FIRST_QUALIFIER))
    return ("CREATE (a)-[:REFERENCES {role: t[1], stated_sop_class: t[2], n: t[3], path_id: t[4]"
            f"{more if qualified else ''}}}]->(b)")


def _edge_of_series(qualified: bool) -> str:
    terms = [_smallest("stated_sop_class", 2), "e.path_id = CASE WHEN e.path_id <= t[4] "
             "THEN e.path_id ELSE t[4] END"]
    if qualified:
        terms += [_union(p.name, at) if p.kind.startswith("LIST") else _smallest(p.name, at)
                  for at, p in enumerate(QUALIFIERS, FIRST_QUALIFIER) if p.name in _OF_SERIES]
    return "MERGE (a)-[e:REFERENCES {role: t[1]}]->(b)\nSET " + ",\n    ".join(terms)


def _smallest(name: str, at: int) -> str:
    return (f"e.{name} = CASE WHEN e.{name} <= t[{at}] THEN e.{name} "
            f"ELSE coalesce(t[{at}], e.{name}) END")


def _union(name: str, at: int) -> str:
    return (f"e.{name} = CASE WHEN t[{at}] IS NULL THEN e.{name} ELSE COLLECT {{ UNWIND "
            f"coalesce(e.{name}, []) + t[{at}] AS x RETURN DISTINCT x ORDER BY x }} END")


@cache
def other_edges(source: str, edge: str) -> str:
    """Return the statement for references to series, studies and frames.

    Rows are grouped by source; each target: UID, role, n, path_id, purpose.
    """
    key = "SOPInstanceUID" if source == "Instance" else "SeriesInstanceUID"
    target, target_key, created = {
        "REFERENCES_SERIES": ("Series", "SeriesInstanceUID", "b:Missing, b.dirty = true"),
        "REFERENCES_STUDY": ("Study", "StudyInstanceUID", "b:Missing"),
        "REFERENCES_FRAME": ("FrameOfReference", "FrameOfReferenceUID", FRAME_KIND),
    }[edge]
    own = "e.path_id = t[3], e.n = t[2], e.purpose = t[4]"
    summed = f"{_smallest('path_id', 3)}, {_union('purpose', 4)}"
    values = own if source == "Instance" else summed
    return f"""\
UNWIND $rows AS g
MATCH (a:{source} {{{key}: g[0]}})
UNWIND g[1] AS t
MERGE (b:{target} {{{target_key}: t[0]}})
ON CREATE SET {created}
MERGE (a)-[e:{edge} {{role: t[1]}}]->(b)
SET {values}"""


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

COPIES = f"""\
UNWIND $rows AS r
MATCH (i:Instance {{SOPInstanceUID: r[0]}})
MERGE (f:File {{path: r[1]}})
SET {assignments("f", FILE_ROW, 2)}
WITH i, f
OPTIONAL MATCH (old:Instance)-[e:STORED_AS]->(f)
WHERE old <> i
DELETE e
MERGE (i)-[:STORED_AS]->(f)"""
REJECTS = f"""\
UNWIND $rows AS r
MERGE (f:File {{path: r[0]}})
SET {assignments("f", FILE_ROW, 1)}
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
