"""Cypher for objects whose file is gone, or is another object now; no I/O.

Such objects carry the label Forsaken until they are retired, so a killed run loses nothing. What
is retired leaves the graph, or becomes what a reference alone would have made: a Missing node.
"""

from functools import cache

from rtgraph.graphmodel.families import FAMILY_LABELS, Family

# Objects and files in a range of paths, a page at a time.
PATHS_OF_OBJECTS = """\
MATCH (i:Instance)
WHERE i.file_path > $after AND i.file_path < $before
WITH i.file_path AS path ORDER BY path LIMIT $n
RETURN path, count(*) AS n ORDER BY path"""
PATHS_OF_FILES = """\
MATCH (f:File)
WHERE f.path > $after AND f.path < $before
RETURN f.path AS path ORDER BY path LIMIT $n"""

# Rows: paths; SOP Instance UID and path; UIDs.
FORSAKE_PATHS = "UNWIND $rows AS path MATCH (i:Instance {file_path: path}) SET i:Forsaken"
FORSAKE = """\
UNWIND $rows AS r
MATCH (i:Instance {SOPInstanceUID: r[0]})
WHERE i.file_path = r[1]
SET i:Forsaken"""
RECOVER = "UNWIND $rows AS uid MATCH (i:Instance {SOPInstanceUID: uid}) REMOVE i:Forsaken"
FORSAKEN = """\
MATCH (i:Forsaken)
RETURN i.SOPInstanceUID AS uid, i.file_path AS path SKIP $kept LIMIT $n"""

# Who has to be read again. Rows: UIDs of objects; UIDs of series.
REFERRERS = """\
UNWIND $rows AS uid
MATCH (:Instance {SOPInstanceUID: uid})<-[:REFERENCES]-(x:Instance|Series)
WHERE NOT x:Forsaken
RETURN DISTINCT x.SOPInstanceUID AS uid, x.file_path AS path, x.SeriesInstanceUID AS series"""
FORSAKEN_OF = """\
UNWIND $rows AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(i:Forsaken)
RETURN i.SOPInstanceUID AS uid"""
# Patients, studies and series whose values came from an object that goes, with the next ones.
SUPPLIERS = """\
UNWIND $rows AS uid
MATCH (:Instance {SOPInstanceUID: uid})<-[:HAS_INSTANCE]-(s:Series)
OPTIONAL MATCH (s)<-[:HAS_SERIES]-(t:Study)
OPTIONAL MATCH (t)<-[:HAS_STUDY]-(p:Patient)
UNWIND [s, t, p] AS n
WITH DISTINCT n
WHERE n IS NOT NULL AND NOT EXISTS {
  MATCH (o:Instance {SOPInstanceUID: n.props_from}) WHERE NOT o:Missing AND NOT o:Forsaken }
RETURN n.patient_key AS patient, n.StudyInstanceUID AS study, n.SeriesInstanceUID AS series,
       COLLECT {
         MATCH (n)-[:HAS_STUDY|HAS_SERIES|HAS_INSTANCE*1..3]->(o:Instance)
         WHERE NOT o:Missing AND NOT o:Forsaken
         RETURN [o.SOPInstanceUID, o.file_path] AS one ORDER BY one LIMIT 10
       } AS next"""
FORGET_STUDIES = "UNWIND $rows AS uid MATCH (t:Study {StudyInstanceUID: uid}) REMOVE t.props_from"
FORGET_SERIES = "UNWIND $rows AS uid MATCH (s:Series {SeriesInstanceUID: uid}) REMOVE s.props_from"

# A copy takes over. The size is left out until its content is written, so that it is read again
# when that fails. Rows: UID, path, mtime.
TAKE_OVER = """\
UNWIND $rows AS r
MATCH (i:Instance {SOPInstanceUID: r[0]})
SET i.file_path = r[1], i.file_mtime = r[2], i.file_size = null
REMOVE i:Forsaken
WITH r
MATCH (f:File {path: r[1]})
DETACH DELETE f"""

# Objects leave their series, and copies that cannot be read leave with them. Rows: UIDs.
LEAVE = """\
UNWIND $rows AS uid
MATCH (i:Instance {SOPInstanceUID: uid})
OPTIONAL MATCH (i)-[:STORED_AS]->(f:File)
DETACH DELETE f
WITH DISTINCT i
OPTIONAL MATCH (s:Series)-[h:HAS_INSTANCE]->(i)
SET s.dirty = true
DELETE h
RETURN DISTINCT s.SeriesInstanceUID AS series"""
# What still refers to them, in the order in which references are written.
REFERRED = """\
UNWIND $rows AS uid
MATCH (i:Instance {SOPInstanceUID: uid})<-[e:REFERENCES]-(x:Instance|Series)
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(x)
FOREACH (d IN [d IN [s, x] WHERE d:Series] | SET d.dirty = true)
RETURN DISTINCT uid, x:Series AS of_series, e.stated_sop_class AS stated,
       coalesce(x.SOPInstanceUID, x.SeriesInstanceUID) AS source"""
DROP_OBJECTS = "UNWIND $rows AS uid MATCH (i:Instance {SOPInstanceUID: uid}) DETACH DELETE i"


@cache
def stubs(kind: Family) -> str:
    """Return the statement that turns objects into what a reference to them makes.

    Rows: UID, stated class.
    """
    labels = "".join(f":{label}" for label in ("Missing", *kind.labels))
    return f"""\
UNWIND $rows AS r
MATCH (i:Instance {{SOPInstanceUID: r[0]}})
OPTIONAL MATCH (i)-[e:DOSE_OF|IMAGES|INFERRED_LINK]-()
DELETE e
WITH DISTINCT i, r
REMOVE i:Forsaken:{":".join(FAMILY_LABELS)}
SET i = {{SOPInstanceUID: r[0], stated_sop_class: r[1], first_seen_run: $run}}, i{labels}"""

# How many files were no objects when they were read. Rows: paths.
KNOWN_REJECTS = """\
UNWIND $rows AS path
MATCH (f:File {path: path})
WHERE f.status <> 'COPY'
RETURN count(f) AS n"""
