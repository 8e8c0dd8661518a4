// InstanceNumber runs without gaps
// id: IMG-10
// severity: info
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (s:Series {layer: 0}) WHERE s.n_number_gaps IS NOT NULL RETURN count(s) AS n
// identifying: none
// fix: Compare with IMG-04 and HIE-09.
// source: practice (PS3.3 C.7.6.1, General Image Module: Instance Number)
// why: A number that is left out may be an image that did not arrive.
// not: Some scanners number over several series, or by a convention of their own: it is a heuristic and INFO.
MATCH (s:Series {layer: 0})
WHERE s.n_number_gaps > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       {gaps: s.n_number_gaps, instances: s.n_instances} AS detail
ORDER BY patient_key, subject, target;
