// RTPlanRelationship VERIFIED_PLAN occurs only when PlanIntent is VERIFICATION
// id: PLN-06
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:RTPlan)-[r:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) RETURN count(r) AS n
// identifying: none
// fix: Treat the plan as a QA plan in cohorts.
// source: PS3.3 C.8.8.9 (RT General Plan Module: RT Plan Relationship VERIFIED_PLAN only if Plan Intent is VERIFICATION)
// why: A plan that verifies another one is measured on a phantom; taken for a treatment plan it is counted as a course.
// not: A verification plan whose PlanIntent is left out is INFO.
MATCH (p:RTPlan)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(q:Instance)
WHERE NOT p:Missing AND coalesce(p.PlanIntent, '') <> 'VERIFICATION'
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, q.SOPInstanceUID AS target,
       CASE WHEN p.PlanIntent IS NULL THEN 'INFO' ELSE 'ERROR' END AS severity,
       {intent: p.PlanIntent} AS detail
ORDER BY patient_key, subject, target;
