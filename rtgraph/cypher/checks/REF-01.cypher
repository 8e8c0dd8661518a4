// Every reference resolves to an object that was ingested
// id: REF-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, role
// population: MATCH (q:ReferenceRole) WHERE q.quiet WITH collect(q.role) AS quiet MATCH (:Instance|Series)-[r:REFERENCES]->(:Instance) WHERE NOT r.role IN quiet RETURN count(r) AS n
// identifying: none
// fix: Retrieve the target (detail.retrievable tells when an archive has it) or export the whole chain again.
// source: PS3.3 10.8 (Table 10-11, SOP Instance Reference Macro); the severity of a finding is that of its role (ReferenceRole nodes), the line above is the highest
// why: A chain with a missing member cannot be used: a dose without its plan has no prescription, a structure set without its images has no place.
// not: Predecessors, prior plans and verification images are often left out of an export and are INFO. A partial export, or a plan that a record-and-verify system issued again under another UID, is reported by the severity of its role.
MATCH (q:ReferenceRole)
WHERE q.quiet
WITH collect(q.role) AS quiet
MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance)
WHERE b:Missing AND NOT r.role IN quiet
OPTIONAL MATCH (b)<-[:HAS_INSTANCE]-(s:Series)
WITH a, r.role AS role, s, collect(b) AS lost
WHERE s IS NULL OR NOT EXISTS { (a)-[:REFERENCES {role: role}]->(c:Instance)<-[:HAS_INSTANCE]-(s) WHERE NOT c:Missing }
UNWIND lost AS b
WITH a, role, s, b ORDER BY s.SeriesInstanceUID
WITH a, role, count(DISTINCT b) AS n, min(b.SOPInstanceUID) AS first, collect(DISTINCT s.SeriesInstanceUID) AS series, true IN collect(b.in_archive) AS retrievable
OPTIONAL MATCH (p:ReferenceRole {role: role})
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS subject,
       CASE WHEN n > 1 AND size(series) = 1 THEN series[0] ELSE first END AS target, coalesce(p.severity, 'WARNING') AS severity,
       {role: role, n: n, first: first, series: series[..5], retrievable: retrievable} AS detail
ORDER BY patient_key, subject, target;
