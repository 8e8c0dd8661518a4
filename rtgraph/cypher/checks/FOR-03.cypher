// A dose and the structure set of its plan are in one frame of reference
// id: FOR-03
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct) WHERE d.frame_uid IS NOT NULL AND s.frame_uid IS NOT NULL RETURN count(*) AS n
// identifying: none
// fix: Export dose and structures from the same planning image, or add the registration.
// source: IHE-RO BRTO-II (one planning geometry); PS3.3 C.7.4.1.1.1 (Frame of Reference UID)
MATCH (d:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct)
WHERE d.frame_uid <> s.frame_uid AND coalesce(d.SpatialTransformOfDose, 'NONE') = 'NONE'
RETURN head([(pt:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->()-[:HAS_INSTANCE]->(d) | pt.patient_key]) AS patient_key, d.SOPInstanceUID AS subject, s.SOPInstanceUID AS target,
       {dose_frame: d.frame_uid, structure_frame: s.frame_uid, plan: p.SOPInstanceUID} AS detail
ORDER BY patient_key, subject, target;
