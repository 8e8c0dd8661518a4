// A series has one frame of reference
// id: FOR-04
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (s:Series {layer: 0})-[:IN_FRAME {source: 'MODULE'}]->(:FrameOfReference) RETURN count(DISTINCT s) AS n
// identifying: none
// fix: Treat each frame as its own stack.
// source: PS3.3 C.7.4.1.1.1 (Frame of Reference UID: all images of a series share one)
// why: Slices of two frames sorted into one stack make a volume that never was.
// not: RT series may collect plans and doses of several courses: only images are looked at. A series in which each frame has an acquisition of its own, as in whole-body scans of several stations, is INFO.
MATCH (s:Series {layer: 0})-[:IN_FRAME {source: 'MODULE'}]->(f:FrameOfReference)
WITH s, f.FrameOfReferenceUID AS frame ORDER BY frame
WITH s, collect(DISTINCT frame) AS frames
WHERE size(frames) > 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       CASE WHEN s.n_acquisition_numbers >= size(frames) THEN 'INFO' ELSE 'WARNING' END AS severity,
       {modality: s.Modality, n_frames: size(frames), frames: frames[..10]} AS detail
ORDER BY patient_key, subject, target;
