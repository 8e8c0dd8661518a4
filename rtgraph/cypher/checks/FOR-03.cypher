// A dose and the structure set of its plan are in one frame of reference
// id: FOR-03
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (d:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct) WHERE d.frame_uid IS NOT NULL AND s.frame_uid IS NOT NULL RETURN count(*) AS n
// identifying: none
// fix: Export dose and structures from the same planning image, or add the registration.
// source: IHE-RO BRTO-II (one planning geometry); PS3.3 C.7.4.1.1.1 (Frame of Reference UID)
// why: A dose laid over contours of another frame gives a DVH of the wrong tissue.
// not: A dose whose frame is joined to that of the structure set by a registration, such as a dose recalculated on a CBCT, is INFO: apply the registration. So is a dose of another patient, such as a phantom that cites the clinical plan; REF-03 reports the reference.
MATCH (d:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct)
WHERE d.frame_uid <> s.frame_uid AND coalesce(d.SpatialTransformOfDose, 'NONE') = 'NONE'
WITH d, p, s,
     EXISTS { MATCH q = (:FrameOfReference {FrameOfReferenceUID: d.frame_uid})-[:REGISTERED_TO*1..2]-(:FrameOfReference {FrameOfReferenceUID: s.frame_uid}) WHERE all(z IN nodes(q) WHERE z.kind = 'PATIENT') } AS registered,
     [(k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) | k.patient_key] AS dosed,
     [(k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(s) | k.patient_key] AS contoured
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, s.SOPInstanceUID AS target,
       CASE WHEN registered OR none(k IN dosed WHERE k IN contoured) THEN 'INFO' ELSE 'ERROR' END AS severity,
       {dose_frame: d.frame_uid, structure_frame: s.frame_uid, plan: p.SOPInstanceUID, registered: registered} AS detail
ORDER BY patient_key, subject, target;
