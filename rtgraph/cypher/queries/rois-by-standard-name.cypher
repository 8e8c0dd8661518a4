// ROIs that stand for a TG-263 name, with how they were matched
// view: table
// returns: patient_key, structure_set, label, roi_number, roi_name, type, n_contours, standard_name, method, score
// identifying: none
// param names: list of string   TG-263 names
// param score: float = 0   lowest score of the match
// param with_contours: boolean = true   only those that have contours
// try: :param {names: ['Bladder'], score: 0.0, with_contours: true}
MATCH (i:RTStruct)-[:HAS_ROI]->(r:ROI)-[m:NAMED_AS]->(n:StandardName)
WHERE n.name IN $names AND m.score >= $score AND (NOT $with_contours OR r.n_contours > 0)
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, i.SOPInstanceUID AS structure_set, i.StructureSetLabel AS label, r.ROINumber AS roi_number, r.ROIName AS roi_name,
       r.RTROIInterpretedType AS type, r.n_contours AS n_contours, n.name AS standard_name, m.method AS method, m.score AS score
ORDER BY patient_key, structure_set, roi_number, standard_name;
