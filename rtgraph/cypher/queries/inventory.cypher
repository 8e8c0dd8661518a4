// Every label with the number of its nodes
// view: table
// returns: label, n
// identifying: none
MATCH (n)
UNWIND labels(n) AS label
RETURN label, count(*) AS n
ORDER BY n DESC, label;
