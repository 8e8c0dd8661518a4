// The side in an ROI name agrees with its position
// id: STR-11
// severity: warning
// confidence: heuristic
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.side_in_name IS NOT NULL AND roi.side_in_space IS NOT NULL RETURN count(roi) AS n
// identifying: none
// fix: Look at the contour; correct the name at the source.
// source: practice: AAPM TG-263 (laterality suffix); side of the centroid against that of the body contour
// why: Left and right mixed up is a classic cause of harm; the name and the place must agree.
// not: Organs near the midline have no side in space and are not compared. Situs inversus, and L or R as an abbreviation of something else, are reported.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.side_in_name <> roi.side_in_space
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       {roi: roi.ROIName, name: roi.side_in_name, space: roi.side_in_space} AS detail
ORDER BY patient_key, subject, target;
