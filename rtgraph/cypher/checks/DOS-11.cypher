// The dose grid is plain: uniform relative offsets, identity orientation, square pixels
// id: DOS-11
// severity: info
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose) WHERE d.has_pixel_data RETURN count(d) AS n
// identifying: none
// fix: Nothing to repair: a warning that other software may misread the grid.
// source: practice (PS3.3 C.8.8.3.2, Grid Frame Offset Vector; C.7.6.2, Image Plane Module)
// why: Much software takes the first plane and one distance, square pixels and the axes of the patient for granted.
// not: Patients who lie prone or feet first have other axes and are told of too: it is INFO, a grid like that is legal.
MATCH (d:RTDose)
WHERE d.has_pixel_data AND (d.offsets_uniform = false OR d.offsets_form = 'ABSOLUTE' OR abs(d.PixelSpacing[0] - d.PixelSpacing[1]) > 0.001
   OR any(k IN range(0, 5) WHERE abs(d.ImageOrientationPatient[k] - [1.0, 0.0, 0.0, 0.0, 1.0, 0.0][k]) > 0.0001))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, null AS target,
       {uniform: d.offsets_uniform, form: d.offsets_form, spacing: d.PixelSpacing, orientation: d.ImageOrientationPatient} AS detail
ORDER BY patient_key, subject, target;
