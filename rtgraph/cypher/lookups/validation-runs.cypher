// Stored runs of checks, the newest first
// view: table
// returns: id, started, level, checks, counts, patient_key
// identifying: none
MATCH (v:ValidationRun)
RETURN v.id AS id, v.started AS started, v.level AS level, v.checks AS checks, v.counts AS counts, v.patient_key AS patient_key
ORDER BY started DESC, id;
