// The plans of a patient as courses: planned and delivered fractions, and what each plan follows
// view: table
// returns: patient_key, course, plan, label, intent, approval, technique, plan_datetime, prescription_gy, fractions_planned, fractions_delivered, n_records, first_treatment, last_treatment, predecessors, priors, concurrent, plan_missing
// identifying: none
// param patient: string   patient_key
// try: :param patient => head(COLLECT { MATCH (p:Patient) RETURN p.patient_key ORDER BY p.patient_key LIMIT 1 })
MATCH (k:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(x:RTPlan|RTRecord)
MATCH (x)-[link:REFERENCES*0..1]->(p:RTPlan)
WHERE all(r IN link WHERE r.role IN ['PREDECESSOR_PLAN', 'PRIOR_PLAN', 'CONCURRENT_PLAN', 'RECORD_PLAN'])
WITH DISTINCT k, p
MATCH ANY SHORTEST (p)(()-[r:REFERENCES WHERE r.role IN ['PREDECESSOR_PLAN', 'PRIOR_PLAN', 'CONCURRENT_PLAN', 'RECORD_PLAN', 'RELATED_RECORD']]-())*(q:RTPlan)
WITH k, p, min(q.SOPInstanceUID) AS course
WITH k, p, course, COLLECT { MATCH (p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(t:RTRecord) WHERE NOT t:Missing RETURN t } AS records
WITH k, p, course, records,
     COLLECT { UNWIND records AS t MATCH (t)-[:HAS_DELIVERY]->(d:BeamDelivery) WHERE d.CurrentFractionNumber > 0 AND coalesce(d.TreatmentDeliveryType, 'TREATMENT') IN ['TREATMENT', 'CONTINUATION'] RETURN DISTINCT d.CurrentFractionNumber } AS fractions,
     COLLECT { UNWIND records AS t WITH t.treatment_datetime AS at WHERE at IS NOT NULL RETURN at ORDER BY at } AS times
RETURN k.patient_key AS patient_key, course, p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, p.PlanIntent AS intent,
       p.ApprovalStatus AS approval, p.technique AS technique, p.plan_datetime AS plan_datetime,
       p.prescription_dose_gy AS prescription_gy, p.n_fractions_planned AS fractions_planned,
       size(fractions) AS fractions_delivered, size(records) AS n_records, times[0] AS first_treatment, times[-1] AS last_treatment,
       COLLECT { MATCH (p)-[:REFERENCES {role: 'PREDECESSOR_PLAN'}]->(q:RTPlan) RETURN q.SOPInstanceUID AS u ORDER BY u } AS predecessors,
       COLLECT { MATCH (p)-[:REFERENCES {role: 'PRIOR_PLAN'}]->(q:RTPlan) RETURN q.SOPInstanceUID AS u ORDER BY u } AS priors,
       COLLECT { MATCH (p)-[:REFERENCES {role: 'CONCURRENT_PLAN'}]-(q:RTPlan) RETURN DISTINCT q.SOPInstanceUID AS u ORDER BY u } AS concurrent,
       p:Missing AS plan_missing
ORDER BY course, plan_datetime, plan;
