// ROIs by their name as it was written, upper and lower case kept
// view: table
// returns: patient_key, structure_set, label, roi_number, roi_name, type, n_contours
// identifying: none
// param name: string   the name, or a part of it
// param with_contours: boolean = true   only those that have contours
// try: :param {name: 'PTV', with_contours: true}
MATCH (i:RTStruct)-[:HAS_ROI]->(r:ROI)
WHERE r.ROIName CONTAINS $name
  AND (NOT $with_contours OR r.n_contours > 0)
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, i.SOPInstanceUID AS structure_set, i.StructureSetLabel AS label, r.ROINumber AS roi_number, r.ROIName AS roi_name,
       r.RTROIInterpretedType AS type, r.n_contours AS n_contours
ORDER BY patient_key, structure_set, roi_number;
