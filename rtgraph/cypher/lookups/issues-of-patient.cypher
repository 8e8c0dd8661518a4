// Stored issues about one patient that are open or waived
// view: table
// returns: rule, severity, status, subject, about, series_uid, target, first_seen, until
// identifying: none
// param patient: string   patient_key, as `patient-summary` lists it
// try: :param patient => '4d1f0c9a72e3b856'
MATCH (x:Issue {patient_key: $patient})
WHERE x.status IN ['OPEN', 'WAIVED'] AND EXISTS { (x)-[:FOUND_IN]->(:ValidationRun) }
OPTIONAL MATCH (x)-[:ABOUT]->(n)
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(n)
WITH x, coalesce(n.SOPInstanceUID, n.SeriesInstanceUID, n.StudyInstanceUID, n.patient_key, n.key, x.subject) AS about,
     min(s.SeriesInstanceUID) AS series_uid
RETURN x.rule AS rule, x.severity AS severity, x.status AS status, x.subject AS subject, about, series_uid,
       coalesce(x.target, x.keyword) AS target, x.first_seen AS first_seen, x.waived_until AS until
ORDER BY rule, subject, about, target, x.key;
