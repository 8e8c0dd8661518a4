// Plans with planned and delivered fractions, by their treatment records
// view: table
// returns: patient_key, plan, label, n_fractions_planned, n_fractions_delivered, n_records, first_treatment, last_treatment, complete
// identifying: none
// param at_least: integer = 1   fewest delivered fractions
// try: :param at_least => 1
MATCH (p:RTPlan)
CALL (p) {
  MATCH (p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(r:RTRecord)
  WHERE NOT r:Missing
  RETURN count(r) AS n_records, min(r.TreatmentDate) AS first_treatment, max(r.TreatmentDate) AS last_treatment
}
CALL (p) {
  MATCH (p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(:RTRecord)-[:HAS_DELIVERY]->(d:BeamDelivery)
  WHERE coalesce(d.TreatmentDeliveryType, 'TREATMENT') <> 'SETUP'
  RETURN count(DISTINCT d.CurrentFractionNumber) AS n_numbers
}
CALL (p) {
  MATCH (p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(r:RTRecord)
  WHERE r.TreatmentDate IS NOT NULL
  RETURN count(DISTINCT r.TreatmentDate) AS n_days
}
WITH p, n_records, first_treatment, last_treatment, CASE WHEN n_numbers > 0 THEN n_numbers ELSE n_days END AS n_delivered
WHERE n_delivered >= $at_least AND (NOT p:Missing OR n_records > 0)
RETURN COLLECT {
         UNWIND [p] + [(p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(r:RTRecord) | r] AS x
         MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(x)
         RETURN k.patient_key AS key ORDER BY key LIMIT 1
       }[0] AS patient_key,
       p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, p.n_fractions_planned AS n_fractions_planned, n_delivered AS n_fractions_delivered,
       n_records, first_treatment, last_treatment, n_delivered >= p.n_fractions_planned AS complete
ORDER BY patient_key, first_treatment, plan;
