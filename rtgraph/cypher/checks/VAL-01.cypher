// No value of an attribute was unusable, cut or odd
// id: VAL-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target, reason
// population: MATCH (s:Series) WHERE NOT s:Missing RETURN count(s) AS n
// identifying: raw
// fix: Report to the sender; a value that cannot be used is left out of the graph, others are kept as they are.
// source: PS3.5 6.2 (Value Representations) and 6.1 (character sets); the severity of a finding is INFO for placeholder dates, ERROR for several values in a UID, else WARNING
// why: A value that cannot be read is missing from every search and every statistic.
// not: Placeholder dates such as 00000000 are INFO.
MATCH (x:Issue {rule: 'VAL-01', status: 'OPEN'})
RETURN x.patient_key AS patient_key, x.subject AS subject, x.keyword AS target, coalesce(x.severity, 'WARNING') AS severity,
       {reason: x.reason, raw: x.raw, count: x.count, first: x.first} AS detail
ORDER BY patient_key, subject, target;
