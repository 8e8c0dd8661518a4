// Dates are plausible: birth before study, study not in the future
// id: VAL-03
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:Patient)-[:HAS_STUDY]->(t:Study) WHERE t.StudyDate IS NOT NULL RETURN count(DISTINCT t) AS n
// identifying: birth
// fix: Check the source; leave the patient out of age-based cohorts.
// source: practice: a study takes place after birth and before it is read (PS3.3 C.7.1.1, Patient Module; C.7.2.1, General Study Module)
// why: A study before birth or after today is a wrong date; ages and times between events come out wrong.
// not: Dates of sets marked as de-identified may be shifted: INFO.
MATCH (p:Patient)-[:HAS_STUDY]->(t:Study)
WHERE t.StudyDate < p.PatientBirthDate OR t.StudyDate > date() + duration('P1D')
WITH t, p ORDER BY p.patient_key
WITH t, head(collect(p)) AS p
RETURN p.patient_key AS patient_key, t.StudyInstanceUID AS subject, null AS target,
       CASE WHEN p.PatientIdentityRemoved = 'YES' THEN 'INFO' ELSE 'WARNING' END AS severity,
       {birth: toString(p.PatientBirthDate), study: toString(t.StudyDate)} AS detail
ORDER BY patient_key, subject, target;
