// How many nodes there are of each set of labels
// view: table
// returns: labels, n
// identifying: none
MATCH (n)
WITH labels(n) AS unsorted, count(*) AS k
UNWIND unsorted AS label
WITH unsorted, k, label ORDER BY label
WITH unsorted, k, collect(label) AS labels
RETURN labels, sum(k) AS n
ORDER BY n DESC, labels;
