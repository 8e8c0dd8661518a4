// A plan that was delivered is not rejected and is not a verification or QA plan
// id: REC-06
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:RTRecord)-[r:REFERENCES {role: 'RECORD_PLAN'}]->(p:RTPlan) WHERE NOT p:Missing RETURN count(r) AS n
// identifying: none
// fix: Leave these records out of delivered fractions.
// source: practice (PS3.3 C.8.8.16, Approval Module; C.8.8.9, Plan Intent)
// why: Fractions of a rejected plan, or of one that is meant for a phantom, must not be counted as treatment without a look.
// not: Records of verification and machine QA plans are deliveries to a phantom: INFO, leave them out. A plan that was rejected on or after the day of treatment was most likely locked so: INFO.
MATCH (i:RTRecord)-[:REFERENCES {role: 'RECORD_PLAN'}]->(p:RTPlan)
WHERE p.ApprovalStatus = 'REJECTED' OR p.PlanIntent IN ['VERIFICATION', 'MACHINE_QA']
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, p.SOPInstanceUID AS target,
       CASE WHEN coalesce(p.ApprovalStatus, '') <> 'REJECTED' OR p.PlanIntent IN ['VERIFICATION', 'MACHINE_QA'] OR p.ReviewDate >= i.TreatmentDate THEN 'INFO' ELSE 'ERROR' END AS severity,
       {status: p.ApprovalStatus, intent: p.PlanIntent, reviewed: toString(p.ReviewDate), treated: toString(i.TreatmentDate)} AS detail
ORDER BY patient_key, subject, target;
