// What a study, series or object refers to, images left out, and what refers to it
// view: table
// returns: direction, role, path_id, other, other_level, labels, label, missing, n, n_missing
// identifying: none
// param uid: string   StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID
// try: :param uid => '1.2.840.99.7'
CALL () {
  MATCH (n:Instance {SOPInstanceUID: $uid}) RETURN n
  UNION
  MATCH (n:Series {SeriesInstanceUID: $uid}) RETURN n
  UNION
  MATCH (n:Study {StudyInstanceUID: $uid}) RETURN n
}
CALL (n) {
  MATCH (n)-[r:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]->(o)
  RETURN 'to' AS direction, r, o
  UNION
  MATCH (n)<-[r:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-(o)
  RETURN 'from' AS direction, r, o
}
WITH direction, r, o
WHERE NOT (direction = 'to' AND o:Image)
RETURN direction, r.role AS role, r.path_id AS path_id, coalesce(o.SOPInstanceUID, o.SeriesInstanceUID, o.StudyInstanceUID) AS other,
       CASE WHEN o:Instance THEN 'instance' WHEN o:Series THEN 'series' ELSE 'study' END AS other_level, labels(o) AS labels,
       coalesce(o.StructureSetLabel, o.RTPlanLabel, o.DoseSummationType, o.ContentLabel, o.SeriesDescription, o.StudyDescription) AS label,
       o:Missing AS missing, coalesce(r.n_targets, r.n) AS n, coalesce(r.n_missing, CASE WHEN o:Missing THEN 1 ELSE 0 END) AS n_missing
ORDER BY direction DESC, role, other;
