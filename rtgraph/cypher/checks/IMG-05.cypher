// A volume series holds no localizer image
// id: IMG-05
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (s:Series {layer: 0}) WHERE s.n_localizers IS NOT NULL RETURN count(s) AS n
// identifying: none
// fix: Leave the localizers out of the volume.
// source: practice (PS3.3 C.8.2.1.1.1, Image Type value 3 LOCALIZER)
// why: A localizer among the slices is taken for one of them when the volume is built.
// not: None known.
MATCH (s:Series {layer: 0})
WHERE s.n_localizers > 0 AND s.n_localizers < s.n_instances
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       {localizers: s.n_localizers, instances: s.n_instances} AS detail
ORDER BY patient_key, subject, target;
