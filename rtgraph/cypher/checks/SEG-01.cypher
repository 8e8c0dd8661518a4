// A segmentation and its source images share a frame of reference
// id: SEG-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:Segmentation)-[:REFERENCES {role: 'DERIVED_FROM_IMAGE'}]->(:Instance)<-[:HAS_INSTANCE]-(b:Series) WHERE i.frame_uid IS NOT NULL AND EXISTS { (b)-[:IN_FRAME]->(:FrameOfReference) } WITH DISTINCT i, b RETURN count(*) AS n
// identifying: none
// fix: Do not overlay; find the registration.
// source: PS3.3 C.8.20.2 (Segmentation Image Module), C.7.4.1.1.1 (Frame of Reference UID)
// why: A mask over images of another frame marks the wrong voxels.
// not: A segmentation of a fused display may cite both series: it is enough that one of them shares its frame.
MATCH (i:Segmentation)-[:REFERENCES {role: 'DERIVED_FROM_IMAGE'}]->(:Instance)<-[:HAS_INSTANCE]-(b:Series)
WITH DISTINCT i, b
WHERE i.frame_uid IS NOT NULL AND EXISTS { (b)-[:IN_FRAME]->(:FrameOfReference) }
WITH i, b, EXISTS { (b)-[:IN_FRAME]->(f:FrameOfReference) WHERE f.FrameOfReferenceUID = i.frame_uid } AS shared
WITH i, collect({series: b, shared: shared}) AS cited
WHERE none(x IN cited WHERE x.shared)
UNWIND cited AS x
WITH i, x.series AS b
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, b.SeriesInstanceUID AS target,
       {frame: i.frame_uid, image_frames: b.frame_uids} AS detail
ORDER BY patient_key, subject, target;
