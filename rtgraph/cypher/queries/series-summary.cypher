// Series with what they are and how they are linked
// view: table
// returns: patient_key, study, series, modality, description, n_instances, n_missing, refers_to, referred_by, n_in_frame
// identifying: none
// param patient: string = null   patient_key; absent: all patients
// try: :param patient => null
MATCH (s:Series)
WHERE NOT s:Missing AND ($patient IS NULL OR EXISTS { (:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) })
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key,
       COLLECT { MATCH (t:Study)-[:HAS_SERIES]->(s) RETURN t.StudyInstanceUID AS uid ORDER BY uid LIMIT 1 }[0] AS study,
       s.SeriesInstanceUID AS series, s.Modality AS modality, s.SeriesDescription AS description, coalesce(s.n_instances, 0) AS n_instances,
       coalesce(s.n_missing_instances, 0) AS n_missing,
       COLLECT { MATCH (s)-[r:REFERENCES]->(:Series) RETURN DISTINCT r.role AS role ORDER BY role } AS refers_to,
       COLLECT { MATCH (s)<-[r:REFERENCES]-(:Series) RETURN DISTINCT r.role AS role ORDER BY role } AS referred_by,
       COUNT { MATCH (s)-[:SHARES_FOR]-(o:Series) RETURN DISTINCT o } AS n_in_frame
ORDER BY patient_key, study, series;
