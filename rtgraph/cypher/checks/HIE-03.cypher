// One SOP Instance UID means one object: two files with the same UID hold the same data set
// id: HIE-03
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:Instance)-[:STORED_AS]->(:File) RETURN count(DISTINCT i) AS n
// identifying: first, others
// fix: Keep the right file, remove the other; a changed object needs a new SOP Instance UID.
// source: PS3.3 C.12.1 (SOP Common Module); PS3.5 section 9 (Unique Identifiers)
MATCH (i:Instance)-[:STORED_AS]->(f:File)
WHERE f.differs
WITH i, collect(f.path) AS paths
RETURN head([(pt:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->()-[:HAS_INSTANCE]->(i) | pt.patient_key]) AS patient_key, i.SOPInstanceUID AS subject, null AS target, {first: i.file_path, others: paths} AS detail
ORDER BY patient_key, subject, target;
