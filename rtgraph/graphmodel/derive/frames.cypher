// Frames of reference: who names them, transforms between them, and SHARES_FOR.

// name: frames_named
// A frame that is named may be of another kind now.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:REFERENCES_FRAME]->(f:FrameOfReference)
SET f.dirty = true;

// name: frames_named_by_objects
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:Instance)-[:REFERENCES_FRAME]->(f:FrameOfReference)
SET f.dirty = true;

// name: frames_of_parts
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTStruct|Registration)-[:HAS_ROI|HAS_TRANSFORM]->(:ROI|Transform)-[:DEFINED_IN|FROM_FRAME|TO_FRAME]->(f:FrameOfReference)
SET f.dirty = true;

// name: registered_before
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(g:RTStruct|Registration)
MATCH (:FrameOfReference)-[r:REGISTERED_TO {reg_uid: g.SOPInstanceUID}]->(:FrameOfReference)
DELETE r;

// name: implicit_before
// A transform that states no frame has that of its images; it is found anew.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:Registration)-[:HAS_TRANSFORM]->(t:Transform)
WHERE t.item_frame_uid IS NULL
MATCH (t)-[e:FROM_FRAME]->(f:FrameOfReference)
SET f.dirty = true
DELETE e;

// name: implicit
// The frame of the series of its images when there is one only; an image without a frame is one of its own.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(g:Registration)-[:HAS_TRANSFORM]->(t:Transform)
WHERE t.item_frame_uid IS NULL
MATCH (g)-[r:REFERENCES {role: 'REGISTRATION_IMAGE'}]->(j:Instance)<-[:HAS_INSTANCE]-(s:Series)
WHERE t.item IN r.items AND NOT j:Missing
OPTIONAL MATCH (s)-[:IN_FRAME]->(f:FrameOfReference)
WITH t, collect(DISTINCT f.FrameOfReferenceUID) AS frames, min(j.SOPInstanceUID) AS image
WITH t, CASE size(frames) WHEN 0 THEN 'image:' + image WHEN 1 THEN frames[0] END AS frame
WHERE frame IS NOT NULL
MERGE (f:FrameOfReference {FrameOfReferenceUID: frame})
SET f.dirty = true
MERGE (t)-[:FROM_FRAME]->(f);

// name: registered
// From the frame of the data to the registered frame, one edge an item; the registered item itself makes none.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(g:RTStruct|Registration)-[:HAS_TRANSFORM]->(t:Transform {side: 'SOURCE'})
MATCH (t)-[:FROM_FRAME]->(a:FrameOfReference), (t)-[:TO_FRAME]->(b:FrameOfReference)
WHERE a <> b
MERGE (a)-[r:REGISTERED_TO {transform_key: t.key}]->(b)
SET r.reg_uid = g.SOPInstanceUID, r.matrix_type = t.matrix_type, r.is_identity = t.is_identity,
    r.direction = CASE WHEN t.matrix_type = 'DEFORMABLE' THEN 'REGISTERED_TO_SOURCE' ELSE 'SOURCE_TO_REGISTERED' END,
    r.tx = t.matrix[3], r.ty = t.matrix[7], r.tz = t.matrix[11],
    r.content_date = CASE WHEN g:RTStruct THEN g.StructureSetDate ELSE date(g.instance_datetime) END, r.legacy = t.legacy;

// name: touched_frames
MATCH (f:FrameOfReference) WHERE f.dirty RETURN f.FrameOfReferenceUID AS uid ORDER BY uid;

// name: hold_frames
// Locks, as `hold` does for series.
UNWIND $frames AS uid
MATCH (f:FrameOfReference {FrameOfReferenceUID: uid})
SET f.dirty = true;

// name: frame_counts
UNWIND $frames AS uid
MATCH (f:FrameOfReference {FrameOfReferenceUID: uid})
OPTIONAL MATCH (f)<-[:IN_FRAME]-(s:Series)
OPTIONAL MATCH (s)<-[:HAS_SERIES]-(:Study)<-[:HAS_STUDY]-(p:Patient)
WITH f, count(DISTINCT s) AS n, collect(DISTINCT p.patient_key) AS ps
SET f.n_series = n, f.n_patients = size(ps), f.patient_key = CASE WHEN size(ps) = 1 THEN ps[0] END,
    f.PositionReferenceIndicator = head(COLLECT { MATCH (f)<-[:IN_FRAME]-(x:Series) WHERE x.PositionReferenceIndicator IS NOT NULL RETURN x.PositionReferenceIndicator AS p ORDER BY p LIMIT 1 }),
    f.kind = CASE
      WHEN f.FrameOfReferenceUID STARTS WITH $well_known THEN 'WELL_KNOWN'
      WHEN f.FrameOfReferenceUID STARTS WITH 'image:' THEN 'IMAGE_IMPLICIT'
      WHEN EXISTS { (f)<-[:REFERENCES_FRAME {role: 'EQUIPMENT_FRAME'}]-() } AND NOT EXISTS { (f)<-[:IN_FRAME|DEFINED_IN|FROM_FRAME|TO_FRAME]-() }
        AND NOT EXISTS { (f)<-[r:REFERENCES_FRAME]-() WHERE r.role <> 'EQUIPMENT_FRAME' } THEN 'EQUIPMENT'
      ELSE 'PATIENT' END
SET f.share_mode = CASE WHEN f.kind <> 'PATIENT' OR size(ps) > 1 OR n < 2 THEN 'NONE' WHEN n <= $max_clique THEN 'CLIQUE' ELSE 'STAR' END;

// name: shares_before
UNWIND $frames AS uid
MATCH (:Series)-[r:SHARES_FOR {FrameOfReferenceUID: uid}]->(:Series)
DELETE r;

// name: cliques
UNWIND $frames AS uid
MATCH (f:FrameOfReference {FrameOfReferenceUID: uid, share_mode: 'CLIQUE'})
MATCH (a:Series)-[:IN_FRAME]->(f)<-[:IN_FRAME]-(b:Series)
WHERE a.SeriesInstanceUID < b.SeriesInstanceUID
MERGE (a)-[r:SHARES_FOR {FrameOfReferenceUID: uid}]->(b)
SET r.mode = 'CLIQUE';

// name: stars
UNWIND $frames AS uid
MATCH (f:FrameOfReference {FrameOfReferenceUID: uid, share_mode: 'STAR'})<-[:IN_FRAME]-(s:Series)
WITH DISTINCT f, s
WITH f, s ORDER BY s.anchor_rank, s.series_datetime, s.SeriesInstanceUID
WITH f, collect(s) AS members
WITH f, head(members) AS anchor, tail(members) AS others
UNWIND others AS m
MERGE (m)-[r:SHARES_FOR {FrameOfReferenceUID: f.FrameOfReferenceUID}]->(anchor)
SET r.mode = 'STAR';

// name: frames_done
UNWIND $frames AS uid
MATCH (f:FrameOfReference {FrameOfReferenceUID: uid})
REMOVE f.dirty;

// name: frames_unused
// Nothing is in the frame and nothing names it: what a changed file left behind.
UNWIND $frames AS uid
MATCH (f:FrameOfReference {FrameOfReferenceUID: uid})
WHERE NOT EXISTS { (f)--() }
DELETE f;
