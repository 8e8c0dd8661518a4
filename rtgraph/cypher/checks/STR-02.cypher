// ROI numbers are unique in a structure set
// id: STR-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:RTStruct) WHERE NOT i:Missing RETURN count(i) AS n
// identifying: none
// fix: Export again; contours cannot be assigned safely.
// source: PS3.3 C.8.8.5 (Structure Set Module: ROI Number is unique in the structure set)
// why: Contours, observations and prescriptions are joined to an ROI by its number; with two of one number they may go to the wrong organ.
// not: None known.
MATCH (i:RTStruct)
WHERE size(i.duplicate_roi_numbers) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, null AS target,
       {numbers: i.duplicate_roi_numbers} AS detail
ORDER BY patient_key, subject, target;
