// A beam of one fraction is recorded once unless the record is a continuation
// id: REC-08
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:BeamDelivery)-[:DELIVERY_OF]->(b:Beam) WHERE d.CurrentFractionNumber IS NOT NULL RETURN count(DISTINCT b) AS n
// identifying: none
// fix: Count the fraction once; sum the metersets.
// source: practice (PS3.3 C.8.8.21, RT Beams Session Record Module: Current Fraction Number, Treatment Delivery Type CONTINUATION)
// why: A beam that is recorded twice for one fraction is counted twice in the delivered dose.
// not: An interrupted beam that was taken up again is no finding: only deliveries that ended normally are counted, also where the second is not marked as CONTINUATION. Summary records hold no deliveries.
MATCH (p:RTPlan)-[:HAS_BEAM]->(b:Beam)<-[:DELIVERY_OF]-(d:BeamDelivery)
WHERE coalesce(d.TreatmentDeliveryType, 'TREATMENT') = 'TREATMENT' AND coalesce(d.TreatmentTerminationStatus, 'NORMAL') = 'NORMAL' AND d.CurrentFractionNumber IS NOT NULL
WITH p, b, d.CurrentFractionNumber AS fraction, d.key AS delivery ORDER BY delivery
WITH p, b, fraction, collect(delivery) AS deliveries
WHERE size(deliveries) > 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       b.key AS subject, toString(fraction) AS target,
       {n_deliveries: size(deliveries), deliveries: deliveries[..10]} AS detail
ORDER BY patient_key, subject, target;
