// Guesses, made by request only: INFERRED_LINK with its method and a confidence, never mixed with what files
// state. A pass takes away those of touched series, so that none outlives what it rested on.

// name: guesses
// The count is kept by the server.
MATCH ()-[e:INFERRED_LINK]->() RETURN count(e) AS n;

// name: inferred_before
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE*0..1]->(x:Instance|Series)-[e:INFERRED_LINK]-()
DELETE e;

// name: inferred_names_before
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTStruct)-[:HAS_ROI]->(:ROI)-[e:INFERRED_LINK]->()
DELETE e;

// name: PLAN_BY_LABEL
// A record whose plan was never archived, and a plan of the patient with its label, machine and beams.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(t:RTRecord)-[:REFERENCES {role: 'RECORD_PLAN'}]->(lost:RTPlan)
WHERE lost:Missing AND t.RTPlanLabel IS NOT NULL
MATCH (s)<-[:HAS_SERIES]-(:Study)<-[:HAS_STUDY]-(:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:RTPlanSeries)-[:HAS_INSTANCE]->(p:RTPlan {RTPlanLabel: t.RTPlanLabel})
WITH DISTINCT t, p, COLLECT { MATCH (t)-[:HAS_DELIVERY]->(d:BeamDelivery) RETURN d } AS deliveries, COLLECT { MATCH (p)-[:HAS_BEAM]->(b:Beam) RETURN b.BeamNumber } AS beams
WHERE size(deliveries) > 0
  AND all(d IN deliveries WHERE d.ReferencedBeamNumber IN beams)
  AND all(d IN deliveries WHERE d.TreatmentMachineName IS NULL OR d.TreatmentMachineName IN p.machines)
MERGE (t)-[e:INFERRED_LINK {method: 'PLAN_BY_LABEL'}]->(p)
SET e.confidence = 0.8, e.rule_version = '1';

// name: DOSE_BY_FRAME
// A dose that names no plan, and a plan in its frame, of its maker, made within an hour.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(d:RTDose)
WHERE d.frame_uid IS NOT NULL AND NOT EXISTS { (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->() }
MATCH (s)<-[:HAS_SERIES]-(:Study)<-[:HAS_STUDY]-(:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(ps:RTPlanSeries)-[:HAS_INSTANCE]->(p:RTPlan)
WHERE p.frame_uid = d.frame_uid AND ps.Manufacturer = s.Manufacturer
  AND d.instance_datetime - duration('PT1H') <= p.instance_datetime AND p.instance_datetime <= d.instance_datetime + duration('PT1H')
MERGE (d)-[e:INFERRED_LINK {method: 'DOSE_BY_FRAME'}]->(p)
SET e.confidence = 0.5, e.rule_version = '1';

// name: CBCT_TO_FRACTION
// A cone beam of the patient, machine and day of a record, and the session of that record.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
WHERE s.is_cbct AND s.series_datetime IS NOT NULL
MATCH (s)<-[:HAS_SERIES]-(:Study)<-[:HAS_STUDY]-(:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(rs:RTRecordSeries)-[:HAS_INSTANCE]->(t:RTRecord)-[:IN_SESSION]->(v:TreatmentSession)
WHERE date(s.series_datetime) = t.TreatmentDate
  AND (EXISTS { (s)-[:ACQUIRED_ON]->(:Equipment)<-[:ACQUIRED_ON]-(rs) } OR EXISTS { (t)-[:HAS_DELIVERY]->(d:BeamDelivery) WHERE d.TreatmentMachineName = s.StationName })
MERGE (s)-[e:INFERRED_LINK {method: 'CBCT_TO_FRACTION'}]->(v)
SET e.confidence = 0.7, e.rule_version = '1';

// name: STRUCT_BY_FRAME
// A structure set none of whose images is there, and the only image series of its study and frame.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(t:RTStruct)
WHERE t.frame_uid IS NOT NULL
  AND NOT EXISTS { (t)-[r:REFERENCES]->(j:Instance) WHERE r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE'] AND NOT j:Missing }
MATCH (s)<-[:HAS_SERIES]-(:Study)-[:HAS_SERIES]->(c:Series {layer: 0})-[:IN_FRAME]->(:FrameOfReference {FrameOfReferenceUID: t.frame_uid})
WHERE NOT c:Missing
WITH t, collect(DISTINCT c) AS candidates
WHERE size(candidates) = 1
WITH t, candidates[0] AS c
MERGE (t)-[e:INFERRED_LINK {method: 'STRUCT_BY_FRAME'}]->(c)
SET e.confidence = 0.6, e.rule_version = '1';

// name: names_unmatched
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTStruct)-[:HAS_ROI]->(r:ROI)
WHERE r.ROIName IS NOT NULL AND NOT EXISTS { (r)-[:NAMED_AS]->() }
RETURN DISTINCT r.ROIName AS name;

// name: NAME_BY_LIKENESS
// $rows as for `named_as`: the standard name that is most like the name of a ROI.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE NOT EXISTS { (roi)-[:NAMED_AS]->() }
WITH roi, head([r IN $rows WHERE r[0] = roi.ROIName]) AS r
WHERE r IS NOT NULL
MERGE (n:StandardName {name: r[1]})
ON CREATE SET n.category = r[2], n.side = r[3], n.description = r[4], n.list_version = r[5]
MERGE (roi)-[e:INFERRED_LINK {method: 'NAME_BY_LIKENESS'}]->(n)
SET e.confidence = r[7], e.rule_version = '1';
