// Patients that hold a study, series or object, and what the UID is of
// view: table
// returns: level, patient_key
// identifying: none
// param uid: string   StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID
// try: :param uid => '1.2.840.99.7'
CALL () {
  MATCH (p:Patient)-[:HAS_STUDY]->(:Study {StudyInstanceUID: $uid})
  RETURN 'study' AS level, p
  UNION
  MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series {SeriesInstanceUID: $uid})
  RETURN 'series' AS level, p
  UNION
  MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(:Instance {SOPInstanceUID: $uid})
  RETURN 'instance' AS level, p
}
RETURN DISTINCT level, p.patient_key AS patient_key
ORDER BY level, patient_key;
