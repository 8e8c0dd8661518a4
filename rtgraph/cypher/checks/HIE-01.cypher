// A series belongs to exactly one study
// id: HIE-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (s:Series) WHERE NOT s:Missing RETURN count(s) AS n
// identifying: none
// fix: Find the files with the second StudyInstanceUID; correct it or give the copy a new SeriesInstanceUID.
// source: PS3.3 A.1.2.3 (Series IE), C.7.3.1 (General Series Module)
// why: A series is made in one study; a second one means that a UID was used twice or that a study was split after the fact, and counts per study are wrong.
// not: None known.
MATCH (s:Series)
WHERE COUNT { (s)<-[:HAS_SERIES]-(:Study) } > 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       {studies: [(s)<-[:HAS_SERIES]-(t:Study) | t.StudyInstanceUID]} AS detail
ORDER BY patient_key, subject, target;
