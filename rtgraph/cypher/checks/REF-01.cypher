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
MATCH (q:ReferenceRole)
WHERE q.quiet
WITH collect(q.role) AS quiet
MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance)
WHERE b:Missing AND NOT r.role IN quiet
OPTIONAL MATCH (b)<-[:HAS_INSTANCE]-(s:Series)
WITH a, r.role AS role, s, count(b) AS n, min(b.SOPInstanceUID) AS first, true IN collect(b.in_archive) AS in_archive
WHERE s IS NULL OR NOT EXISTS { (a)-[:REFERENCES {role: role}]->(c:Instance)<-[:HAS_INSTANCE]-(s) WHERE NOT c:Missing }
WITH a, role, sum(n) AS n, min(first) AS first, collect(s.SeriesInstanceUID) AS series, true IN collect(in_archive) AS retrievable
OPTIONAL MATCH (p:ReferenceRole {role: role})
RETURN head([(pt:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->()-[:HAS_INSTANCE*0..1]->(a) | pt.patient_key]) AS patient_key, coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS subject,
       CASE WHEN n > 1 AND size(series) = 1 THEN series[0] ELSE first END AS target, coalesce(p.severity, 'WARNING') AS severity,
       {role: role, n: n, first: first, series: series[..5], retrievable: retrievable} AS detail
ORDER BY patient_key, subject, target;
