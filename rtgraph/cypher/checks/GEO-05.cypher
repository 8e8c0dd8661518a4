// Nested or overlapping contours on one plane say how holes are meant (CLOSEDPLANAR_XOR)
// id: GEO-05
// severity: warning
// confidence: fact
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.n_nested_planes IS NOT NULL RETURN count(roi) AS n
// identifying: none
// fix: State the convention in the export; XOR is what most systems mean.
// source: practice (PS3.3 C.8.8.6.3, Representing Inner and Outer Contours)
// why: A ring drawn as two contours is a ring for one program and a disc for another.
// not: Nested contours of type CLOSED_PLANAR are normal: INFO, and a warning only where the two readings differ by more than 5 percent of the volume.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.n_nested_planes > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       CASE WHEN roi.volume_union_cc - roi.volume_xor_cc > 0.05 * roi.volume_union_cc THEN 'WARNING' ELSE 'INFO' END AS severity,
       {roi: roi.ROIName, planes: roi.n_nested_planes, xor_cc: roi.volume_xor_cc, union_cc: roi.volume_union_cc} AS detail
ORDER BY patient_key, subject, target;
