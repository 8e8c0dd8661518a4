// A course has the objects that the protocol asks for
// id: PRT-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (p:RTPlan) WHERE NOT p:Missing AND coalesce(p.RTPlanGeometry, 'PATIENT') = 'PATIENT' RETURN count(p) AS n
// identifying: none
// fix: Retrieve or export what is missing, or correct the protocol file.
// source: the protocol file of the project; the severity of a finding is the one given there
// why: A trial or a site decides what a complete course is; the Standard does not.
// not: Quality assurance plans on a phantom belong to no course (RTPlanGeometry TREATMENT_DEVICE is left out).
// try: :param objects => [{modality: 'RTSTRUCT', severity: 'ERROR'}, {modality: 'RTRECORD', severity: 'WARNING'}]
MATCH (p:RTPlan)
WHERE NOT p:Missing AND coalesce(p.RTPlanGeometry, 'PATIENT') = 'PATIENT'
WITH p, COLLECT {
  MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct)
  WHERE NOT s:Missing
  RETURN 'RTSTRUCT' AS modality
  UNION
  MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:RTStruct)-[r:REFERENCES]->(i:Image)<-[:HAS_INSTANCE]-(c:Series)
  WHERE r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE'] AND NOT i:Missing
  RETURN c.Modality AS modality
  UNION
  MATCH (p)-[r:REFERENCES]-(d:RTDose)
  WHERE r.role IN ['DOSE_PLAN', 'PLAN_DOSE', 'FRACTION_GROUP_DOSE', 'BEAM_DOSE'] AND NOT d:Missing
  RETURN 'RTDOSE' AS modality
  UNION
  MATCH (p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(t:RTRecord)
  WHERE NOT t:Missing
  RETURN 'RTRECORD' AS modality
  UNION
  MATCH (p)<-[:REFERENCES {role: 'RTIMAGE_PLAN'}]-(x:RTImage)
  WHERE NOT x:Missing
  RETURN 'RTIMAGE' AS modality
  UNION
  MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:RTStruct)-[:REFERENCES]->(:Image)<-[:HAS_INSTANCE]-(:Series)<-[:REFERENCES]-(:REGSeries)
  RETURN 'REG' AS modality
  UNION
  MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:RTStruct)-[:REFERENCES]->(:Image)<-[:HAS_INSTANCE]-(c:Series)-[:IN_FRAME]->(f:FrameOfReference)
  MATCH (f)<-[:IN_FRAME]-(:REGSeries)-[:HAS_INSTANCE]->(g:Registration)
  WHERE NOT g:Missing
  RETURN 'REG' AS modality
} AS present
UNWIND $objects AS want
WITH p, present, want
WHERE NOT want.modality IN present
RETURN head([(pt:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->()-[:HAS_INSTANCE]->(p) | pt.patient_key]) AS patient_key, p.SOPInstanceUID AS subject, want.modality AS target,
       coalesce(want.severity, 'WARNING') AS severity, {label: p.RTPlanLabel, present: present} AS detail
ORDER BY patient_key, subject, target;
