// A structure set and the image series it was drawn on share a frame of reference
// id: FOR-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:RTStruct)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(:Instance)<-[:HAS_INSTANCE]-(b:Series) WHERE EXISTS { (b)-[:IN_FRAME]->(:FrameOfReference) } WITH DISTINCT i, b RETURN count(*) AS n
// identifying: none
// fix: Find the image series the contours lie on; correct the frame or the reference list at the source.
// source: PS3.3 C.8.8.5.1 (Frames of Reference of a structure set), C.7.4.1.1.1 (Frame of Reference UID)
// why: Contours in another frame than their images are drawn in the wrong place, and nothing on the screen tells.
// not: A registered secondary series that the structure set lists in a frame item of its own is no finding.
MATCH (i:RTStruct)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(:Instance)<-[:HAS_INSTANCE]-(b:Series)
WITH DISTINCT i, b
WHERE EXISTS { (b)-[:IN_FRAME]->(:FrameOfReference) }
  AND NOT EXISTS { (i)-[:REFERENCES_FRAME {role: 'STRUCTURE_SET_FRAME'}]->(:FrameOfReference)<-[:IN_FRAME]-(b) }
  AND NOT EXISTS { (b)-[:IN_FRAME]->(f:FrameOfReference) WHERE f.FrameOfReferenceUID = i.frame_uid }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, b.SeriesInstanceUID AS target,
       {structure_set_frame: i.frame_uid, image_frames: b.frame_uids} AS detail
ORDER BY patient_key, subject, target;
