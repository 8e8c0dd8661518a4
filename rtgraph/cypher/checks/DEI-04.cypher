// PatientIdentityRemoved is YES
// id: DEI-04
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:Patient) RETURN count(p) AS n
// identifying: none
// fix: Set it together with DeidentificationMethod.
// source: PS3.3 C.7.1.1 (Patient Module: Patient Identity Removed); PS3.15 Annex E
// why: An object that does not say that it is de-identified is treated as if it named a person, or should be.
// not: Public sets that were made before the attribute was used do not have it; they are reported.
MATCH (p:Patient)
WHERE coalesce(p.PatientIdentityRemoved, 'NO') <> 'YES'
RETURN p.patient_key AS patient_key, p.patient_key AS subject, null AS target,
       {value: p.PatientIdentityRemoved} AS detail
ORDER BY patient_key, subject, target;
