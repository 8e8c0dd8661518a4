// The dose grid covers targets completely and the body contour
// id: DOS-14
// severity: error
// confidence: fact
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:RTDose)-[c:COVERS]->(roi:ROI) WHERE roi.RTROIInterpretedType IN ['GTV', 'CTV', 'PTV', 'EXTERNAL'] RETURN count(c) AS n
// identifying: none
// fix: Recalculate on a larger grid, or leave the ROI out of dose statistics.
// source: practice: dose statistics need the whole structure inside the grid
// why: Dose statistics of a structure that sticks out of the grid are taken from a part of it.
// not: A target that the plan does not prescribe to, as of another phase or site, is a warning. The body contour is usually cut: INFO.
MATCH (d:RTDose)-[c:COVERS]->(roi:ROI)
WHERE (roi.RTROIInterpretedType IN ['GTV', 'CTV', 'PTV'] AND c.fraction < 0.9999) OR (roi.RTROIInterpretedType = 'EXTERNAL' AND c.fraction < 0.999)
WITH d, c, roi,
     EXISTS { (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:RTPlan)-[:HAS_DOSE_REFERENCE]->(:DoseReference)-[:TARGETS]->(roi) } AS prescribed,
     EXISTS { (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:RTPlan)-[:HAS_DOSE_REFERENCE]->(:DoseReference)-[:TARGETS]->(t:ROI) WHERE t.RTROIInterpretedType IN ['GTV', 'CTV', 'PTV'] } AS says
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, roi.key AS target,
       CASE WHEN roi.RTROIInterpretedType = 'EXTERNAL' THEN 'INFO' WHEN says AND NOT prescribed THEN 'WARNING' ELSE 'ERROR' END AS severity,
       {roi: roi.ROIName, type: roi.RTROIInterpretedType, covered: c.fraction} AS detail
ORDER BY patient_key, subject, target;
