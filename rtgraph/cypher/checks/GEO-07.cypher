// Contours run through without gap and over more than one slice
// id: GEO-07
// severity: warning
// confidence: fact
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.n_contour_planes > 0 RETURN count(roi) AS n
// identifying: none
// fix: Decide on interpolation explicitly.
// source: practice: volumes are built by interpolation between the planes
// why: A structure with a hole of one slice was left unfinished, or lost a contour on the way.
// not: Contours on every second slice, and a structure on one slice, are INFO. Points are not looked at. Paired organs and targets in two parts are reported.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.n_gap_planes > 0 OR (roi.n_contour_planes = 1 AND 'CLOSED_PLANAR' IN roi.contour_types)
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       CASE WHEN roi.n_gap_planes > 0 AND roi.n_gap_planes <> roi.n_contour_planes - 1 THEN 'WARNING' ELSE 'INFO' END AS severity,
       {roi: roi.ROIName, gap_planes: roi.n_gap_planes, planes: roi.n_contour_planes} AS detail
ORDER BY patient_key, subject, target;
