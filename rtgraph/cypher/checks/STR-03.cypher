// ROI names are unique in a structure set (case and blanks ignored)
// id: STR-03
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.name_norm <> '' AND roi.n_contours > 0 RETURN count(roi) AS n
// identifying: none
// fix: Select by ROI number, or rename at the source.
// source: practice: structures are selected by name (AAPM TG-263, names unique without case)
// why: Who selects by name gets one of two structures, and not always the same.
// not: A copy of the name without contours is no finding.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.name_norm <> '' AND roi.n_contours > 0
WITH i, roi.name_norm AS name, roi.ROINumber AS number ORDER BY number
WITH i, name, collect(number) AS numbers
WHERE size(numbers) > 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, name AS target,
       {numbers: numbers} AS detail
ORDER BY patient_key, subject, target;
