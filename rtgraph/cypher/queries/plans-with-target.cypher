// Plans whose structure set has a target volume with contours
// view: table
// returns: patient_key, plan, label, structure_set, targets, prescribed
// identifying: none
// param types: list of string = PTV   interpreted types: GTV, CTV, PTV
// try: :param types => ['PTV']
MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(i:RTStruct)
WHERE NOT p:Missing AND NOT i:Missing
WITH p, i, COLLECT {
  MATCH (i)-[:HAS_ROI]->(r:ROI)
  WHERE r.RTROIInterpretedType IN [t IN $types | toUpper(t)] AND r.n_contours > 0
  RETURN DISTINCT r.ROIName AS name ORDER BY name
} AS targets
WHERE size(targets) > 0
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, i.SOPInstanceUID AS structure_set, targets,
       COLLECT {
         MATCH (p)-[:HAS_DOSE_REFERENCE]->(:DoseReference)-[:TARGETS]->(r:ROI)
         RETURN DISTINCT r.ROIName AS name ORDER BY name
       } AS prescribed
ORDER BY patient_key, plan, structure_set;
