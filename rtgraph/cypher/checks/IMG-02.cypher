// An image volume has one orientation and one matrix size
// id: IMG-02
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (s:Series {layer: 0}) WHERE s.n_orientations > 0 RETURN count(s) AS n
// identifying: none
// fix: Split the series by orientation and size.
// source: practice (PS3.3 C.7.6.2, Image Plane Module; C.7.6.3, Image Pixel Module)
// why: Images of two orientations or sizes are no volume.
// not: Localizers of three planes are left out. Reformatted images in the series are INFO.
MATCH (s:Series {layer: 0})
WHERE NOT coalesce(s.is_localizer, false) AND s.n_orientations > 0 AND (s.n_orientations > 1 OR s.n_matrix_sizes > 1)
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       CASE WHEN any(t IN s.ImageType WHERE t IN ['REFORMATTED', 'MPR', 'RESAMPLED']) THEN 'INFO' ELSE 'WARNING' END AS severity,
       {orientations: s.n_orientations, matrix_sizes: s.n_matrix_sizes} AS detail
ORDER BY patient_key, subject, target;
