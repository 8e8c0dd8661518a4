// A gridded dose has scaling, a grid offset vector of the right length and a frame of reference
// id: DOS-06
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose) WHERE d.has_pixel_data RETURN count(d) AS n
// identifying: none
// fix: Export again; the grid cannot be placed or scaled.
// source: PS3.3 C.8.8.3 (RT Dose Module: Dose Grid Scaling, Grid Frame Offset Vector), C.7.4.1 (Frame of Reference Module)
// why: Without scaling, plane offsets and frame the voxels have neither a dose nor a place.
// not: A dose of one plane needs no offsets.
MATCH (d:RTDose)
WHERE d.has_pixel_data AND (coalesce(d.DoseGridScaling, 0.0) <= 0.0 OR d.frame_uid IS NULL
   OR (d.NumberOfFrames > 1 AND coalesce(d.n_grid_offsets, 0) <> d.NumberOfFrames))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, null AS target,
       {scaling: d.DoseGridScaling, frames: d.NumberOfFrames, offsets: d.n_grid_offsets, frame_uid: d.frame_uid} AS detail
ORDER BY patient_key, subject, target;
