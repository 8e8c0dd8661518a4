// DVHs use the structure set of the plan, and their ROIs exist
// id: DOS-05
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (d:RTDose) WHERE d.n_dvh > 0 RETURN count(d) AS n
// identifying: none
// fix: Recompute DVHs from dose and structure set.
// source: PS3.3 C.8.8.4 (RT DVH Module: Referenced Structure Set Sequence, DVH Referenced ROI Sequence)
// why: A DVH of contours that are not those of the plan cannot be compared with its prescription.
// not: DVHs on a structure set that was made from that of the plan, or from which it was made, are INFO. A reference without any DVH is no finding.
CALL () {
  MATCH (d:RTDose)-[:REFERENCES {role: 'DVH_STRUCTURE_SET'}]->(s:Instance), (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(t:Instance)
  WHERE d.n_dvh > 0
  WITH d, s, collect(DISTINCT t) AS planned
  WHERE NOT s IN planned
  RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
         d.SOPInstanceUID AS subject, s.SOPInstanceUID AS target,
         CASE WHEN any(t IN planned WHERE EXISTS { (s)-[:REFERENCES {role: 'PREDECESSOR_STRUCTURE_SET'}]-(t) }) THEN 'INFO' ELSE 'WARNING' END AS severity,
         {problem: 'other structure set', planned: [t IN planned | t.SOPInstanceUID]} AS detail
  UNION ALL
  MATCH (d:RTDose)-[:HAS_DVH]->(v:DVH)
  WHERE size(v.unresolved_roi_numbers) > 0
  RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
         v.key AS subject, null AS target, 'WARNING' AS severity,
         {problem: 'unknown ROI', roi_numbers: v.unresolved_roi_numbers} AS detail
}
RETURN patient_key, subject, target, severity, detail
ORDER BY patient_key, subject, target;
