// RTPlanGeometry PATIENT requires exactly one referenced structure set
// id: PLN-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:RTPlan {RTPlanGeometry: 'PATIENT'}) RETURN count(p) AS n
// identifying: none
// fix: Export the plan with its structure set reference.
// source: PS3.3 C.8.8.9 (RT General Plan Module: Referenced Structure Set Sequence required if RT Plan Geometry is PATIENT, one item)
// why: A plan on patient geometry without its structure set has beams without a patient.
// not: None known.
MATCH (p:RTPlan {RTPlanGeometry: 'PATIENT'})
WITH p, COUNT { (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:Instance) } AS n
WHERE n <> 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, null AS target,
       {structure_sets: n} AS detail
ORDER BY patient_key, subject, target;
