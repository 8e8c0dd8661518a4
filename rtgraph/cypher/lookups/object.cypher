// A study, series or object by its UID
// view: table
// returns: level, labels, properties, patients, study, series, frames, run_id
// identifying: none
// param uid: string   StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID
// try: :param uid => '1.2.840.99.7'
CALL () {
  MATCH (n:Instance {SOPInstanceUID: $uid})
  RETURN n, 'instance' AS level
  UNION
  MATCH (n:Series {SeriesInstanceUID: $uid})
  RETURN n, 'series' AS level
  UNION
  MATCH (n:Study {StudyInstanceUID: $uid})
  RETURN n, 'study' AS level
}
CALL (n) {
  OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE*0..1]->(n)
  RETURN s ORDER BY s.SeriesInstanceUID LIMIT 1
}
CALL (s) {
  OPTIONAL MATCH (above:Study)-[:HAS_SERIES]->(s)
  RETURN above ORDER BY above.StudyInstanceUID LIMIT 1
}
WITH n, level, s, CASE level WHEN 'study' THEN n ELSE above END AS t
RETURN level, labels(n) AS labels, properties(n) AS properties,
       COLLECT { MATCH (p:Patient)-[:HAS_STUDY]->(t) RETURN p.patient_key AS key ORDER BY key } AS patients,
       t.StudyInstanceUID AS study, s.SeriesInstanceUID AS series,
       CASE level WHEN 'instance' THEN [f IN [n.frame_uid] WHERE f IS NOT NULL] ELSE coalesce(n.frame_uids, []) END AS frames, n.run_id AS run_id
ORDER BY level;
