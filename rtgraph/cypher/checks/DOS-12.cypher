// The PLAN dose equals the sum of the BEAM doses
// id: DOS-12
// severity: warning
// confidence: heuristic
// level: pixel
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose {DoseSummationType: 'PLAN'}) WHERE d.beam_sum_max_diff_gy IS NOT NULL RETURN count(d) AS n
// identifying: none
// fix: Find out whether beam doses are per fraction or total, and from the same calculation.
// source: practice (PS3.3 C.8.8.3, RT Dose Module: Dose Summation Type); limits 1 percent of the maximum for 95 percent of the voxels, 3 percent for all
// why: Beam doses that do not add up to the plan dose are per fraction, or of another calculation.
// not: Beam doses on another grid, or for one fraction, differ without being wrong: it is a heuristic.
MATCH (d:RTDose {DoseSummationType: 'PLAN'})
WHERE d.beam_sum_p95_diff_gy > 0.01 * d.max_dose_gy OR d.beam_sum_max_diff_gy > 0.03 * d.max_dose_gy
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, null AS target,
       {max_diff_gy: d.beam_sum_max_diff_gy, p95_diff_gy: d.beam_sum_p95_diff_gy} AS detail
ORDER BY patient_key, subject, target;
