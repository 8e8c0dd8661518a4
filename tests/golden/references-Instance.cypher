UNWIND $rows AS g
MATCH (a:Instance {SOPInstanceUID: g[0]})
UNWIND g[1] AS t
MERGE (b:Instance {SOPInstanceUID: t[0]})
ON CREATE SET b:Missing:Image:CTImage, b.stated_sop_class = t[2], b.first_seen_run = $run
CREATE (a)-[:REFERENCES {role: t[1], stated_sop_class: t[2], n: t[3], path_id: t[4]}]->(b)
WITH b
WHERE b:Missing
RETURN collect(DISTINCT b.SOPInstanceUID) AS missing;
UNWIND $rows AS g
MATCH (a:Instance {SOPInstanceUID: g[0]})
UNWIND g[1] AS t
MERGE (b:Instance {SOPInstanceUID: t[0]})
ON CREATE SET b:Missing:Image:CTImage, b.stated_sop_class = t[2], b.first_seen_run = $run
CREATE (a)-[:REFERENCES {role: t[1], stated_sop_class: t[2], n: t[3], path_id: t[4], frames: t[5], segments: t[6], purpose: t[7], relationship: t[8], path: t[9]}]->(b)
WITH b
WHERE b:Missing
RETURN collect(DISTINCT b.SOPInstanceUID) AS missing;
