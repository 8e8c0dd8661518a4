// A reference never leaves the patient
// id: REF-03
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:Series)-[r:REFERENCES]->(:Series) RETURN count(r) AS n
// identifying: none
// fix: Check for a wrong PatientID first, then for a UID used twice. Never merge patients in the graph.
// source: practice: objects that refer to each other describe one patient (PS3.3 C.7.1.1, Patient Module)
MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(a:Series)-[r:REFERENCES]->(b:Series)<-[:HAS_SERIES]-(:Study)<-[:HAS_STUDY]-(q:Patient)
WHERE p <> q
RETURN p.patient_key AS patient_key, a.SeriesInstanceUID AS subject, b.SeriesInstanceUID AS target, {role: r.role, other_patient: q.patient_key} AS detail
ORDER BY patient_key, subject, target;
