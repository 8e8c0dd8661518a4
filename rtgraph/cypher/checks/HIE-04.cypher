// An instance is in exactly one series
// id: HIE-04
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i) AS n
// identifying: none
// fix: Find the second file; correct SeriesInstanceUID or the SOP Instance UID.
// source: PS3.3 A.1.2 (Entity-Relationship Model), A.1.2.3 (Series IE)
// why: An object in two series is counted twice, and a volume built from one of them has slices of another scan.
// not: A reference that places an object in a wrong series is no finding: the edge goes when the object arrives.
MATCH (i:Instance)
WHERE NOT i:Missing AND (COUNT { (i)<-[:HAS_INSTANCE]-(:Series) } > 1 OR EXISTS { (i)-[:STORED_AS]->(f:File) WHERE f.series_uid IS NOT NULL })
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, null AS target,
       {series: [(i)<-[:HAS_INSTANCE]-(s:Series) | s.SeriesInstanceUID] + [(i)-[:STORED_AS]->(f:File) WHERE f.series_uid IS NOT NULL | f.series_uid]} AS detail
ORDER BY patient_key, subject, target;
