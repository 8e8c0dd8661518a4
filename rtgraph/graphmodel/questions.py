"""Cypher that asks what the graph holds, for the decisions of an ingest; no I/O.

Rows are lists of keys, and every answer names the key that it is for.
"""

from rtgraph.graphmodel.relationships import STATED_EDGES

# Edges that objects state, or the series of image objects for them.
STATED = "|".join(STATED_EDGES)

# What is already there. Rows: UIDs; paths. It is planned right after the first objects are in a new
# graph, when the server still takes the index for empty: it must be told not to scan it.
KNOWN_OBJECTS = """\
UNWIND $rows AS uid
MATCH (i:Instance {SOPInstanceUID: uid})
USING INDEX SEEK i:Instance(SOPInstanceUID)
WHERE NOT i:Missing
RETURN uid, i.file_path AS path, i.file_size AS size, i.file_mtime AS mtime,
       i.header_digest AS digest, i.parser_version AS parser, i.run_id AS run,
       head([(i)<-[:HAS_INSTANCE]-(s:Series) | s.SeriesInstanceUID]) AS series,
       COLLECT {
         MATCH (i)<-[:HAS_INSTANCE]-(:Series)<-[:HAS_SERIES]-(t:Study)<-[:HAS_STUDY]-(p:Patient)
         RETURN [p.patient_key, t.StudyInstanceUID] AS place ORDER BY place
       } AS places,
       EXISTS {
         (i)<-[:HAS_INSTANCE]-(:Series)<-[:HAS_SERIES]-(t:Study) WHERE t.unsettled
       } AS unsettled,
       COLLECT { MATCH (i)-[:STORED_AS]->(f:File) RETURN f {.*} ORDER BY f.path } AS copies"""
# Which series hold objects already. Rows: UIDs.
BEGUN = """\
UNWIND $rows AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
WHERE EXISTS { (s)-[:HAS_INSTANCE]->() }
RETURN uid"""
# Files that are not known with this size, time and reader; `uid` is an object that the path held.
# A file that could not be read or written may be sound now, so it is looked at again.
# Rows: path, size, mtime; no reader: all files come back.
KNOWN_FILES = """\
UNWIND $rows AS r
WITH r
WHERE NOT EXISTS {
  MATCH (i:Instance {file_path: r[0]})
  WHERE i.file_size = r[1] AND i.file_mtime = r[2] AND i.parser_version = $parser
}
WITH r
WHERE NOT EXISTS {
  MATCH (f:File {path: r[0]})
  WHERE f.size = r[1] AND f.mtime = r[2] AND f.parser_version = $parser
    AND NOT coalesce(f.reason, '') IN ['UNREADABLE', 'WRITE_REFUSED']
}
OPTIONAL MATCH (o:Instance {file_path: r[0]})
RETURN r[0] AS path, o.SOPInstanceUID AS uid"""

# Who has to be read again because an object has changed. Rows: keys or UIDs.
STUDIES_OF = """\
UNWIND $rows AS key
MATCH (p:Patient {patient_key: key})-[:HAS_STUDY]->(t:Study)
RETURN DISTINCT p.patient_key AS patient, t.StudyInstanceUID AS study"""
SERIES_OF = """\
UNWIND $rows AS uid
MATCH (t:Study {StudyInstanceUID: uid})-[:HAS_SERIES]->(s:Series)
RETURN t.StudyInstanceUID AS study, s.SeriesInstanceUID AS series"""
REFERRING = f"""\
UNWIND $rows AS uid
MATCH (s:Series {{SeriesInstanceUID: uid}})
WHERE EXISTS {{ (s)-[:{STATED}]->() }}
RETURN s.SeriesInstanceUID AS series"""
OBJECTS_OF = """\
UNWIND $rows AS uid
MATCH (s:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(i:Instance)
WHERE NOT i:Missing
RETURN s.SeriesInstanceUID AS series, i.SOPInstanceUID AS uid, i.file_path AS path"""

ROOTS = "MATCH (r:Root) RETURN r.name AS name, r.path AS path ORDER BY name"
