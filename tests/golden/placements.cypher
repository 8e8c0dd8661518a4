UNWIND $rows AS g
UNWIND g[1] AS uid
MATCH (b:Instance {SOPInstanceUID: uid})
WHERE b:Missing
MERGE (s:Series {SeriesInstanceUID: g[0]})
ON CREATE SET s:Missing
SET s.dirty = true
MERGE (s)-[h:HAS_INSTANCE]->(b)
ON CREATE SET h.stated = true;
