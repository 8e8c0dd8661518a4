// A study belongs to exactly one patient
// id: HIE-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (t:Study) WHERE NOT t:Missing RETURN count(t) AS n
// identifying: none
// fix: Correct PatientID or IssuerOfPatientID; merge patients outside the graph and read again.
// source: PS3.3 A.1.2.2 (Study IE: each study belongs to exactly one patient)
// why: Two patients in one study are two persons under one StudyInstanceUID, or one person with two identities; both spoil every count of patients.
// not: An issuer or a PatientID that one export writes and another leaves out, with nothing else in contradiction, is a warning: most likely one person.
MATCH (t:Study)<-[:HAS_STUDY]-(p:Patient)
WITH t, p ORDER BY p.patient_key
WITH t, collect(p) AS patients, max(p.PatientID) AS id, count(p.IssuerOfPatientID) AS issuers
WHERE size(patients) > 1
RETURN patients[0].patient_key AS patient_key, t.StudyInstanceUID AS subject, null AS target,
       CASE WHEN all(p IN patients WHERE coalesce(p.PatientID, id) = coalesce(id, '')) AND issuers < 2 THEN 'WARNING' ELSE 'ERROR' END AS severity,
       {patients: [p IN patients | p.patient_key]} AS detail
ORDER BY patient_key, subject, target;
