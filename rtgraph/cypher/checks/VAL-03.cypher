// Dates are plausible: birth before study, study not in the future
// id: VAL-03
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:Patient)-[:HAS_STUDY]->(t:Study) WHERE t.StudyDate IS NOT NULL RETURN count(t) AS n
// identifying: birth
// fix: Check the source; leave the patient out of age-based cohorts.
// source: practice: a study takes place after birth and before it is read (PS3.3 C.7.1.1, Patient Module; C.7.2.1, General Study Module)
MATCH (p:Patient)-[:HAS_STUDY]->(t:Study)
WHERE t.StudyDate < p.PatientBirthDate OR t.StudyDate > date() + duration('P1D')
RETURN p.patient_key AS patient_key, t.StudyInstanceUID AS subject, null AS target, {birth: toString(p.PatientBirthDate), study: toString(t.StudyDate)} AS detail
ORDER BY patient_key, subject, target;
