// An approved external beam plan has at least one dose
// id: PLN-07
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:RTPlan {ApprovalStatus: 'APPROVED'}) WHERE p.n_treatment_beams > 0 RETURN count(p) AS n
// identifying: none
// fix: Export the dose.
// source: practice: an approved plan has a calculated dose (PS3.3 C.8.8.16, Approval Module)
MATCH (p:RTPlan {ApprovalStatus: 'APPROVED'})
WHERE p.n_treatment_beams > 0
  AND NOT EXISTS { (:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p) }
  AND NOT EXISTS { (p)-[r:REFERENCES]->(:RTDose) WHERE r.role IN ['PLAN_DOSE', 'FRACTION_GROUP_DOSE', 'BEAM_DOSE'] }
RETURN head([(pt:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->()-[:HAS_INSTANCE]->(p) | pt.patient_key]) AS patient_key, p.SOPInstanceUID AS subject, null AS target, {label: p.RTPlanLabel} AS detail
ORDER BY patient_key, subject, target;
