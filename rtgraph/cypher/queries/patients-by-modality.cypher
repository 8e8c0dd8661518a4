// Patients that have all the given modalities
// view: table
// returns: patient_key, modalities, n_studies, n_series, n_instances
// identifying: none
// param modalities: list of string = CT, RTSTRUCT, RTPLAN, RTDOSE   Modality values that all have to be there
// try: :param modalities => ['CT', 'RTSTRUCT', 'RTPLAN', 'RTDOSE']
MATCH (p:Patient)
WITH p, COLLECT {
  MATCH (p)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series)
  WHERE s.Modality IS NOT NULL AND NOT s:Missing
  RETURN DISTINCT s.Modality AS m ORDER BY m
} AS modalities
WHERE all(m IN $modalities WHERE toUpper(m) IN modalities)
RETURN p.patient_key AS patient_key, modalities,
       COUNT { (p)-[:HAS_STUDY]->(:Study) } AS n_studies,
       COUNT {
         MATCH (p)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series)
         WHERE NOT s:Missing
         RETURN DISTINCT s
       } AS n_series,
       COUNT {
         MATCH (p)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i:Instance)
         WHERE NOT i:Missing
         RETURN DISTINCT i
       } AS n_instances
ORDER BY patient_key;
