// What a saved cohort holds, as an archive is asked for it
// view: table
// returns: level, uid
// identifying: uid
// param cohort: string   name of the cohort
// try: :param cohort => 'name'
MATCH (:Cohort {name: $cohort})-[:HAS_MEMBER]->(m:Patient|Study|Series|Instance)
OPTIONAL MATCH (m)-[:HAS_STUDY]->(t:Study) WHERE m.PatientID IS NULL
WITH coalesce(t, m) AS m
WITH CASE WHEN m:Patient THEN 'patient' WHEN m:Study THEN 'study' WHEN m:Series THEN 'series' ELSE 'image' END AS level,
     coalesce(m.PatientID, m.StudyInstanceUID, m.SeriesInstanceUID, m.SOPInstanceUID) AS uid
WHERE uid IS NOT NULL
RETURN DISTINCT level, uid
ORDER BY level, uid;
