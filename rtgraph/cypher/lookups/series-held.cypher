// How many objects of these series are in the graph
// view: table
// returns: series, n
// identifying: none
// param series: list of string   Series Instance UIDs
// try: :param series => ['1.2.3']
UNWIND $series AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
RETURN uid AS series, COUNT { (s)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing } AS n
ORDER BY series;
