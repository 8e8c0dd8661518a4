// Plans by their approval status, with that of their structure sets
// view: table
// returns: patient_key, plan, label, approval, review_date, structure_set_approval, n_doses
// identifying: none
// param status: list of string = APPROVED   APPROVED, UNAPPROVED, REJECTED, or NONE for plans without a status
// try: :param status => ['APPROVED']
MATCH (p:RTPlan)
WHERE NOT p:Missing AND coalesce(p.ApprovalStatus, 'NONE') IN [s IN $status | toUpper(s)]
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, coalesce(p.ApprovalStatus, 'NONE') AS approval, p.ReviewDate AS review_date,
       COLLECT {
         MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(i:RTStruct) WHERE NOT i:Missing
         RETURN DISTINCT coalesce(i.ApprovalStatus, 'NONE') AS s ORDER BY s
       } AS structure_set_approval,
       COUNT { MATCH (d:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p) WHERE NOT d:Missing RETURN DISTINCT d } AS n_doses
ORDER BY approval, patient_key, plan;
