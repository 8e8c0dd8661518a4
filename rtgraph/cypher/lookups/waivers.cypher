// Issues that a person has waived
// view: table
// returns: key, rule, subject, target, severity, patient_key, author, reason, since, until
// identifying: none
MATCH (x:Issue {status: 'WAIVED'})
RETURN x.key AS key, x.rule AS rule, x.subject AS subject, coalesce(x.target, x.keyword) AS target, x.severity AS severity,
       x.patient_key AS patient_key, x.waived_by AS author, x.waived_reason AS reason, x.waived_at AS since, x.waived_until AS until
ORDER BY rule, subject, target, key;
