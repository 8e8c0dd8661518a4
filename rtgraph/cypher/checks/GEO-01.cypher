// Contours lie on image planes
// id: GEO-01
// severity: error
// confidence: fact
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.n_off_plane IS NOT NULL RETURN count(roi) AS n
// identifying: none
// fix: Rasterise at the true contour plane; record every contour that was not used.
// source: practice: IHE-RO BRTO-II (off-slice contours are an option); PS3.3 C.8.8.6 (ROI Contour Module)
// why: A contour between two planes is drawn on the wrong slice, or on none.
// not: Contours off the planes are allowed and occur on resampled images: a warning from a tenth of the slice distance on, an error from half of it on.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.n_off_plane > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       CASE WHEN roi.n_between_planes > 0 THEN 'ERROR' ELSE 'WARNING' END AS severity,
       {roi: roi.ROIName, off_plane: roi.n_off_plane, between_planes: roi.n_between_planes, max_mm: roi.max_plane_distance_mm} AS detail
ORDER BY patient_key, subject, target;
