"""Cypher for what is attached to objects: their parts, and edges to what they share; no I/O.

Rows are lists, as in `statements`. Parts of an object are made anew whenever it is written, so
`RETIRE_PARTS` takes those of known objects first.
"""

from collections.abc import Sequence
from functools import cache

from rtgraph.graphmodel.parts import PARTS, PartType
from rtgraph.graphmodel.properties import Property
from rtgraph.graphmodel.relationships import BY_NAME, OF_PARTS, SHARED_EDGES
from rtgraph.graphmodel.shared import SHARED, SHARED_LABELS, Shared
from rtgraph.graphmodel.statements import FRAME_KIND, assignments

_KEYS = {"Instance": "SOPInstanceUID", "Series": "SeriesInstanceUID",
         "FrameOfReference": "FrameOfReferenceUID"}
_SHARED = {s.label: s for s in SHARED}


def part_row(kind: PartType) -> tuple[Property, ...]:
    """Return the properties of the row of a part, behind its suffix and index."""
    return tuple(p for p in kind.properties if not p.later and p.name != "key")


@cache
def parts(kind: PartType) -> str:
    """Return the statement for parts; rows: object, then rows of suffix, index and values."""
    return f"""\
UNWIND $rows AS g
MATCH (i:Instance {{SOPInstanceUID: g[0]}})
UNWIND g[1] AS r
CREATE (i)-[:{kind.relationship} {{index: r[1]}}]->(p:{kind.label} {{key: g[0] + r[0]}})
SET {assignments("p", part_row(kind), 2)}"""


@cache
def links(name: str, source: str, target: str) -> str:
    """Return the statement for edges of a type; rows: source key, target key, values.

    Shared nodes and frames are made when they are new; parts and series are there, or the edge is
    left out. Values stand in the order of `link_row`.
    """
    row = link_row(name)
    keys = [p for p in row if p.name in BY_NAME[name].keys]
    key_text = ", ".join(f"{p.name}: r[{2 + row.index(p)}]" for p in keys)
    rest = [(i, p) for i, p in enumerate(row, 2) if p not in keys]
    edge = f"(a)-[e:{name}{f' {{{key_text}}}' if keys else ''}]->(b)"
    lines = [
        "UNWIND $rows AS r",
        f"MATCH (a:{source} {{{_KEYS.get(source, 'key')}: r[0]}})",
        _target(target, row),
        f"MERGE {edge}",
    ]
    if rest:
        lines.append("SET " + ", ".join(f"e.{p.name} = r[{i}]" for i, p in rest))
    return "\n".join(lines)


def link_row(name: str) -> tuple[Property, ...]:
    """Return the properties of an edge that files state."""
    return BY_NAME[name].properties


def _target(label: str, row: Sequence[Property]) -> str:
    if label in _SHARED:
        shared = _SHARED[label]
        node = f"MERGE (b:{label} {{{shared.key}: r[1]}})"
        if label == "Code":
            return f"""{node}
ON CREATE SET b.scheme = split(r[1], '^')[0],
  b.value = substring(r[1], size(split(r[1], '^')[0]) + 1)
{_smallest_meaning(2 + [p.name for p in row].index("meaning"))}"""
        return node
    if label == "FrameOfReference":
        return f"MERGE (b:{label} {{FrameOfReferenceUID: r[1]}})\nON CREATE SET {FRAME_KIND}"
    return f"MATCH (b:{label} {{{_KEYS.get(label, 'key')}: r[1]}})"


def _smallest_meaning(at: int) -> str:
    return (f"FOREACH (m IN CASE WHEN b.meaning IS NULL OR r[{at}] < b.meaning THEN [r[{at}]] "
            "ELSE [] END | SET b.meaning = m)")


_LABEL = f"head([l IN labels(h) WHERE l IN {list(SHARED_LABELS)}])"
# Parts of objects that are read again go, with their edges. Rows: UIDs. Shared nodes that have
# lost an edge come back; frames are marked.
RETIRE_PARTS = f"""\
UNWIND $rows AS uid
MATCH (:Instance {{SOPInstanceUID: uid}})-[:{"|".join(OF_PARTS)}]->(p)
OPTIONAL MATCH (p)-[:{"|".join(SHARED_EDGES)}|DERIVED_FROM]->(h:{"|".join(SHARED_LABELS)})
WITH p, collect(DISTINCT h) AS shared
OPTIONAL MATCH (p)-[:DEFINED_IN|FROM_FRAME|TO_FRAME]->(f:FrameOfReference)
SET f.dirty = true
WITH DISTINCT p, shared
DETACH DELETE p
WITH shared
UNWIND shared AS h
RETURN DISTINCT {_LABEL} AS label, coalesce(h.uid, h.key) AS key"""
RETIRE_REGISTRATIONS = """\
UNWIND $rows AS uid
MATCH (a:FrameOfReference)-[r:REGISTERED_TO {reg_uid: uid}]->(b:FrameOfReference)
SET a.dirty = true, b.dirty = true
DELETE r"""


@cache
def left(shared: Shared) -> str:
    """Return the statement for shared nodes that have lost an edge; rows: keys.

    Those without any go; the others are counted again, and a code takes its meaning from the rest.
    """
    again = {
        "uid": "n.n_members = COUNT { (n)<--() }",
        "key": "n.meaning = head(COLLECT { MATCH (n)<-[e:CODED_AS]-() WHERE e.meaning IS NOT NULL "
               "RETURN e.meaning AS m ORDER BY m LIMIT 1 })",
    }[shared.key]
    return f"""\
UNWIND $rows AS key
MATCH (n:{shared.label} {{{shared.key}: key}})
SET {again}
WITH n
WHERE NOT EXISTS {{ (n)<--() }}
DELETE n"""


PART_TYPES = {p.label: p for p in PARTS}
