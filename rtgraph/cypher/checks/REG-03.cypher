// All images of one registration item are in one frame, and it equals the item frame
// id: REG-03
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (t:Transform)-[:APPLIES_TO]->(s:Series) WHERE EXISTS { (s)-[:IN_FRAME {source: 'MODULE'}]->(:FrameOfReference) } RETURN count(DISTINCT t) AS n
// identifying: none
// fix: Trust the image list; report to the sender.
// source: PS3.3 C.20.2 (Spatial Registration Module: Frame of Reference UID or Referenced Image Sequence of an item)
// why: A transform is from one frame to another; images in a third frame would be moved to a place where they do not belong.
// not: A series with several frames of which one is that of the item is no finding here; FOR-04 tells of it.
MATCH (r:Registration)-[:HAS_TRANSFORM]->(t:Transform)-[:APPLIES_TO]->(s:Series)
WITH r, t, s, COLLECT { MATCH (s)-[:IN_FRAME {source: 'MODULE'}]->(f:FrameOfReference) RETURN f.FrameOfReferenceUID AS u ORDER BY u } AS frames ORDER BY s.SeriesInstanceUID
WHERE size(frames) > 0
WITH r, t, collect(frames) AS of_series
WHERE any(frames IN of_series WHERE NOT t.item_frame_uid IN frames)
   OR (t.item_frame_uid IS NULL AND none(u IN of_series[0] WHERE all(frames IN of_series WHERE u IN frames)))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(r) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       t.key AS subject, null AS target,
       {item_frame: t.item_frame_uid, image_frames: reduce(all_of = [], frames IN of_series | all_of + frames)[..10]} AS detail
ORDER BY patient_key, subject, target;
