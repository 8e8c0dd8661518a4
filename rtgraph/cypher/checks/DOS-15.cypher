// The dose maximum is plausible: not zero, in Gy, between half and twice the prescription
// id: DOS-15
// severity: warning
// confidence: heuristic
// level: pixel
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose {DoseSummationType: 'PLAN'}) WHERE d.max_dose_gy IS NOT NULL RETURN count(d) AS n
// identifying: none
// fix: Find out what the grid means before using it.
// source: practice (PS3.3 C.8.8.3, RT Dose Module: Dose Units, Dose Type, Dose Grid Scaling)
// why: A maximum of zero, in percent, or far from the prescription is a dose of one fraction, a wrong scaling, or something else than a dose.
// not: Effective dose of ion plans is normal, and a dose of type ERROR is a difference of two doses: neither is reported. Stereotactic maxima reach 1.5 times the prescription and more; the limit is twice.
MATCH (d:RTDose {DoseSummationType: 'PLAN'})
WHERE coalesce(d.DoseType, 'PHYSICAL') <> 'ERROR'
OPTIONAL MATCH (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan)
WITH d, p, p.prescription_dose_gy AS rx, coalesce(p:RTIonPlan, false) AS ion
WHERE d.max_dose_gy IS NOT NULL AND (d.max_dose_gy = 0.0 OR d.max_dose_gy < 0.5 * rx OR d.max_dose_gy > 2.0 * rx OR d.DoseUnits <> 'GY' OR (d.DoseType <> 'PHYSICAL' AND NOT ion))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, p.SOPInstanceUID AS target,
       {max_gy: d.max_dose_gy, prescription_gy: rx, units: d.DoseUnits, type: d.DoseType} AS detail
ORDER BY patient_key, subject, target;
