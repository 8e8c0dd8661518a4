UNWIND $rows AS r
MATCH (a:ROI {key: r[0]})
MERGE (b:Code {key: r[1]})
ON CREATE SET b.scheme = split(r[1], '^')[0],
  b.value = substring(r[1], size(split(r[1], '^')[0]) + 1)
FOREACH (m IN CASE WHEN b.meaning IS NULL OR r[3] < b.meaning THEN [r[3]] ELSE [] END | SET b.meaning = m)
MERGE (a)-[e:CODED_AS {attribute: r[2]}]->(b)
SET e.meaning = r[3];
UNWIND $rows AS r
MATCH (a:Instance {SOPInstanceUID: r[0]})
MERGE (b:Fiducial {uid: r[1]})
MERGE (a)-[e:STATES_UID {role: r[2]}]->(b);
UNWIND $rows AS r
MATCH (a:FractionGroup {key: r[0]})
MATCH (b:Beam {key: r[1]})
MERGE (a)-[e:INCLUDES_BEAM]->(b)
SET e.BeamDose = r[2], e.BeamMeterset = r[3];
UNWIND $rows AS r
MATCH (a:ROI {key: r[0]})
MATCH (b:Series {SeriesInstanceUID: r[1]})
MERGE (a)-[e:CONTOURED_ON]->(b)
SET e.n_contours = r[2], e.n_images = r[3];
UNWIND $rows AS r
MATCH (a:Transform {key: r[0]})
MERGE (b:FrameOfReference {FrameOfReferenceUID: r[1]})
ON CREATE SET b.kind = CASE WHEN b.FrameOfReferenceUID STARTS WITH '1.2.840.10008.1.4.' THEN 'WELL_KNOWN' ELSE 'PATIENT' END, b.dirty = true
MERGE (a)-[e:FROM_FRAME]->(b);
