// Studies with the numbers of what they have
// view: table
// returns: patient_key, study, StudyDate, StudyDescription, modalities, n_series, n_instances, n_missing
// identifying: none
// param patient: string = null   patient_key; absent: all patients
// try: :param patient => null
MATCH (t:Study)
WHERE NOT t:Missing AND ($patient IS NULL OR EXISTS { (:Patient {patient_key: $patient})-[:HAS_STUDY]->(t) })
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(t) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, t.StudyInstanceUID AS study, t.StudyDate AS StudyDate, t.StudyDescription AS StudyDescription,
       COLLECT { MATCH (t)-[:HAS_SERIES]->(s:Series) WHERE s.Modality IS NOT NULL AND NOT s:Missing RETURN DISTINCT s.Modality AS m ORDER BY m } AS modalities,
       COUNT { (t)-[:HAS_SERIES]->(s:Series) WHERE NOT s:Missing } AS n_series,
       COUNT { (t)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing } AS n_instances,
       COUNT { (t)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i:Instance) WHERE i:Missing } AS n_missing
ORDER BY patient_key, StudyDate, study;
