"""Cypher for objects that are written again: locks, what is taken back, what goes; no I/O.

Rows are keys or UIDs. What one statement returns is what the next ones look at.
"""

from rtgraph.graphmodel.questions import STATED
from rtgraph.graphmodel.shared import SHARED_LABELS

# What objects that are read again stated before goes. Rows: UIDs. What is left of the targets is
# looked at next: stubs and shared nodes are returned, frames are marked, and so is a series that
# still refers.
_FORSAKEN = f"""\
DELETE e
WITH DISTINCT b
FOREACH (f IN CASE WHEN b:FrameOfReference THEN [b] ELSE [] END | SET f.dirty = true)
WITH b
WHERE b:Missing|{"|".join(SHARED_LABELS)}
OPTIONAL MATCH (b:Missing)<-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-(x:Instance|Series)
WITH b, head(collect(x)) AS x
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(x)
FOREACH (d IN [d IN [s, x] WHERE d:Series] | SET d.dirty = true)
RETURN DISTINCT b.SOPInstanceUID AS instance, b.SeriesInstanceUID AS series,
       b.StudyInstanceUID AS study, coalesce(b.uid, b.key) AS key,
       head([l IN labels(b) WHERE l IN {list(SHARED_LABELS)}]) AS label"""
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
