// PatientPosition agrees with ImageOrientationPatient
// id: IMG-07
// severity: warning
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (s:Series {layer: 0}) WHERE s.position_conflict IS NOT NULL RETURN count(s) AS n
// identifying: none
// fix: Trust the orientation vectors; check the laterality markers.
// source: practice (PS3.3 C.7.3.1.1.2, Patient Position; C.7.6.2.1.1, Image Orientation)
// why: Head first read as feet first turns left into right.
// not: Consoles rotate and flip reconstructions, and reformatted or resampled images have other axes: it is a heuristic, for original axial images only.
MATCH (s:Series {layer: 0})
WHERE s.position_conflict
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       {position: s.PatientPosition, orientation: s.ImageOrientationPatient} AS detail
ORDER BY patient_key, subject, target;
