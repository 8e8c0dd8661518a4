// An approved external beam plan has at least one dose
// id: PLN-07
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (p:RTPlan {ApprovalStatus: 'APPROVED'}) WHERE p.n_treatment_beams > 0 RETURN count(p) AS n
// identifying: none
// fix: Export the dose.
// source: practice: an approved plan has a calculated dose (PS3.3 C.8.8.16, Approval Module)
// why: An approved plan was calculated; an export without its dose is not whole.
// not: A plan in whose frame lies a dose that names a missing plan is INFO: a record-and-verify system may have issued the plan again under another UID. Plans that were imported for their records only are reported.
MATCH (p:RTPlan {ApprovalStatus: 'APPROVED'})
WHERE p.n_treatment_beams > 0
  AND NOT EXISTS { (:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p) }
  AND NOT EXISTS { (p)-[r:REFERENCES]->(:RTDose) WHERE r.role IN ['PLAN_DOSE', 'FRACTION_GROUP_DOSE', 'BEAM_DOSE'] }
WITH p, COUNT { (:FrameOfReference {FrameOfReferenceUID: p.frame_uid})<-[:IN_FRAME]-(:RTDoseSeries)-[:HAS_INSTANCE]->(d:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(m:Instance)
  WHERE m:Missing AND d.frame_uid = p.frame_uid } AS lost
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, null AS target,
       CASE WHEN lost > 0 THEN 'INFO' ELSE 'WARNING' END AS severity,
       {label: p.RTPlanLabel, doses_of_missing_plans: lost} AS detail
ORDER BY patient_key, subject, target;
