// Each ROI has an observation; each observation and each contour item names an existing ROI
// id: STR-01
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) RETURN count(roi) AS n
// identifying: none
// fix: Report to the sender; contours of an unknown ROI number are not used.
// source: PS3.3 C.8.8.5 (Structure Set ROI Sequence), C.8.8.6 (ROI Contour Module), C.8.8.8 (RT ROI Observations Module)
// why: The observation holds type and codes of an ROI; contours under an unknown number belong to no structure.
// not: The three sequences may stand in different order: they are joined by number, never by position.
CALL () {
  MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
  WHERE roi.n_observations = 0
  RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
         roi.key AS subject, {roi: roi.ROIName, problem: 'no observation'} AS detail
  UNION ALL
  MATCH (i:RTStruct)
  WHERE size(i.orphan_observations) > 0 OR size(i.orphan_contours) > 0
  RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
         i.SOPInstanceUID AS subject, {problem: 'unknown ROI number', observations: i.orphan_observations, contours: i.orphan_contours} AS detail
}
RETURN patient_key, subject, null AS target, detail
ORDER BY patient_key, subject, target;
