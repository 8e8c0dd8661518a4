// Links of one patient that rules have guessed; files do not state them
// view: table
// returns: source_level, source_uid, target_level, target_uid, method, confidence
// identifying: none
// param patient: string   patient_key, as `patient-summary` lists it
// try: :param patient => '4d1f0c9a72e3b856'
MATCH (:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a:Instance|Series)
MATCH (a)-[r:INFERRED_LINK]->(b:Instance|Series)
RETURN DISTINCT CASE WHEN a:Series THEN 'series' ELSE 'instance' END AS source_level,
       coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS source_uid,
       CASE WHEN b:Series THEN 'series' ELSE 'instance' END AS target_level,
       coalesce(b.SOPInstanceUID, b.SeriesInstanceUID) AS target_uid, r.method AS method, r.confidence AS confidence
ORDER BY source_level, source_uid, target_level, target_uid, method, confidence;
