// An approved plan is not based on a rejected structure set
// id: PLN-09
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (p:RTPlan {ApprovalStatus: 'APPROVED'})-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct) WHERE NOT s:Missing RETURN count(*) AS n
// identifying: none
// fix: Ask for the approved structure set.
// source: practice (PS3.3 C.8.8.16, Approval Module)
// why: Someone rejected the contours that the plan rests on.
// not: A structure set that was rejected on or after a day of treatment was most likely locked so: INFO.
MATCH (p:RTPlan {ApprovalStatus: 'APPROVED'})-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct {ApprovalStatus: 'REJECTED'})
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, s.SOPInstanceUID AS target,
       CASE WHEN EXISTS { (p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(r:RTRecord) WHERE r.TreatmentDate <= s.ReviewDate } THEN 'INFO' ELSE 'WARNING' END AS severity,
       {label: s.StructureSetLabel, reviewed: toString(s.ReviewDate)} AS detail
ORDER BY patient_key, subject, target;
