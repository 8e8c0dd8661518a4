// What is referred to and absent, each target with what is known of its place
// view: table
// returns: level, uid, series, study, stated_sop_class, patients
// identifying: patients
CALL () {
  MATCH (b:Missing)
  WHERE b:Instance AND EXISTS { (b)<-[:REFERENCES]-() }
  OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(b)
  OPTIONAL MATCH (t:Study)-[:HAS_SERIES]->(s)
  RETURN 'image' AS level, b, b.SOPInstanceUID AS uid, min(s.SeriesInstanceUID) AS series, min(t.StudyInstanceUID) AS study
  UNION
  MATCH (b:Missing)
  WHERE b:Series AND EXISTS { (b)<-[:REFERENCES_SERIES]-() }
  OPTIONAL MATCH (t:Study)-[:HAS_SERIES]->(b)
  RETURN 'series' AS level, b, b.SeriesInstanceUID AS uid, null AS series, min(t.StudyInstanceUID) AS study
  UNION
  MATCH (b:Missing)
  WHERE b:Study AND EXISTS { (b)<-[:REFERENCES_STUDY]-() }
  RETURN 'study' AS level, b, b.StudyInstanceUID AS uid, null AS series, null AS study
}
RETURN level, uid, series, study, b.stated_sop_class AS stated_sop_class,
       COLLECT {
         MATCH (b)<-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-(x:Instance|Series)
         MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(x)
         WHERE p.PatientID IS NOT NULL
         RETURN DISTINCT p.PatientID AS id ORDER BY id LIMIT 10
       } AS patients
ORDER BY level, uid;
