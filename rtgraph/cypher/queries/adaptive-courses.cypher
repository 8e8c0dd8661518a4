// Patients with several plans one after another: replans and their images
// view: table
// returns: patient_key, n_plans, plans, labels, first_plan, last_plan, n_image_series, n_registrations, stated
// identifying: none
// param at_least: integer = 2   fewest plans
// try: :param at_least => 2
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p:RTPlan)
WHERE NOT p:Missing AND coalesce(p.RTPlanGeometry, 'PATIENT') = 'PATIENT'
WITH DISTINCT k, p ORDER BY p.plan_datetime, p.SOPInstanceUID
WITH k, collect(p) AS all_plans
WHERE size(all_plans) >= $at_least
WITH k, all_plans, COLLECT {
  MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(q:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:RTStruct)-[:REFERENCES]->(:Image)<-[:HAS_INSTANCE]-(s:Series)
  RETURN DISTINCT s.SeriesInstanceUID AS series
} AS images
RETURN k.patient_key AS patient_key, size(all_plans) AS n_plans, [p IN all_plans | p.SOPInstanceUID] AS plans,
       [p IN all_plans | coalesce(p.RTPlanLabel, '')] AS labels, head(all_plans).plan_datetime AS first_plan, last(all_plans).plan_datetime AS last_plan,
       size(images) AS n_image_series,
       COUNT {
         MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(g:Registration)
         WHERE NOT g:Missing
         RETURN DISTINCT g
       } AS n_registrations,
       EXISTS {
         MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(:RTPlan)-[r:REFERENCES]->(:RTPlan)
         WHERE r.role IN ['PREDECESSOR_PLAN', 'PRIOR_PLAN', 'ALTERNATIVE_PLAN']
       } AS stated
ORDER BY patient_key;
