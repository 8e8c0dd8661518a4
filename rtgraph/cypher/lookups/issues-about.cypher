// Stored issues about a node
// view: table
// returns: rule, severity, status, subject, target
// identifying: none
// param uid: string   UID of the node
// param part: string = -   sign between the UID of an object and the number of its part
// try: :param {uid: '1.2.840.99.7', part: '-'}
MATCH (x:Issue)
WHERE (x.subject = $uid OR x.subject STARTS WITH $uid + $part) AND x.status <> 'CLOSED'
RETURN x.rule AS rule, x.severity AS severity, x.status AS status, x.subject AS subject, coalesce(x.target, x.keyword) AS target
ORDER BY rule, target, x.key;
