// A plan has at most one PLAN dose of each dose type
// id: DOS-08
// severity: info
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, type
// population: MATCH (:RTDose {DoseSummationType: 'PLAN'})-[:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan) RETURN count(DISTINCT p) AS n
// identifying: none
// fix: Never sum them; choose by grid, date or algorithm.
// source: practice (PS3.3 C.8.8.3, RT Dose Module: Dose Summation Type PLAN is the whole plan)
// why: Summing or averaging over all doses of a plan counts its dose twice.
// not: Recalculations with another algorithm or grid and robust scenarios are normal: that is why it is INFO.
MATCH (d:RTDose {DoseSummationType: 'PLAN'})-[:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan)
WITH p, d.DoseType AS type, d.SOPInstanceUID AS dose ORDER BY dose
WITH p, type, collect(dose) AS doses
WHERE size(doses) > 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, null AS target,
       {type: type, n_doses: size(doses), doses: doses[..10]} AS detail
ORDER BY patient_key, subject, target;
