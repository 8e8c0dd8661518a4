// A delivered beam or application setup exists in the plan the record references
// id: REC-01
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:RTRecord)-[:HAS_DELIVERY]->(d:BeamDelivery) MATCH (i)-[:REFERENCES {role: 'RECORD_PLAN'}]->(p:RTPlan) WHERE NOT p:Missing AND coalesce(d.ReferencedBeamNumber, d.ReferencedBrachyApplicationSetupNumber) IS NOT NULL AND coalesce(d.TreatmentDeliveryType, 'TREATMENT') <> 'SETUP' RETURN count(d) AS n
// identifying: none
// fix: Find the version of the plan that was delivered.
// source: PS3.3 C.8.8.21 (RT Beams Session Record Module: Referenced Beam Number), C.8.8.22 (RT Brachy Session Record Module)
// why: A delivery of a beam that the plan does not have was made with another version of the plan.
// not: Setup fields that were added at the machine are no finding.
MATCH (i:RTRecord)-[:HAS_DELIVERY]->(d:BeamDelivery)
MATCH (i)-[:REFERENCES {role: 'RECORD_PLAN'}]->(p:RTPlan)
WHERE NOT p:Missing AND coalesce(d.ReferencedBeamNumber, d.ReferencedBrachyApplicationSetupNumber) IS NOT NULL
  AND coalesce(d.TreatmentDeliveryType, 'TREATMENT') <> 'SETUP' AND NOT EXISTS { (d)-[:DELIVERY_OF]->(:Beam|ApplicationSetup) }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.key AS subject, p.SOPInstanceUID AS target,
       {beam: d.ReferencedBeamNumber, setup: d.ReferencedBrachyApplicationSetupNumber, name: d.BeamName} AS detail
ORDER BY patient_key, subject, target;
