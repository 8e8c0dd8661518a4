// No contour has an offset vector that is not zero (retired; readers ignore it)
// id: GEO-08
// severity: error
// confidence: fact
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.n_offset_vectors IS NOT NULL RETURN count(roi) AS n
// identifying: none
// fix: Apply the offset before use, or export again.
// source: PS3.3 C.8.8.6 (ROI Contour Module: Contour Offset Vector, retired)
// why: Nearly all readers ignore the offset, and draw the contour in another place than was meant.
// not: An offset of three zeros is no finding.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.n_offset_vectors > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       {roi: roi.ROIName, contours: roi.n_offset_vectors} AS detail
ORDER BY patient_key, subject, target;
