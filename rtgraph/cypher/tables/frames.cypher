// Table: frames of reference of the series
// view: table
// returns: SeriesInstanceUID, FrameOfReferenceUID, kind, source, n_instances, n_patients
// identifying: none
// param patient: string = null   patient_key; null stands for all series
// try: :param patient => null
CALL () {
  MATCH (:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series)
  RETURN DISTINCT s
  UNION ALL
  UNWIND CASE WHEN $patient IS NULL THEN ['all'] ELSE [] END AS wanted
  MATCH (s:Series)
  RETURN s
}
MATCH (s)-[e:IN_FRAME]->(f:FrameOfReference)
RETURN s.SeriesInstanceUID AS SeriesInstanceUID, f.FrameOfReferenceUID AS FrameOfReferenceUID, f.kind AS kind,
       e.source AS source, e.n_instances AS n_instances, f.n_patients AS n_patients
ORDER BY SeriesInstanceUID, FrameOfReferenceUID, source;
