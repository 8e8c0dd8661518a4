// A reference never leaves the patient
// id: REF-03
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target, role
// population: MATCH (:Series)-[r:REFERENCES]->(:Series) RETURN count(r) AS n
// identifying: none
// fix: Check for a wrong PatientID first, then for a UID used twice. Never merge patients in the graph.
// source: practice: objects that refer to each other describe one patient (PS3.3 C.7.1.1, Patient Module)
// why: A plan, dose or record that leads to another patient means a wrong PatientID or a UID used twice; treating or training on it mixes persons.
// not: A verification plan that was recalculated on a phantom from a patient plan is INFO. Two PatientIDs with the same name and birth date are most likely one person registered twice: a warning. A study of two patients is HIE-02 and makes no finding here.
MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(a:Series)-[r:REFERENCES]->(b:Series)<-[:HAS_SERIES]-(:Study)<-[:HAS_STUDY]-(q:Patient)
WHERE p <> q AND NOT EXISTS { (p)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(b) } AND NOT EXISTS { (q)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(a) }
WITH a, r, b, p, q ORDER BY p.patient_key, q.patient_key
WITH a, r, b, head(collect({p: p, q: q})) AS pair
WITH a, r, b, pair.p AS p, pair.q AS q
RETURN p.patient_key AS patient_key, a.SeriesInstanceUID AS subject, b.SeriesInstanceUID AS target,
       CASE WHEN r.role = 'VERIFIED_PLAN' THEN 'INFO'
            WHEN any(x IN p.names_seen WHERE x IN q.names_seen) AND p.PatientBirthDate = q.PatientBirthDate
              AND coalesce(p.PatientIdentityRemoved, 'NO') <> 'YES' THEN 'WARNING' ELSE 'ERROR' END AS severity,
       {role: r.role, other_patient: q.patient_key} AS detail
ORDER BY patient_key, subject, target;
