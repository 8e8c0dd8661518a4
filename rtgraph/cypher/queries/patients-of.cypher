// Patients that hold a study, series or object
// view: table
// returns: patient_key
// identifying: none
// param uid: string   StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID
// try: :param uid => '1.2.3.4'
CALL () {
  MATCH (p:Patient)-[:HAS_STUDY]->(:Study {StudyInstanceUID: $uid})
  RETURN p
  UNION
  MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series {SeriesInstanceUID: $uid})
  RETURN p
  UNION
  MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(:Instance {SOPInstanceUID: $uid})
  RETURN p
}
RETURN p.patient_key AS patient_key
ORDER BY patient_key;
