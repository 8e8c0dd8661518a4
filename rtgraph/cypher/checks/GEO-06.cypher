// The stored ROI volume agrees with the contours
// id: GEO-06
// severity: warning
// confidence: heuristic
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.ROIVolume > 0 AND roi.volume_xor_cc IS NOT NULL RETURN count(roi) AS n
// identifying: none
// fix: Look for missing contours (GEO-07) and the hole convention (GEO-05).
// source: practice (PS3.3 C.8.8.5, Structure Set Module: ROI Volume, in cubic centimetres)
// why: A stored volume that the contours do not have tells of lost contours or of another reading of holes.
// not: Planning systems cap the ends and interpolate; small structures differ by that alone: only differences of more than 10 percent and 1 cc count.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.ROIVolume > 0 AND all(v IN [roi.volume_xor_cc, roi.volume_union_cc] WHERE abs(roi.ROIVolume - v) > 0.1 * roi.ROIVolume AND abs(roi.ROIVolume - v) > 1.0)
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, null AS target,
       {roi: roi.ROIName, stored_cc: roi.ROIVolume, xor_cc: roi.volume_xor_cc, union_cc: roi.volume_union_cc} AS detail
ORDER BY patient_key, subject, target;
