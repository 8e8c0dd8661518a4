// Plans whose CT, structure set and dose are all present
// view: table
// returns: patient_key, plan, label, n_structure_sets, n_ct_images, n_doses
// identifying: none
// param site: string = null   TreatmentSite of the plan, or BodyPartExamined of its CT, any case
// try: :param site => null
MATCH (p:RTPlan)
WHERE NOT p:Missing AND ($site IS NULL OR toLower(p.TreatmentSite) = toLower($site) OR EXISTS {
    MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:RTStruct)-[:REFERENCES]->(:CTImage)<-[:HAS_INSTANCE]-(c:Series)
    WHERE toLower(c.BodyPartExamined) = toLower($site)
  })
WITH p,
     COUNT { (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct) WHERE NOT s:Missing } AS n_structure_sets,
     COUNT {
       MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:RTStruct)-[r:REFERENCES]->(c:CTImage)
       WHERE r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE'] AND NOT c:Missing
       RETURN DISTINCT c
     } AS n_ct_images,
     COUNT {
       MATCH (p)-[r:REFERENCES]-(d:RTDose)
       WHERE r.role IN ['DOSE_PLAN', 'PLAN_DOSE', 'FRACTION_GROUP_DOSE', 'BEAM_DOSE'] AND NOT d:Missing
       RETURN DISTINCT d
     } AS n_doses
WHERE n_structure_sets > 0 AND n_ct_images > 0 AND n_doses > 0
  AND NOT EXISTS { (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct) WHERE s:Missing }
  AND NOT EXISTS {
    (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(:RTStruct)-[r:REFERENCES]->(m:Instance)
    WHERE r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE'] AND m:Missing
  }
RETURN COLLECT {
         MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p)
         RETURN DISTINCT k.patient_key AS key ORDER BY key
       }[0] AS patient_key,
       p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, n_structure_sets, n_ct_images, n_doses
ORDER BY patient_key, plan;
