// Patients and image series whose samples stand in several splits of one export
// view: table
// returns: run, what, uid, splits, cases
// identifying: none
MATCH (r:ExportRun)-[:WROTE]->(s:Sample {state: 'WRITTEN'})-[:MADE_FROM {purpose: 'IMAGE'}]->(e:Series)
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(e)
UNWIND [{what: 'PATIENT', uid: k.patient_key}, {what: 'SERIES', uid: e.SeriesInstanceUID}] AS shared
WITH r, shared.what AS what, shared.uid AS uid, collect(DISTINCT s.split) AS splits, collect(DISTINCT s.case_id) AS cases
WHERE size(splits) > 1
RETURN r.id AS run, what, uid, splits, cases
ORDER BY run, what, uid;
