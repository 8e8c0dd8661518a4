// Structures of the protocol are present and have contours
// id: STR-10
// severity: error
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(i:RTStruct) WHERE NOT i:Missing AND NOT p:Missing AND coalesce(p.PlanIntent, CASE WHEN p.RTPlanGeometry = 'TREATMENT_DEVICE' OR EXISTS { (p)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) } THEN 'VERIFICATION' ELSE 'CURATIVE' END) IN ['CURATIVE', 'PALLIATIVE', 'PROPHYLACTIC'] RETURN count(DISTINCT i) AS n
// identifying: none
// fix: Add synonyms to the dictionary, or contour.
// source: practice: the protocol file of the project names the structures, normalised, with type and severity
// why: A protocol or a study needs certain structures; a set without them cannot be evaluated.
// not: Only structure sets of treatment plans are looked at, not of verification plans. Names in another language, boost plans and other sites need synonyms or a protocol of their own.
// try: :param protocol => [{names: ['ptv', 'ptv1'], type: 'PTV', severity: 'ERROR'}]
MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(i:RTStruct)
WHERE NOT i:Missing AND NOT p:Missing AND coalesce(p.PlanIntent, CASE WHEN p.RTPlanGeometry = 'TREATMENT_DEVICE' OR EXISTS { (p)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) } THEN 'VERIFICATION' ELSE 'CURATIVE' END) IN ['CURATIVE', 'PALLIATIVE', 'PROPHYLACTIC']
WITH DISTINCT i
UNWIND $protocol AS want
WITH i, want
WHERE NOT EXISTS { (i)-[:HAS_ROI]->(roi:ROI) WHERE roi.name_norm IN want.names AND roi.n_contours > 0 }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, want.names[0] AS target,
       coalesce(want.severity, 'WARNING') AS severity, {type: want.type} AS detail
ORDER BY patient_key, subject, target;
