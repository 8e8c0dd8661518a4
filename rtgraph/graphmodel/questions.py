"""Cypher that asks what the graph holds, for the decisions of an ingest; no I/O.

Rows are lists of keys, and every answer names the key that it is for.
"""

# Edges that objects state, or the series of image objects for them.
STATED = "REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY|REFERENCES_FRAME"

# What is already there. Rows: UIDs; paths.
KNOWN_OBJECTS = """\
UNWIND $rows AS uid
MATCH (i:Instance {SOPInstanceUID: uid})
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
# A file that could not be read or written may be sound now, so it is looked at again.
KNOWN_FILES = """\
UNWIND $rows AS path
CALL (path) {
  MATCH (i:Instance {file_path: path})
  RETURN i.file_size AS size, i.file_mtime AS mtime, i.parser_version AS parser
  UNION ALL
  MATCH (f:File {path: path})
  WHERE NOT coalesce(f.reason, '') IN ['UNREADABLE', 'WRITE_REFUSED']
  RETURN f.size AS size, f.mtime AS mtime, f.parser_version AS parser
}
RETURN path, size, mtime, parser"""

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
