// Contours are well formed: enough points, even length, stated point count, coplanar, area above zero
// id: GEO-03
// severity: error
// confidence: fact
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.n_malformed IS NOT NULL RETURN count(roi) AS n
// identifying: none
// fix: Skip the contour and record it.
// source: PS3.3 C.8.8.6.1 (Contour Geometric Type), C.8.8.6 (Number of Contour Points, Contour Data)
// why: A contour with a wrong number of points, or with points off its plane, has no area that can be filled.
// not: POINT and OPEN_PLANAR contours have their own least number of points. A contour around one pixel has an area.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.n_malformed > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       {roi: roi.ROIName, malformed: roi.n_malformed, reasons: roi.malformed_reasons} AS detail
ORDER BY patient_key, subject, target;
