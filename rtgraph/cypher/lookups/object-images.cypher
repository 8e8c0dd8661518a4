// Images that an object or series refers to, by series
// view: table
// returns: role, path_id, series, label, modality, n, n_missing
// identifying: none
// param uid: string   SOPInstanceUID or SeriesInstanceUID
// try: :param uid => '1.2.840.99.7'
CALL () {
  MATCH (n:Instance {SOPInstanceUID: $uid}) RETURN n
  UNION
  MATCH (n:Series {SeriesInstanceUID: $uid}) RETURN n
}
MATCH (n)-[r:REFERENCES]->(i:Image)
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(i)
RETURN r.role AS role, r.path_id AS path_id, s.SeriesInstanceUID AS series, s.SeriesDescription AS label, s.Modality AS modality,
       count(DISTINCT i) AS n, count(DISTINCT CASE WHEN i:Missing THEN i END) AS n_missing
ORDER BY role, series, path_id;
