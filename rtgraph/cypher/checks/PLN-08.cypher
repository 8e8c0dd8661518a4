// Each treatment beam has a meterset greater than zero in every fraction group that uses it
// id: PLN-08
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:FractionGroup)-[r:INCLUDES_BEAM]->(b:Beam) WHERE coalesce(b.TreatmentDeliveryType, 'TREATMENT') = 'TREATMENT' RETURN count(r) AS n
// identifying: none
// fix: Use another export of the plan; the beam carries no dose.
// source: practice (PS3.3 C.8.8.13, RT Fraction Scheme Module: Beam Meterset; C.8.8.14, Treatment Delivery Type)
// why: A treatment beam without a meterset delivers nothing; its share of the dose is missing.
// not: Setup beams have no meterset and are not counted. A plan that says it is not approved may stand before optimisation: INFO.
MATCH (p:RTPlan)-[:HAS_FRACTION_GROUP]->(g:FractionGroup)-[r:INCLUDES_BEAM]->(b:Beam)
WHERE coalesce(b.TreatmentDeliveryType, 'TREATMENT') = 'TREATMENT' AND coalesce(r.BeamMeterset, 0.0) <= 0.0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       b.key AS subject, g.key AS target,
       CASE WHEN p.ApprovalStatus = 'UNAPPROVED' THEN 'INFO' ELSE 'WARNING' END AS severity,
       {beam: b.BeamName, meterset: r.BeamMeterset} AS detail
ORDER BY patient_key, subject, target;
