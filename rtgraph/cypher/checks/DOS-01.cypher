// The number of referenced plans fits DoseSummationType
// id: DOS-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (d:RTDose) WHERE d.DoseSummationType IS NOT NULL RETURN count(d) AS n
// identifying: none
// fix: Do not guess the plan; use the frame and the dose comment to find it.
// source: PS3.3 C.8.8.3 (RT Dose Module, Table C.8-39: Dose Summation Type, Referenced RT Plan Sequence)
// why: The summation type says of how many plans the dose is; with another number of references it is not known what was summed.
// not: A sum of registration software that names no plan at all is a warning. PLAN_OVERVIEW is not looked at.
MATCH (d:RTDose)
WHERE d.DoseSummationType IS NOT NULL
WITH d, COUNT { (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:Instance) } AS np, COUNT { (d)-[:REFERENCES {role: 'DOSE_RECORD'}]->(:Instance) } AS nr
WHERE (d.DoseSummationType IN ['PLAN', 'FRACTION', 'BEAM', 'BRACHY', 'FRACTION_SESSION', 'BEAM_SESSION', 'BRACHY_SESSION', 'CONTROL_POINT'] AND np <> 1)
   OR (d.DoseSummationType = 'MULTI_PLAN' AND np < 2) OR (d.DoseSummationType = 'RECORD' AND nr < 1)
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, null AS target,
       CASE WHEN d.DoseSummationType = 'MULTI_PLAN' AND np = 0 THEN 'WARNING' ELSE 'ERROR' END AS severity,
       {type: d.DoseSummationType, plans: np, records: nr} AS detail
ORDER BY patient_key, subject, target;
