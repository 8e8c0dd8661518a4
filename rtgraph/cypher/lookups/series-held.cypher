// How many objects of these series are in the graph, with so much kept of them
// view: table
// returns: series, n
// identifying: none
// param series: list of string   Series Instance UIDs
// param kept: list of string   FULL, HEADER or NONE
// try: :param {series: ['1.2.3'], kept: ['FULL']}
UNWIND $series AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
RETURN uid AS series,
       COUNT { (s)-[:HAS_INSTANCE]->(i:Instance)
               WHERE NOT i:Missing AND coalesce(i.kept, 'FULL') IN $kept } AS n
ORDER BY series;
