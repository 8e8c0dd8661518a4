// Samples whose sources changed or vanished since they were made: they must be made again
// view: table
// returns: run, started, case_id, remade, object, why
// identifying: none
MATCH (r:ExportRun)-[:WROTE]->(s:Sample {state: 'WRITTEN'})-[m:MADE_FROM]->(x:Instance|Series)
WITH r, s, x, CASE
       WHEN x:Missing THEN 'MISSING'
       WHEN x:Instance AND m.digest IS NOT NULL AND x.header_digest <> m.digest THEN 'CHANGED'
       WHEN x:Series AND m.n_instances IS NOT NULL AND x.n_instances <> m.n_instances THEN 'OTHER_SLICES'
     END AS why
WHERE why IS NOT NULL
RETURN r.id AS run, r.started AS started, s.case_id AS case_id,
       EXISTS { MATCH (later:ExportRun)-[:WROTE]->(:Sample {state: 'WRITTEN', case_id: s.case_id}) WHERE later.started > r.started } AS remade,
       coalesce(x.SOPInstanceUID, x.SeriesInstanceUID) AS object, why
ORDER BY started, run, case_id, object;
