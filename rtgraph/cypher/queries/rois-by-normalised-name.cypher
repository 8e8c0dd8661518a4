// ROIs by their normalised name: any case, blanks collapsed
// view: table
// returns: patient_key, structure_set, label, roi_number, roi_name, type, n_contours
// identifying: none
// param names: list of string   names, any case
// param with_contours: boolean = true   only those that have contours
// try: :param {names: ['ptv', 'ptv 60'], with_contours: true}
MATCH (i:RTStruct)-[:HAS_ROI]->(r:ROI)
WHERE r.name_norm IN [n IN $names | toLower(trim(n))]
  AND (NOT $with_contours OR r.n_contours > 0)
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, i.SOPInstanceUID AS structure_set, i.StructureSetLabel AS label, r.ROINumber AS roi_number, r.ROIName AS roi_name,
       r.RTROIInterpretedType AS type, r.n_contours AS n_contours
ORDER BY patient_key, structure_set, roi_number;
