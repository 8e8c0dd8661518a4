// Table: series, one row for each patient and study that states the series
// view: table
// returns: patient_key, StudyInstanceUID, SeriesInstanceUID, Modality, label, layer, SeriesNumber, SeriesDescription, SeriesDate, series_datetime, missing, n_instances, n_missing_instances
// identifying: none
// param patient: string = null   patient_key: its series and the ones it refers to; null stands for all series
// try: :param patient => null
CALL () {
  MATCH (p:Patient {patient_key: $patient})-[:HAS_STUDY]->(t:Study)-[:HAS_SERIES]->(s:Series)
  RETURN p, t, s
  UNION ALL
  MATCH (k:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a:Instance|Series)
  MATCH (a)-[:REFERENCES|REFERENCES_SERIES]->(b:Instance|Series)<-[:HAS_INSTANCE*0..1]-(s:Series)
  WITH DISTINCT k, s
  WHERE NOT EXISTS { (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) }
  OPTIONAL MATCH (t:Study)-[:HAS_SERIES]->(s)
  OPTIONAL MATCH (p:Patient)-[:HAS_STUDY]->(t)
  RETURN p, t, s
  UNION ALL
  UNWIND CASE WHEN $patient IS NULL THEN ['all'] ELSE [] END AS wanted
  MATCH (s:Series)
  OPTIONAL MATCH (t:Study)-[:HAS_SERIES]->(s)
  OPTIONAL MATCH (p:Patient)-[:HAS_STUDY]->(t)
  RETURN p, t, s
}
RETURN p.patient_key AS patient_key, t.StudyInstanceUID AS StudyInstanceUID, s.SeriesInstanceUID AS SeriesInstanceUID,
       s.Modality AS Modality, head([l IN labels(s) WHERE NOT l IN ['Series', 'Missing']]) AS label, s.layer AS layer,
       s.SeriesNumber AS SeriesNumber, s.SeriesDescription AS SeriesDescription, s.SeriesDate AS SeriesDate,
       s.series_datetime AS series_datetime, s:Missing AS missing,
       COUNT { (s)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing } AS n_instances,
       COUNT { (s)-[:HAS_INSTANCE]->(m:Instance) WHERE m:Missing } AS n_missing_instances
ORDER BY patient_key, StudyInstanceUID, SeriesInstanceUID;
