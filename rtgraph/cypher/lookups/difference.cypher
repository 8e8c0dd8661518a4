// Issues that two stored runs found, and which of them found each
// view: table
// returns: rule, subject, target, severity, status, patient_key, before, after
// identifying: none
// param before: string   id of the earlier run
// param after: string   id of the later run
// try: :param {before: '2027-01-01T00:00:00Z-0000', after: '2027-02-01T00:00:00Z-0000'}
MATCH (x:Issue)-[:FOUND_IN]->(v:ValidationRun)
WHERE v.id IN [$before, $after]
WITH x, collect(v.id) AS runs
RETURN x.rule AS rule, x.subject AS subject, coalesce(x.target, x.keyword) AS target, x.severity AS severity, x.status AS status,
       x.patient_key AS patient_key, $before IN runs AS before, $after IN runs AS after
ORDER BY rule, patient_key, subject, target, x.key;
