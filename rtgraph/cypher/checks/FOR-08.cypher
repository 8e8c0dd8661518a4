// The plan frame, when stated, equals the frame of its structure set
// id: FOR-08
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:RTPlan {frame_source: 'MODULE'})-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct) WHERE s.frame_uid IS NOT NULL RETURN count(*) AS n
// identifying: none
// fix: Export plan and structure set from the same planning image.
// source: PS3.3 C.7.4.1 (Frame of Reference Module), C.8.8.9 (RT General Plan Module: Referenced Structure Set Sequence)
// why: Isocentre and dose grid are given in the frame of the plan, the target in that of the structure set.
// not: A structure set with several frames has no frame of its own and is not compared.
MATCH (p:RTPlan {frame_source: 'MODULE'})-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct)
WHERE p.frame_uid <> s.frame_uid
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, s.SOPInstanceUID AS target,
       {plan_frame: p.frame_uid, structure_frame: s.frame_uid} AS detail
ORDER BY patient_key, subject, target;
