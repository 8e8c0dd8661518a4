// The stored DVH agrees with the computed one
// id: DOS-16
// severity: warning
// confidence: heuristic
// level: pixel
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (v:DVH) WHERE v.computed_max_gy IS NOT NULL RETURN count(v) AS n
// identifying: none
// fix: Apply DVHDoseScaling; check the structure set (DOS-05).
// source: practice (PS3.3 C.8.8.4, RT DVH Module); limits 3 percent of the dose or 2 Gy, 10 percent of the volume and 1 cc
// why: A stored DVH that differs from the dose in the contours was made with other contours, another dose or another scaling.
// not: Structures below 1 cc, and doses that differ by half a gray or less, are not compared: single voxels and the interpolation decide there.
MATCH (d:RTDose)-[:HAS_DVH]->(v:DVH)
WHERE v.DoseUnits = 'GY' AND v.computed_volume_cc >= 1.0
  AND (any(x IN [[v.DVHMaximumDose, v.computed_max_gy], [v.DVHMeanDose, v.computed_mean_gy]] WHERE (abs(x[0] - x[1]) > 0.03 * x[1] AND abs(x[0] - x[1]) > 0.5) OR abs(x[0] - x[1]) > 2.0)
   OR (abs(v.stored_volume_cc - v.computed_volume_cc) > 0.1 * v.computed_volume_cc AND abs(v.stored_volume_cc - v.computed_volume_cc) > 1.0))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       v.key AS subject, null AS target,
       {stored: [v.DVHMaximumDose, v.DVHMeanDose, v.stored_volume_cc], computed: [v.computed_max_gy, v.computed_mean_gy, v.computed_volume_cc]} AS detail
ORDER BY patient_key, subject, target;
