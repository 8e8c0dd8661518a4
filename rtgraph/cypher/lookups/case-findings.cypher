// Open issues about objects and series
// view: table
// returns: rule, severity, subject, count
// identifying: none
// param objects: list of string   SOPInstanceUIDs and SeriesInstanceUIDs
// try: :param objects => []
MATCH (i:Issue {status: 'OPEN'})
WHERE i.subject IN $objects OR EXISTS { (i)-[:ABOUT]->(x:Series|Instance) WHERE x.SeriesInstanceUID IN $objects OR x.SOPInstanceUID IN $objects }
RETURN i.rule AS rule, i.severity AS severity, i.subject AS subject, coalesce(i.count, 1) AS count
ORDER BY rule, subject;
