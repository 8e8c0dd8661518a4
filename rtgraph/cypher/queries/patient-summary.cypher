// Patients with the numbers of what they have
// view: table
// returns: patient_key, n_studies, first_study, last_study, modalities, n_series, n_plans, n_doses, n_records, n_unresolved
// identifying: none
MATCH (k:Patient)
CALL (k) {
  OPTIONAL MATCH (k)-[:HAS_STUDY]->(t:Study)
  RETURN count(DISTINCT t) AS n_studies, min(t.StudyDate) AS first_study, max(t.StudyDate) AS last_study
}
CALL (k) {
  OPTIONAL MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series)
  WHERE NOT s:Missing
  WITH DISTINCT s ORDER BY s.Modality
  RETURN count(s) AS n_series, collect(DISTINCT s.Modality) AS modalities
}
CALL (k) {
  OPTIONAL MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i:RTPlan|RTDose|RTRecord)
  WHERE NOT i:Missing
  WITH DISTINCT i
  RETURN sum(CASE WHEN i:RTPlan THEN 1 ELSE 0 END) AS n_plans, sum(CASE WHEN i:RTDose THEN 1 ELSE 0 END) AS n_doses, sum(CASE WHEN i:RTRecord THEN 1 ELSE 0 END) AS n_records
}
CALL (k) {
  OPTIONAL MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a:Instance|Series)-[:REFERENCES]->(b:Instance)
  WHERE b:Missing
  RETURN count(DISTINCT b) AS n_unresolved
}
RETURN k.patient_key AS patient_key, n_studies, first_study, last_study, modalities, n_series, n_plans, n_doses, n_records, n_unresolved
ORDER BY patient_key;
