// Saved cohorts
// view: table
// returns: cohort, level, n_members
// identifying: none
MATCH (c:Cohort)
RETURN c.name AS cohort, c.level AS level, c.n_members AS n_members
ORDER BY cohort;
