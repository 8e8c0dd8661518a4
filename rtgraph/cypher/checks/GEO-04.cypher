// Contours do not intersect themselves
// id: GEO-04
// severity: warning
// confidence: fact
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.n_self_intersecting IS NOT NULL RETURN count(roi) AS n
// identifying: none
// fix: Fill by the even-odd rule and say so.
// source: practice (PS3.3 C.8.8.6.3, Representing Inner and Outer Contours)
// why: What is inside a contour that crosses itself depends on the rule by which it is filled.
// not: A keyhole contour touches itself along its channel and does not cross.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.n_self_intersecting > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       {roi: roi.ROIName, contours: roi.n_self_intersecting} AS detail
ORDER BY patient_key, subject, target;
