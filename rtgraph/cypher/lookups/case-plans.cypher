// Plans with what a case needs of them: structure set, fractions, beams, relations
// view: table
// returns: patient_key, plan, plan_missing, label, site, protocols, plan_datetime, prescription_gy, fractions_planned, fractions_delivered, beams, groups, related, structure_sets, structure_sets_missing, structure_sets_foreign
// identifying: none
// param plans: list of string   SOPInstanceUIDs
// try: :param plans => COLLECT { MATCH (p:RTPlan) RETURN p.SOPInstanceUID ORDER BY p.SOPInstanceUID LIMIT 5 }
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p:RTPlan)
WHERE p.SOPInstanceUID IN $plans
WITH DISTINCT k, p,
     COLLECT { MATCH (p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(t:RTRecord)-[:HAS_DELIVERY]->(d:BeamDelivery)
               WHERE NOT t:Missing AND d.CurrentFractionNumber > 0 AND coalesce(d.TreatmentDeliveryType, 'TREATMENT') IN ['TREATMENT', 'CONTINUATION']
               RETURN DISTINCT d.CurrentFractionNumber } AS fractions,
     COUNT { (p)<-[:REFERENCES {role: 'RECORD_PLAN'}]-(t:RTRecord) WHERE NOT t:Missing } AS n_records
RETURN k.patient_key AS patient_key, p.SOPInstanceUID AS plan, p:Missing AS plan_missing, p.RTPlanLabel AS label,
       p.TreatmentSite AS site, p.TreatmentProtocols AS protocols, p.plan_datetime AS plan_datetime,
       p.prescription_dose_gy AS prescription_gy, p.n_fractions_planned AS fractions_planned,
       CASE WHEN n_records > 0 THEN size(fractions) END AS fractions_delivered,
       COLLECT { MATCH (p)-[:HAS_BEAM]->(b:Beam) WHERE b.BeamNumber IS NOT NULL AND coalesce(b.TreatmentDeliveryType, 'TREATMENT') = 'TREATMENT'
                 RETURN b.BeamNumber AS n ORDER BY n } AS beams,
       COLLECT { MATCH (p)-[:HAS_FRACTION_GROUP]->(g:FractionGroup) WHERE g.FractionGroupNumber IS NOT NULL
                 RETURN g.FractionGroupNumber AS n ORDER BY n } AS groups,
       COLLECT { MATCH (p)-[r:REFERENCES]-(q:RTPlan) WHERE r.role IN ['PREDECESSOR_PLAN', 'PRIOR_PLAN', 'CONCURRENT_PLAN'] AND q <> p
                 RETURN DISTINCT q.SOPInstanceUID AS u ORDER BY u } AS related,
       COLLECT { MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:Instance)
                 RETURN DISTINCT s.SOPInstanceUID AS u ORDER BY u } AS structure_sets,
       COLLECT { MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:Missing)
                 RETURN DISTINCT s.SOPInstanceUID AS u ORDER BY u } AS structure_sets_missing,
       COLLECT { MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:Instance)
                 WHERE NOT s:Missing AND NOT EXISTS { (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(s) }
                 RETURN DISTINCT s.SOPInstanceUID AS u ORDER BY u } AS structure_sets_foreign
ORDER BY patient_key, plan;
