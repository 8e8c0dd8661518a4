// Dose units are GY, or the relative dose states its normalisation
// id: DOS-03
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:RTDose) WHERE NOT i:Missing RETURN count(i) AS n
// identifying: comment
// fix: Scale by the prescription only after a human decision.
// source: practice (PS3.3 C.8.8.3, RT Dose Module: Dose Units, Normalization Point)
// why: Percent of an unknown value is no dose.
// not: Old planning systems write relative dose by default; what 100 percent means still has to be found out.
MATCH (d:RTDose)
WHERE d.DoseUnits = 'RELATIVE' AND d.NormalizationPoint IS NULL
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, null AS target,
       {units: d.DoseUnits, type: d.DoseType, comment: d.DoseComment} AS detail
ORDER BY patient_key, subject, target;
