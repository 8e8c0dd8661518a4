// Decimal strings of RT objects have at most 16 characters
// id: VAL-04
// severity: warning
// confidence: fact
// level: geometry
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:Instance) WHERE i.n_long_decimals IS NOT NULL RETURN count(i) AS n
// identifying: none
// fix: Round when exporting; some planning systems refuse such files.
// source: PS3.5 6.2 (Table 6.2-1, DS: 16 bytes maximum)
// why: Some planning systems refuse a number that is longer than the Standard allows, and with it the whole object.
// not: None known: the values are read as they are written.
MATCH (i:Instance)
WHERE i.n_long_decimals > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, null AS target,
       {values: i.n_long_decimals, modality: i.Modality} AS detail
ORDER BY patient_key, subject, target;
