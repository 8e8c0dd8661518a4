// Slices are stacked along their normal (no gantry tilt or shear)
// id: IMG-06
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (s:Series {layer: 0}) WHERE s.slice_shear_mm IS NOT NULL OR s.GantryDetectorTilt IS NOT NULL RETURN count(s) AS n
// identifying: none
// fix: Resample with the full affine, shear included.
// source: practice (PS3.3 C.7.6.2.1.1, Image Position and Image Orientation; C.8.2.1, Gantry/Detector Tilt)
// why: A tilted stack is a sheared volume; tools that stack slices straight bend the patient.
// not: A stated tilt of images that are already corrected is no finding: where the shear is measured, it alone counts.
MATCH (s:Series {layer: 0})
WHERE s.slice_shear_mm > 0.01 + 0.01 * s.slice_spacing OR (s.slice_shear_mm IS NULL AND abs(s.GantryDetectorTilt) > 0.1)
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       {shear_mm: s.slice_shear_mm, tilt: s.GantryDetectorTilt} AS detail
ORDER BY patient_key, subject, target;
