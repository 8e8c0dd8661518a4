// A study belongs to exactly one patient
// id: HIE-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (st:Study) WHERE NOT st:Missing RETURN count(st) AS n
// identifying: none
// fix: Correct PatientID or IssuerOfPatientID; merge patients outside the graph and read again.
// source: PS3.3 A.1.2.2 (Study IE: each study belongs to exactly one patient)
MATCH (st:Study)<-[:HAS_STUDY]-(p:Patient)
WITH st, p ORDER BY p.patient_key
WITH st, collect(p.patient_key) AS patients
WHERE size(patients) > 1
RETURN patients[0] AS patient_key, st.StudyInstanceUID AS subject, null AS target, {patients: patients} AS detail
ORDER BY patient_key, subject, target;
