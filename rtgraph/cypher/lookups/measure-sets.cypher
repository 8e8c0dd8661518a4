// Structure sets of patients, and what their ROIs were measured from
// view: table
// returns: patient_key, structure_set, frame_uid, contours_of
// identifying: none
// param patients: list of string   patient_key of the patients
// try: :param patients => COLLECT { MATCH (p:Patient) RETURN p.patient_key ORDER BY p.patient_key LIMIT 5 }
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(s:RTStruct)
WHERE k.patient_key IN $patients AND NOT s:Missing
RETURN DISTINCT k.patient_key AS patient_key, s.SOPInstanceUID AS structure_set, s.frame_uid AS frame_uid, s.contours_of AS contours_of
ORDER BY patient_key, structure_set;
