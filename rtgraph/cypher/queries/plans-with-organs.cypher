// Plans whose structure set has all the given organs with contours
// view: table
// returns: patient_key, plan, label, structure_set, organs
// identifying: none
// param organs: list of string   names as written, any case, or TG-263 names
// try: :param organs => ['bladder', 'rectum']
MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(i:RTStruct)
WHERE NOT p:Missing AND NOT i:Missing
  AND all(organ IN $organs WHERE EXISTS {
    MATCH (i)-[:HAS_ROI]->(r:ROI)
    WHERE r.n_contours > 0 AND (r.name_norm = toLower(trim(organ)) OR EXISTS { (r)-[:NAMED_AS]->(n:StandardName) WHERE toLower(n.name) = toLower(trim(organ)) })
  })
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, i.SOPInstanceUID AS structure_set,
       COLLECT {
         MATCH (i)-[:HAS_ROI]->(r:ROI)
         WHERE r.n_contours > 0 AND any(organ IN $organs WHERE r.name_norm = toLower(trim(organ)) OR EXISTS { (r)-[:NAMED_AS]->(n:StandardName) WHERE toLower(n.name) = toLower(trim(organ)) })
         RETURN DISTINCT r.ROIName AS name ORDER BY name
       } AS organs
ORDER BY patient_key, plan, structure_set;
