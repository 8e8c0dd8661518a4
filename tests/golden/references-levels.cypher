UNWIND $rows AS g
MATCH (a:Instance {SOPInstanceUID: g[0]})
UNWIND g[1] AS t
MERGE (b:Series {SeriesInstanceUID: t[0]})
ON CREATE SET b:Missing, b.dirty = true
MERGE (a)-[e:REFERENCES_SERIES {role: t[1]}]->(b)
SET e.path_id = t[3], e.n = t[2], e.purpose = t[4];
UNWIND $rows AS g
MATCH (a:Instance {SOPInstanceUID: g[0]})
UNWIND g[1] AS t
MERGE (b:Study {StudyInstanceUID: t[0]})
ON CREATE SET b:Missing
MERGE (a)-[e:REFERENCES_STUDY {role: t[1]}]->(b)
SET e.path_id = t[3], e.n = t[2], e.purpose = t[4];
UNWIND $rows AS g
MATCH (a:Instance {SOPInstanceUID: g[0]})
UNWIND g[1] AS t
MERGE (b:FrameOfReference {FrameOfReferenceUID: t[0]})
ON CREATE SET b.kind = CASE WHEN b.FrameOfReferenceUID STARTS WITH '1.2.840.10008.1.4.' THEN 'WELL_KNOWN' ELSE 'PATIENT' END, b.dirty = true
MERGE (a)-[e:REFERENCES_FRAME {role: t[1]}]->(b)
SET e.path_id = t[3], e.n = t[2], e.purpose = t[4];
