UNWIND $rows AS g
MATCH (a:Instance {SOPInstanceUID: g[0]})
UNWIND g[1] AS t
MERGE (b:Instance {SOPInstanceUID: t[0]})
ON CREATE SET b:Missing:Image:CTImage, b.stated_sop_class = t[2], b.first_seen_run = $run
MERGE (a)-[e:REFERENCES {role: t[1]}]->(b)
SET e.stated_sop_class = t[2], e.n = t[3], e.path_id = t[4], e.frames = t[5], e.segments = t[6],
    e.purpose = t[7], e.relationship = t[8], e.path = t[9];
