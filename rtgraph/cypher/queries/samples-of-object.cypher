// Samples that were made from an object, such as a structure set or a dose
// view: table
// returns: run, started, case_id, state, split, purposes
// identifying: none
// param object: string   SOPInstanceUID or SeriesInstanceUID
// try: :param object => head(COLLECT { MATCH (:Sample)-[:MADE_FROM]->(i:Instance) RETURN i.SOPInstanceUID ORDER BY i.SOPInstanceUID LIMIT 1 })
MATCH (s:Sample)-[m:MADE_FROM]->(x:Instance|Series)
WHERE x.SOPInstanceUID = $object OR x.SeriesInstanceUID = $object
MATCH (r:ExportRun)-[:WROTE]->(s)
WITH r, s, collect(DISTINCT m.purpose) AS purposes
RETURN r.id AS run, r.started AS started, s.case_id AS case_id, s.state AS state, s.split AS split, purposes
ORDER BY started, run, case_id;
