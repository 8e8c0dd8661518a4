// ROI names stay different when written as file names
// id: STR-09
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) RETURN count(roi) AS n
// identifying: none
// fix: The exporter appends the ROI number.
// source: practice: exports name a file after each structure
// why: Masks of two structures would be written to one file, and the second would replace the first.
// not: None known.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WITH i, roi.name_file AS name, roi.name_norm AS norm ORDER BY norm
WITH i, name, collect(DISTINCT norm) AS names
WHERE size(names) > 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, name AS target,
       {names: names} AS detail
ORDER BY patient_key, subject, target;
