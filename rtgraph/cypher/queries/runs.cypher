// Runs of ingest, the newest first
// view: table
// returns: run, started, finished, state, n_files, n_instances, n_rejected
// identifying: none
MATCH (r:IngestRun)
RETURN r.id AS run, r.started AS started, r.finished AS finished, r.state AS state, r.n_files AS n_files, r.n_instances AS n_instances, r.n_rejected AS n_rejected
ORDER BY started DESC, run;
