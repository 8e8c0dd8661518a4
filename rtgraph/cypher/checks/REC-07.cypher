// Normally terminated beams deliver the planned meterset within 2 percent
// id: REC-07
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (d:BeamDelivery)-[:DELIVERY_OF]->(:Beam)<-[r:INCLUDES_BEAM]-(:FractionGroup) WHERE d.TreatmentTerminationStatus = 'NORMAL' AND coalesce(d.TreatmentDeliveryType, 'TREATMENT') = 'TREATMENT' AND r.BeamMeterset > 0 AND d.DeliveredPrimaryMeterset IS NOT NULL RETURN count(DISTINCT d) AS n
// identifying: none
// fix: Look for the continuation record.
// source: practice (PS3.3 C.8.8.21, RT Beams Session Record Module: Delivered Primary Meterset, Treatment Termination Status); limit 2 percent
// why: A beam that ended normally and delivered another meterset than planned gave another dose.
// not: A delivery that agrees with the meterset that was specified for it, and not with the plan, is INFO: the plan was edited between fractions, or the units differ.
MATCH (i:RTRecord)-[:HAS_DELIVERY]->(d:BeamDelivery)-[:DELIVERY_OF]->(b:Beam)<-[r:INCLUDES_BEAM]-(:FractionGroup)
WHERE d.TreatmentTerminationStatus = 'NORMAL' AND coalesce(d.TreatmentDeliveryType, 'TREATMENT') = 'TREATMENT' AND r.BeamMeterset > 0
WITH i, d, b, r.BeamMeterset AS meterset ORDER BY meterset
WITH i, d, b, collect(meterset) AS planned
WHERE d.DeliveredPrimaryMeterset IS NOT NULL AND none(m IN planned WHERE abs(d.DeliveredPrimaryMeterset - m) <= 0.02 * m)
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.key AS subject, b.key AS target,
       CASE WHEN abs(d.DeliveredPrimaryMeterset - d.SpecifiedPrimaryMeterset) <= 0.02 * d.SpecifiedPrimaryMeterset THEN 'INFO' ELSE 'WARNING' END AS severity,
       {delivered: d.DeliveredPrimaryMeterset, specified: d.SpecifiedPrimaryMeterset, planned: planned} AS detail
ORDER BY patient_key, subject, target;
