// One structure set has at most one approved treatment plan that stands alone
// id: PLN-14
// severity: warning
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:RTPlan {ApprovalStatus: 'APPROVED'})-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:Instance) RETURN count(DISTINCT s) AS n
// identifying: none
// fix: Choose by treatment records, not by date or label.
// source: practice: one plan of a course stands for what is treated (PS3.3 C.8.8.9, Referenced RT Plan Sequence; C.8.8.16, Approval Module)
// why: Of two approved plans on one structure set it is not said which was treated.
// not: Plans that refer to each other, that were both delivered, or that have other isocentres or other target ROIs (a boost, two sites) are no finding.
MATCH (p:RTPlan {ApprovalStatus: 'APPROVED'})-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:Instance)<-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]-(q:RTPlan {ApprovalStatus: 'APPROVED'})
WHERE p.SOPInstanceUID < q.SOPInstanceUID AND NOT EXISTS { (p)-[:REFERENCES]-(q) }
  AND NOT p:Missing AND coalesce(p.PlanIntent, CASE WHEN p.RTPlanGeometry = 'TREATMENT_DEVICE' OR EXISTS { (p)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) } THEN 'VERIFICATION' ELSE 'CURATIVE' END) IN ['CURATIVE', 'PALLIATIVE', 'PROPHYLACTIC']
  AND NOT q:Missing AND coalesce(q.PlanIntent, CASE WHEN q.RTPlanGeometry = 'TREATMENT_DEVICE' OR EXISTS { (q)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) } THEN 'VERIFICATION' ELSE 'CURATIVE' END) IN ['CURATIVE', 'PALLIATIVE', 'PROPHYLACTIC']
  AND coalesce(p.isocenters = q.isocenters, true)
  AND (NOT EXISTS { (p)-[:HAS_DOSE_REFERENCE]->(:DoseReference {DoseReferenceType: 'TARGET'})-[:TARGETS]->(:ROI) } OR NOT EXISTS { (q)-[:HAS_DOSE_REFERENCE]->(:DoseReference {DoseReferenceType: 'TARGET'})-[:TARGETS]->(:ROI) }
    OR EXISTS { (p)-[:HAS_DOSE_REFERENCE]->(:DoseReference {DoseReferenceType: 'TARGET'})-[:TARGETS]->(:ROI)<-[:TARGETS]-(:DoseReference {DoseReferenceType: 'TARGET'})<-[:HAS_DOSE_REFERENCE]-(q) })
WITH p, q, s, COUNT { (p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(:RTRecord) } AS first, COUNT { (q)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(:RTRecord) } AS second
WHERE first = 0 OR second = 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, q.SOPInstanceUID AS target,
       {structure_set: s.SOPInstanceUID, labels: [p.RTPlanLabel, q.RTPlanLabel], records: [first, second]} AS detail
ORDER BY patient_key, subject, target;
