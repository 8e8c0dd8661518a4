// Findings of the stored validations about one patient that are open or waived
// view: table
// returns: rule, severity, status, subject, about, series_uid, target, first_seen
// identifying: none
// param patient: string   patient_key, as `patients-by-modality` lists it
// try: :param patient => '4d1f0c9a72e3b856'
MATCH (i:Issue {patient_key: $patient})
WHERE i.status IN ['OPEN', 'WAIVED'] AND EXISTS { (i)-[:FOUND_IN]->(:ValidationRun) }
OPTIONAL MATCH (i)-[:ABOUT]->(n)
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(n)
WITH i, coalesce(n.SOPInstanceUID, n.SeriesInstanceUID, n.StudyInstanceUID, n.patient_key, n.key, i.subject) AS about,
     min(s.SeriesInstanceUID) AS series_uid
RETURN i.rule AS rule, i.severity AS severity, i.status AS status, i.subject AS subject, about, series_uid,
       i.target AS target, i.first_seen AS first_seen
ORDER BY rule, subject, about, target, i.key;
