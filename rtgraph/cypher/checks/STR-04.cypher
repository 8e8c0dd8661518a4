// An ROI has at least one contour
// id: STR-04
// severity: info
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) RETURN count(roi) AS n
// identifying: none
// fix: Nothing to repair; leave the ROI out of exports.
// source: practice (PS3.3 C.8.8.6, ROI Contour Module: Contour Sequence is optional)
// why: An ROI without contours has no volume; a mask of it is empty and its DVH is undefined.
// not: Templates with empty ROIs, and systems that leave an empty ROI out of ROIContourSequence, are normal: that is why it is INFO.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE coalesce(roi.n_contours, 0) = 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       {roi: roi.ROIName, type: roi.RTROIInterpretedType} AS detail
ORDER BY patient_key, subject, target;
