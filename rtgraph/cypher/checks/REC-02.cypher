// A fraction number is between 1 and the number of fractions planned
// id: REC-02
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:BeamDelivery)-[:DELIVERY_OF]->(:Beam|ApplicationSetup)<-[:INCLUDES_BEAM|INCLUDES_SETUP]-(:FractionGroup) WHERE d.CurrentFractionNumber IS NOT NULL RETURN count(DISTINCT d) AS n
// identifying: none
// fix: Check for a plan change or an extra fraction.
// source: practice (PS3.3 C.8.8.21, RT Beams Session Record Module: Current Fraction Number; C.8.8.13, Number of Fractions Planned)
// why: A fraction beyond the last planned one is an extra fraction, or a change of plan that was not recorded.
// not: Number 0 for a setup is no finding. Extra fractions are reported: someone decided on them.
MATCH (i:RTRecord)-[:HAS_DELIVERY]->(d:BeamDelivery)-[:DELIVERY_OF]->(:Beam|ApplicationSetup)<-[:INCLUDES_BEAM|INCLUDES_SETUP]-(g:FractionGroup)
WITH i, d, max(g.NumberOfFractionsPlanned) AS planned
WHERE d.CurrentFractionNumber > planned OR (d.CurrentFractionNumber < 1 AND coalesce(d.TreatmentDeliveryType, 'TREATMENT') <> 'SETUP')
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.key AS subject, null AS target,
       {fraction: d.CurrentFractionNumber, planned: planned} AS detail
ORDER BY patient_key, subject, target;
