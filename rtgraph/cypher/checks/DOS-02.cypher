// Beams, fraction groups and application setups a dose names exist in its plan
// id: DOS-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose) WHERE d.unresolved_sub_refs IS NOT NULL RETURN count(d) AS n
// identifying: none
// fix: Check whether the dose belongs to another version of the plan.
// source: PS3.3 C.8.8.3 (RT Dose Module: Referenced Fraction Group Sequence, Referenced Beam Sequence, Referenced Brachy Application Setup Sequence)
// why: A beam dose of a beam that the plan does not have was calculated for another version of the plan.
// not: None known. When the plan is missing nothing is said.
MATCH (d:RTDose)
WHERE size(d.unresolved_sub_refs) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, null AS target,
       {unresolved: d.unresolved_sub_refs} AS detail
ORDER BY patient_key, subject, target;
