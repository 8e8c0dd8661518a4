// Objects of one chain in different frames are joined by a registration path
// id: FOR-09
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target, role
// population: MATCH (:Instance|Series)-[r:REFERENCES]->(j:Instance) WHERE r.role IN ['IMAGING_PLAN', 'VERIFICATION_IMAGE', 'PREDECESSOR_PLAN', 'PREDECESSOR_STRUCTURE_SET', 'DOSE_SOURCE'] AND NOT j:Missing RETURN count(r) AS n
// identifying: none
// fix: Retrieve the registration object of the session.
// source: practice: adaptive and image guided courses (PS3.3 C.20.2, Spatial Registration Module)
// why: Objects of one course that lie in different frames can only be laid over each other through a registration.
// not: CBCT, PET and other images of treatment have frames of their own, and their registration often stays in the treatment system: INFO. Portal images without a frame are not looked at.
MATCH (x:Instance|Series)-[r:REFERENCES]->(j:Instance)
WHERE r.role IN ['IMAGING_PLAN', 'VERIFICATION_IMAGE', 'PREDECESSOR_PLAN', 'PREDECESSOR_STRUCTURE_SET', 'DOSE_SOURCE'] AND NOT j:Missing
WITH x, r.role AS role, j,
     CASE WHEN x.frame_uid IS NULL THEN [(x)-[:IN_FRAME]->(f:FrameOfReference) | f.FrameOfReferenceUID] ELSE [x.frame_uid] END AS here,
     CASE WHEN j.frame_uid IS NULL THEN [(j)<-[:HAS_INSTANCE]-(:Series)-[:IN_FRAME]->(f:FrameOfReference) | f.FrameOfReferenceUID] ELSE [j.frame_uid] END AS there
WHERE none(u IN here WHERE u IN there)
  AND EXISTS { (f:FrameOfReference {kind: 'PATIENT'}) WHERE f.FrameOfReferenceUID IN here }
  AND EXISTS { (f:FrameOfReference {kind: 'PATIENT'}) WHERE f.FrameOfReferenceUID IN there }
  AND NOT EXISTS { MATCH q = (f:FrameOfReference)-[:REGISTERED_TO*1..2]-(g:FrameOfReference)
    WHERE f.FrameOfReferenceUID IN here AND g.FrameOfReferenceUID IN there AND all(z IN nodes(q) WHERE z.kind = 'PATIENT') }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(x) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       coalesce(x.SOPInstanceUID, x.SeriesInstanceUID) AS subject, j.SOPInstanceUID AS target,
       CASE WHEN role IN ['IMAGING_PLAN', 'VERIFICATION_IMAGE'] THEN 'INFO' ELSE 'WARNING' END AS severity,
       {role: role, frames: here, target_frames: there} AS detail
ORDER BY patient_key, subject, target;
