// Saved cohorts
// view: table
// returns: name, level, query, parameters, n_members, n_now, member_digest, graph_state, created
// identifying: none
// param name: string = null   one of them; absent: all
// try: :param name => null
MATCH (c:Cohort)
WHERE $name IS NULL OR c.name = $name
RETURN c.name AS name, c.level AS level, c.query AS query, c.parameters AS parameters, c.n_members AS n_members,
       COUNT { (c)-[:HAS_MEMBER]->() } AS n_now, c.member_digest AS member_digest, c.graph_state AS graph_state, c.created AS created
ORDER BY name;
