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
// why: Whoever loads the files gets one of two different objects under one name, depending on the order of reading.
// not: The same object sent twice is no finding: the data sets are compared in full where both files are at hand, else by the digest of their heads. An archive that rewrites private or institution elements on retrieval makes a finding that can be waived.
MATCH (i:Instance)-[:STORED_AS]->(f:File)
WHERE f.differs
WITH i, collect(f.path) AS paths
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, null AS target,
       {first: i.file_path, others: paths} AS detail
ORDER BY patient_key, subject, target;
