// The number of referenced plans fits DoseSummationType
// id: DOS-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose) WHERE d.DoseSummationType IS NOT NULL RETURN count(d) AS n
// identifying: none
// fix: Do not guess the plan; use the frame and the dose comment to find it.
// source: PS3.3 C.8.8.3 (RT Dose Module, Table C.8-39: Dose Summation Type, Referenced RT Plan Sequence)
MATCH (d:RTDose)
WHERE d.DoseSummationType IS NOT NULL
WITH d, COUNT { (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:Instance) } AS np, COUNT { (d)-[:REFERENCES {role: 'DOSE_RECORD'}]->(:Instance) } AS nr
WHERE (d.DoseSummationType IN ['PLAN', 'FRACTION', 'BEAM', 'BRACHY', 'FRACTION_SESSION', 'BEAM_SESSION', 'BRACHY_SESSION', 'CONTROL_POINT'] AND np <> 1)
   OR (d.DoseSummationType = 'MULTI_PLAN' AND np < 2) OR (d.DoseSummationType = 'RECORD' AND nr < 1)
RETURN head([(pt:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->()-[:HAS_INSTANCE]->(d) | pt.patient_key]) AS patient_key, d.SOPInstanceUID AS subject, null AS target, {type: d.DoseSummationType, plans: np, records: nr} AS detail
ORDER BY patient_key, subject, target;
