// DoseSummationType is a defined term
// id: DOS-13
// severity: error
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose) WHERE d.DoseSummationType IS NOT NULL RETURN count(d) AS n
// identifying: none
// fix: Treat as unknown; do not sum.
// source: PS3.3 C.8.8.3 (RT Dose Module: Dose Summation Type, enumerated values)
// why: A reader that does not know the term cannot tell a whole plan from a beam.
// not: A term that is newer than the list is reported; the list then has to be brought up to date.
MATCH (d:RTDose)
WHERE NOT d.DoseSummationType IN ['PLAN', 'MULTI_PLAN', 'PLAN_OVERVIEW', 'FRACTION', 'BEAM', 'BRACHY', 'FRACTION_SESSION', 'BEAM_SESSION', 'BRACHY_SESSION', 'CONTROL_POINT', 'RECORD']
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, null AS target,
       {type: d.DoseSummationType} AS detail
ORDER BY patient_key, subject, target;
