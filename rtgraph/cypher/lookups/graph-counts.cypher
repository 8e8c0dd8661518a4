// What the graph holds
// view: table
// returns: patients, studies, series, instances
// identifying: none
CALL () { MATCH (n:Patient) RETURN count(n) AS patients }
CALL () { MATCH (n:Study) WHERE NOT n:Missing RETURN count(n) AS studies }
CALL () { MATCH (n:Series) WHERE NOT n:Missing RETURN count(n) AS series }
CALL () { MATCH (n:Instance) WHERE NOT n:Missing RETURN count(n) AS instances }
RETURN patients, studies, series, instances
ORDER BY patients;
