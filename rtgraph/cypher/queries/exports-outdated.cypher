// Exports with sources that changed or vanished since, and how many of their samples that concerns
// view: table
// returns: run, started, state, n_samples, n_outdated
// identifying: none
MATCH (r:ExportRun)
WITH r, COUNT { (r)-[:WROTE]->(:Sample {state: 'WRITTEN'}) } AS n_samples,
     COUNT { MATCH (r)-[:WROTE]->(s:Sample {state: 'WRITTEN'})
             WHERE EXISTS { MATCH (s)-[m:MADE_FROM]->(x:Instance|Series)
                            WHERE x:Missing OR (x:Instance AND x.header_digest <> m.digest) OR (x:Series AND x.n_instances <> m.n_instances) }
             RETURN DISTINCT s } AS n_outdated
WHERE n_outdated > 0
RETURN r.id AS run, r.started AS started, r.state AS state, n_samples, n_outdated
ORDER BY started, run;
