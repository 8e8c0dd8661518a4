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
CREATE (a)-[:REFERENCES {role: t[1], stated_sop_class: t[2], n: t[3], path_id: t[4], frames: t[5], segments: t[6], purpose: t[7], derivation: t[8], concept: t[9], roi_numbers: t[10], beam_numbers: t[11], setup_numbers: t[12], fraction_groups: t[13], control_points: t[14], items: t[15], side: t[16], summation: t[17], relationship: t[18], in_evidence: t[19], path: t[20]}]->(b)
WITH b
WHERE b:Missing
RETURN collect(DISTINCT b.SOPInstanceUID) AS missing;
