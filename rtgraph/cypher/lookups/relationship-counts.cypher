// How many relationships there are of each type between which labels
// view: table
// returns: from_labels, type, to_labels, n
// identifying: none
MATCH (a)-[r]->(b)
RETURN labels(a) AS from_labels, type(r) AS type, labels(b) AS to_labels, count(*) AS n
ORDER BY n DESC, type, from_labels, to_labels;
