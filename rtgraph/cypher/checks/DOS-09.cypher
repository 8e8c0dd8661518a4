// BEAM doses cover all treatment beams of the plan when they are used
// id: DOS-09
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:RTPlan) WHERE EXISTS { (:RTDose {DoseSummationType: 'BEAM'})-[:REFERENCES {role: 'DOSE_PLAN'}]->(p) } RETURN count(p) AS n
// identifying: none
// fix: Export the missing beam doses before summing.
// source: practice (PS3.3 C.8.8.3, RT Dose Module: Dose Summation Type BEAM, Referenced Beam Number)
// why: The sum of the beam doses that are there is less than the dose of the plan.
// not: When a beam dose does not say of which beam it is, nothing is said here; DOS-02 tells of beams that do not exist. Setup beams are not counted.
MATCH (p:RTPlan)
WHERE EXISTS { (:RTDose {DoseSummationType: 'BEAM'})-[:REFERENCES {role: 'DOSE_PLAN'}]->(p) }
  AND NOT EXISTS { (x:RTDose {DoseSummationType: 'BEAM'})-[:REFERENCES {role: 'DOSE_PLAN'}]->(p) WHERE NOT EXISTS { (x)-[:DOSE_OF]->(:Beam) } }
MATCH (p)-[:HAS_BEAM]->(b:Beam)
WHERE coalesce(b.TreatmentDeliveryType, 'TREATMENT') = 'TREATMENT' AND NOT EXISTS { (:RTDose {DoseSummationType: 'BEAM'})-[:DOSE_OF]->(b) }
WITH p, b.BeamNumber AS number ORDER BY number
WITH p, collect(number) AS uncovered
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, null AS target,
       {uncovered: uncovered} AS detail
ORDER BY patient_key, subject, target;
