// Cases among nodes of one level: their plans, structure sets that no plan refers to, segmentations
// view: table
// returns: patient_key, plan, structure_set, segmentation
// identifying: none
// param level: string   PATIENT, STUDY, SERIES or INSTANCE
// param keys: list of string = null   of the nodes; absent: every plan and structure set
// try: :param {level: 'PATIENT', keys: null}
CALL () {
  MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(x:RTPlan|RTStruct|Segmentation)
  WHERE $level = 'PATIENT' AND NOT x:Missing AND ($keys IS NULL OR k.patient_key IN $keys)
  RETURN x
  UNION
  MATCH (t:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(x:RTPlan|RTStruct|Segmentation)
  WHERE $level = 'STUDY' AND NOT x:Missing AND t.StudyInstanceUID IN $keys
  RETURN x
  UNION
  MATCH (e:Series)-[:HAS_INSTANCE]->(x:RTPlan|RTStruct|Segmentation)
  WHERE $level = 'SERIES' AND NOT x:Missing AND e.SeriesInstanceUID IN $keys
  RETURN x
  UNION
  MATCH (e:Series)-[:HAS_INSTANCE]->(i:Instance)<-[r:REFERENCES]-(x:RTStruct|Segmentation)
  WHERE $level = 'SERIES' AND e.SeriesInstanceUID IN $keys AND (x:Segmentation OR r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE'])
  RETURN DISTINCT x
  UNION
  MATCH (x:Instance)
  WHERE $level = 'INSTANCE' AND x.SOPInstanceUID IN $keys AND (x:RTPlan OR x:RTStruct OR x:Segmentation)
  RETURN x
  UNION
  MATCH (d:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(x:RTPlan)
  WHERE $level = 'INSTANCE' AND d.SOPInstanceUID IN $keys
  RETURN x
}
WITH x, COLLECT { MATCH (x)<-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]-(p:RTPlan) WHERE NOT p:Missing RETURN DISTINCT p } AS planned
UNWIND CASE WHEN x:RTPlan THEN [x] WHEN size(planned) > 0 THEN planned ELSE [null] END AS p
WITH DISTINCT p, CASE WHEN p IS NULL AND NOT x:Missing THEN x END AS s
WHERE p IS NOT NULL OR s IS NOT NULL
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(n)
WHERE n = coalesce(p, s)
RETURN DISTINCT k.patient_key AS patient_key, p.SOPInstanceUID AS plan, s.SOPInstanceUID AS structure_set, coalesce(s:Segmentation, false) AS segmentation
ORDER BY patient_key, plan, structure_set;
