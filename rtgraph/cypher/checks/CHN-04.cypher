// A replan has its own image or a registration to that of the plan it replaces, its own structure set, and its own dose
// id: CHN-04
// severity: warning
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (q:RTPlan)-[r:REFERENCES {role: 'PREDECESSOR_PLAN'}]->(p:RTPlan) WHERE NOT q:Missing AND NOT p:Missing RETURN count(r) AS n
// identifying: none
// fix: Retrieve the missing objects before summing doses.
// source: practice: adaptive courses (PS3.3 C.8.8.9, RT Plan Relationship PREDECESSOR)
// why: Doses of a course can only be summed when each plan has its dose and the images are joined.
// not: A plan edited without a new image keeps structure set and frame, and is whole with a dose of its own.
MATCH (q:RTPlan)-[:REFERENCES {role: 'PREDECESSOR_PLAN'}]->(p:RTPlan)
WHERE NOT q:Missing AND NOT p:Missing
OPTIONAL MATCH (fq:FrameOfReference {FrameOfReferenceUID: q.frame_uid})
OPTIONAL MATCH (fp:FrameOfReference {FrameOfReferenceUID: p.frame_uid})
WITH q, p, [gap IN [
  CASE WHEN NOT EXISTS { (q)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:Instance) } THEN 'no structure set' END,
  CASE WHEN NOT EXISTS { (q)-[r:REFERENCES]-(:RTDose) WHERE r.role IN ['DOSE_PLAN', 'PLAN_DOSE', 'FRACTION_GROUP_DOSE', 'BEAM_DOSE'] } THEN 'no dose' END,
  CASE WHEN fq <> fp AND NOT EXISTS { (fq)-[:REGISTERED_TO*1..2]-(fp) } THEN 'other frame, no registration' END
] WHERE gap IS NOT NULL] AS gaps
WHERE size(gaps) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(q) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       q.SOPInstanceUID AS subject, p.SOPInstanceUID AS target,
       {gaps: gaps} AS detail
ORDER BY patient_key, subject, target;
