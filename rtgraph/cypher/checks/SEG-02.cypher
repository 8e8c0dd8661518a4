// Segment numbers start at 1 and increase by 1 (label maps excepted)
// id: SEG-02
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:Segmentation) WHERE NOT i:Missing AND coalesce(i.SegmentationType, '') <> 'LABELMAP' AND i.SOPClassUID <> '1.2.840.10008.5.1.4.1.1.66.7' RETURN count(i) AS n
// identifying: none
// fix: Use the numbers as they are.
// source: PS3.3 C.8.20.2 (Segmentation Image Module: Segment Number starts at 1 and increases by 1)
// why: Readers that count through the segments miss those behind a hole in the numbers.
// not: Label maps use their numbers as voxel values and may leave some out.
MATCH (i:Segmentation)-[:HAS_SEGMENT]->(g:Segment)
WHERE coalesce(i.SegmentationType, '') <> 'LABELMAP' AND i.SOPClassUID <> '1.2.840.10008.5.1.4.1.1.66.7'
WITH i, count(g) AS n, min(g.SegmentNumber) AS lo, max(g.SegmentNumber) AS hi
WHERE lo <> 1 OR hi <> n
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, null AS target,
       {segments: n, lowest: lo, highest: hi} AS detail
ORDER BY patient_key, subject, target;
