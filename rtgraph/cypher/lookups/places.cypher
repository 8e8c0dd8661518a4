// Where the graph has these series and objects: what an archive has to be told besides their UID
// view: table
// returns: uid, series, study
// identifying: none
// param uids: list of string   SOP and Series Instance UIDs
// try: :param uids => ['1.2.3']
UNWIND $uids AS uid
CALL (uid) {
  MATCH (s:Series)-[:HAS_INSTANCE]->(:Instance {SOPInstanceUID: uid})
  RETURN s
  UNION
  MATCH (s:Series {SeriesInstanceUID: uid})
  RETURN s
}
MATCH (t:Study)-[:HAS_SERIES]->(s)
RETURN uid, min(s.SeriesInstanceUID) AS series, min(t.StudyInstanceUID) AS study
ORDER BY uid;
