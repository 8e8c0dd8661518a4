// Stored issues of one check and subject
// view: table
// returns: key, rule, subject, target, status
// identifying: none
// param rule: string   id of the check
// param subject: string   UID or key
// try: :param {rule: 'REF-01', subject: '1.2.840.99.7'}
MATCH (x:Issue {rule: $rule, subject: $subject})
RETURN x.key AS key, x.rule AS rule, x.subject AS subject, coalesce(x.target, x.keyword) AS target, x.status AS status
ORDER BY key;
