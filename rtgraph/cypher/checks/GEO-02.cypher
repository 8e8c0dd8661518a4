// Contours lie inside the image extent
// id: GEO-02
// severity: error
// confidence: fact
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.n_outside_image IS NOT NULL RETURN count(roi) AS n
// identifying: none
// fix: Never wrap or clip silently; report and skip.
// source: PS3.3 C.8.8.6 (ROI Contour Module: contours in the frame of the images they name)
// why: A contour outside the image was drawn on another image, or is cut off without a word when a mask is made.
// not: Couch, fixation, bolus and a body contour of a wider field of view may stick out: INFO by their type.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.n_outside_image > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       CASE WHEN roi.RTROIInterpretedType IN ['SUPPORT', 'FIXATION', 'EXTERNAL', 'BOLUS'] THEN 'INFO' ELSE 'ERROR' END AS severity,
       {roi: roi.ROIName, type: roi.RTROIInterpretedType, outside: roi.n_outside_image, contours: roi.n_contours} AS detail
ORDER BY patient_key, subject, target;
