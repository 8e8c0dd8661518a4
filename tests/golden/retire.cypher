UNWIND $rows AS uid
MATCH (:Instance {SOPInstanceUID: uid})-[e:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY|REFERENCES_FRAME|IN_SESSION|HAS_EVENT|TRACKS|IN_SYNC_FRAME|PART_OF_STEP|STATES_UID|REPRESENTS|CODED_AS]->(b)
DELETE e
WITH DISTINCT b
FOREACH (f IN CASE WHEN b:FrameOfReference THEN [b] ELSE [] END | SET f.dirty = true)
WITH b
WHERE b:Missing|ConceptualVolume|TreatmentSession|DoseReferenceGroup|IrradiationEvent|Tracking|TreatmentPhase|TreatmentPositionGroup|DosimetricObjective|Fiducial|Acquisition|SyncFrame|ProcedureStep|Code
OPTIONAL MATCH (b:Missing)<-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-(x:Instance|Series)
WITH b, head(collect(x)) AS x
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(x)
FOREACH (d IN [d IN [s, x] WHERE d:Series] | SET d.dirty = true)
RETURN DISTINCT b.SOPInstanceUID AS instance, b.SeriesInstanceUID AS series,
       b.StudyInstanceUID AS study, coalesce(b.uid, b.key) AS key,
       head([l IN labels(b) WHERE l IN ['ConceptualVolume', 'TreatmentSession', 'DoseReferenceGroup', 'IrradiationEvent', 'Tracking', 'TreatmentPhase', 'TreatmentPositionGroup', 'DosimetricObjective', 'Fiducial', 'Acquisition', 'SyncFrame', 'ProcedureStep', 'Code']]) AS label;
UNWIND $rows AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[e:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY|REFERENCES_FRAME|IN_SESSION|HAS_EVENT|TRACKS|IN_SYNC_FRAME|PART_OF_STEP|STATES_UID|REPRESENTS|CODED_AS]->(b)
WHERE NOT b:Series OR type(e) = 'REFERENCES_SERIES'
DELETE e
WITH DISTINCT b
FOREACH (f IN CASE WHEN b:FrameOfReference THEN [b] ELSE [] END | SET f.dirty = true)
WITH b
WHERE b:Missing|ConceptualVolume|TreatmentSession|DoseReferenceGroup|IrradiationEvent|Tracking|TreatmentPhase|TreatmentPositionGroup|DosimetricObjective|Fiducial|Acquisition|SyncFrame|ProcedureStep|Code
OPTIONAL MATCH (b:Missing)<-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-(x:Instance|Series)
WITH b, head(collect(x)) AS x
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(x)
FOREACH (d IN [d IN [s, x] WHERE d:Series] | SET d.dirty = true)
RETURN DISTINCT b.SOPInstanceUID AS instance, b.SeriesInstanceUID AS series,
       b.StudyInstanceUID AS study, coalesce(b.uid, b.key) AS key,
       head([l IN labels(b) WHERE l IN ['ConceptualVolume', 'TreatmentSession', 'DoseReferenceGroup', 'IrradiationEvent', 'Tracking', 'TreatmentPhase', 'TreatmentPositionGroup', 'DosimetricObjective', 'Fiducial', 'Acquisition', 'SyncFrame', 'ProcedureStep', 'Code']]) AS label;
UNWIND $rows AS uid
MATCH (:Instance {SOPInstanceUID: uid})-[:HAS_ROI|HAS_BEAM|HAS_FRACTION_GROUP|HAS_DOSE_REFERENCE|HAS_APPLICATION_SETUP|HAS_DVH|HAS_DELIVERY|HAS_TRANSFORM|HAS_SEGMENT|HAS_PRESCRIPTION]->(p)
OPTIONAL MATCH (p)-[:IN_SESSION|HAS_EVENT|TRACKS|IN_SYNC_FRAME|PART_OF_STEP|STATES_UID|REPRESENTS|CODED_AS|DERIVED_FROM]->(h:ConceptualVolume|TreatmentSession|DoseReferenceGroup|IrradiationEvent|Tracking|TreatmentPhase|TreatmentPositionGroup|DosimetricObjective|Fiducial|Acquisition|SyncFrame|ProcedureStep|Code)
WITH p, collect(DISTINCT h) AS shared
OPTIONAL MATCH (p)-[:DEFINED_IN|FROM_FRAME|TO_FRAME]->(f:FrameOfReference)
SET f.dirty = true
WITH DISTINCT p, shared
DETACH DELETE p
WITH shared
UNWIND shared AS h
RETURN DISTINCT head([l IN labels(h) WHERE l IN ['ConceptualVolume', 'TreatmentSession', 'DoseReferenceGroup', 'IrradiationEvent', 'Tracking', 'TreatmentPhase', 'TreatmentPositionGroup', 'DosimetricObjective', 'Fiducial', 'Acquisition', 'SyncFrame', 'ProcedureStep', 'Code']]) AS label, coalesce(h.uid, h.key) AS key;
UNWIND $rows AS uid
MATCH (a:FrameOfReference)-[r:REGISTERED_TO {reg_uid: uid}]->(b:FrameOfReference)
SET a.dirty = true, b.dirty = true
DELETE r;
UNWIND $rows AS key
MATCH (n:ConceptualVolume {uid: key})
SET n.n_members = COUNT { (n)<--() }
WITH n
WHERE NOT EXISTS { (n)<--() }
DELETE n;
UNWIND $rows AS key
MATCH (n:Code {key: key})
SET n.meaning = head(COLLECT { MATCH (n)<-[e:CODED_AS]-() WHERE e.meaning IS NOT NULL RETURN e.meaning AS m ORDER BY m LIMIT 1 })
WITH n
WHERE NOT EXISTS { (n)<--() }
DELETE n;
