// Patients of a study
// view: table
// returns: patient_key
// identifying: none
// param study: string   StudyInstanceUID
// try: :param study => '1.2.840.99.7'
MATCH (p:Patient)-[:HAS_STUDY]->(:Study {StudyInstanceUID: $study})
RETURN DISTINCT p.patient_key AS patient_key
ORDER BY patient_key;
