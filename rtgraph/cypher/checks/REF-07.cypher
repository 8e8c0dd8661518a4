// A referenced frame number exists in the target
// id: REF-07
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target, role
// population: MATCH (:Instance)-[r:REFERENCES]->(b:Instance) WHERE r.frames IS NOT NULL AND NOT b:Missing RETURN count(r) AS n
// identifying: none
// fix: Report to the sender.
// source: PS3.3 10.3 (Image SOP Instance Reference Macro, Referenced Frame Number), C.7.6.6 (Multi-frame Module)
// why: A frame number beyond the last one points at nothing: the contour or segment has no image.
// not: None known.
MATCH (a:Instance)-[r:REFERENCES]->(b:Instance)
WHERE r.frames IS NOT NULL AND NOT b:Missing AND any(f IN r.frames WHERE f < 1 OR f > coalesce(b.NumberOfFrames, 1))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(a) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       a.SOPInstanceUID AS subject, b.SOPInstanceUID AS target,
       {role: r.role, frames: r.frames[..20], have: coalesce(b.NumberOfFrames, 1)} AS detail
ORDER BY patient_key, subject, target;
