// Stored findings that are open, the worst first
// view: table
// returns: rule, severity, subject, target, patient_key, first_seen, last_seen
// identifying: none
MATCH (x:Issue {status: 'OPEN'})
WITH x, CASE x.severity WHEN 'ERROR' THEN 0 WHEN 'WARNING' THEN 1 ELSE 2 END AS rank
RETURN x.rule AS rule, x.severity AS severity, x.subject AS subject, coalesce(x.target, x.keyword) AS target, x.patient_key AS patient_key, x.first_seen AS first_seen, x.last_seen AS last_seen
ORDER BY rank, rule, patient_key, subject, target, x.key;
