// Table: references that the files state; image objects refer from their series
// view: table
// returns: source_level, source_uid, role, target_level, target_uid, n, path_id, stated_sop_class, resolved
// identifying: none
// param patient: string = null   patient_key: the references that start there; null stands for all references
// try: :param patient => null
CALL () {
  MATCH (:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a:Instance|Series)
  RETURN DISTINCT a
  UNION ALL
  UNWIND CASE WHEN $patient IS NULL THEN ['all'] ELSE [] END AS wanted
  MATCH (a:Instance|Series)
  RETURN a
}
MATCH (a)-[r:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]->(b:Instance|Series|Study)
WHERE b:Instance OR type(r) <> 'REFERENCES'
RETURN CASE WHEN a:Series THEN 'series' ELSE 'instance' END AS source_level,
       coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS source_uid, r.role AS role,
       CASE WHEN b:Instance THEN 'instance' WHEN b:Series THEN 'series' ELSE 'study' END AS target_level,
       coalesce(b.SOPInstanceUID, b.SeriesInstanceUID, b.StudyInstanceUID) AS target_uid,
       r.n AS n, r.path_id AS path_id, r.stated_sop_class AS stated_sop_class, NOT b:Missing AS resolved
ORDER BY source_level, source_uid, role, target_level, target_uid;
