// Stored validations, the newest first
// view: table
// returns: run, started, finished, level, tool_version, n_checks
// identifying: none
MATCH (v:ValidationRun)
RETURN v.id AS run, v.started AS started, v.finished AS finished, v.level AS level, v.tool_version AS tool_version,
       size(v.checks) AS n_checks
ORDER BY started DESC, run;
