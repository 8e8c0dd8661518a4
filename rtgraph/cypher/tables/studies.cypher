// Table: studies, one row for each patient that states the study
// view: table
// returns: patient_key, StudyInstanceUID, StudyDate, StudyDescription, StudyID, missing, n_series, n_instances
// identifying: StudyID
// param patient: string = null   patient_key: its studies and the ones it refers to; null stands for all studies
// try: :param patient => null
CALL () {
  MATCH (p:Patient {patient_key: $patient})-[:HAS_STUDY]->(t:Study)
  RETURN p, t
  UNION ALL
  MATCH (k:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a:Instance|Series)-[:REFERENCES_STUDY]->(t:Study)
  WHERE NOT EXISTS { (k)-[:HAS_STUDY]->(t) }
  WITH DISTINCT t
  OPTIONAL MATCH (p:Patient)-[:HAS_STUDY]->(t)
  RETURN p, t
  UNION ALL
  UNWIND CASE WHEN $patient IS NULL THEN ['all'] ELSE [] END AS wanted
  MATCH (t:Study)
  OPTIONAL MATCH (p:Patient)-[:HAS_STUDY]->(t)
  RETURN p, t
}
RETURN p.patient_key AS patient_key, t.StudyInstanceUID AS StudyInstanceUID, t.StudyDate AS StudyDate,
       t.StudyDescription AS StudyDescription, t.StudyID AS StudyID, t:Missing AS missing,
       COUNT { (t)-[:HAS_SERIES]->(s:Series) WHERE NOT s:Missing } AS n_series,
       COUNT { (t)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing } AS n_instances
ORDER BY patient_key, StudyInstanceUID;
