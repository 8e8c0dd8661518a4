// The patient position of the plan setup is that of the planning image
// id: PLN-13
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:RTStruct)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(:Instance)<-[:HAS_INSTANCE]-(b:Series) WITH DISTINCT p, b WHERE b.PatientPosition IS NOT NULL AND size(p.patient_positions) > 0 AND (p.frame_uid IS NULL OR NOT EXISTS { (b)-[:IN_FRAME]->(:FrameOfReference) } OR EXISTS { (b)-[:IN_FRAME]->(f:FrameOfReference) WHERE f.FrameOfReferenceUID = p.frame_uid }) RETURN count(*) AS n
// identifying: none
// fix: Check the orientation before any geometric use.
// source: practice (PS3.3 C.8.8.12, RT Patient Setup Module; C.7.3.1.1.2, Patient Position)
// why: A plan for another position than that of the scan is turned by 180 degrees, or someone turned it on purpose and the axes have to be checked.
// not: A secondary series in another frame than the plan is not compared. A patient who is treated feet first after a head first scan is reported, so that someone looks.
MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:RTStruct)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(:Instance)<-[:HAS_INSTANCE]-(b:Series)
WITH DISTINCT p, b
WHERE NOT b.PatientPosition IN p.patient_positions AND b.PatientPosition IS NOT NULL AND size(p.patient_positions) > 0 AND (p.frame_uid IS NULL OR NOT EXISTS { (b)-[:IN_FRAME]->(:FrameOfReference) } OR EXISTS { (b)-[:IN_FRAME]->(f:FrameOfReference) WHERE f.FrameOfReferenceUID = p.frame_uid })
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, b.SeriesInstanceUID AS target,
       {plan: p.patient_positions, image: b.PatientPosition} AS detail
ORDER BY patient_key, subject, target;
