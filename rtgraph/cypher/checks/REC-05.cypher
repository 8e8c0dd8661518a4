// The machine that delivered a beam is the machine planned
// id: REC-05
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:BeamDelivery)-[:DELIVERY_OF]->(b:Beam) WHERE d.TreatmentMachineName IS NOT NULL AND b.TreatmentMachineName IS NOT NULL RETURN count(*) AS n
// identifying: none
// fix: Nothing to repair; note for machine statistics.
// source: practice (PS3.3 C.8.8.14, Treatment Machine Name; C.8.8.18, RT Treatment Machine Record Module)
// why: Another machine than planned is allowed for matched machines only.
// not: Names that differ in case or blanks are the same. Matched machines and aliases cannot be known here and are reported.
MATCH (i:RTRecord)-[:HAS_DELIVERY]->(d:BeamDelivery)-[:DELIVERY_OF]->(b:Beam)
WHERE toLower(trim(d.TreatmentMachineName)) <> toLower(trim(b.TreatmentMachineName))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.key AS subject, b.key AS target,
       {delivered: d.TreatmentMachineName, planned: b.TreatmentMachineName} AS detail
ORDER BY patient_key, subject, target;
