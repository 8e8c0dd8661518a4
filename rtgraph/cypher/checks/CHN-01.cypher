// RT objects are part of a chain: structure set with image, plan with structure set and dose, dose with plan, record and RT image with plan
// id: CHN-01
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (x:RTStruct|RTPlan|RTDose|RTRecord|RTImage) WHERE NOT x:Missing RETURN count(x) AS n
// identifying: none
// fix: Retrieve the rest of the chain; detail.orphan marks objects without any link.
// source: practice: IHE-RO BRTO-II (CT, structure set, plan and dose of one planning geometry)
// why: A data set for research or audit needs image, structures, plan and dose that belong together; a gap shows what an export left out.
// not: Plans for verification need neither structure set nor dose, plans with the geometry of the treatment device no structure set. A structure set of diagnosis needs its image only.
MATCH (x:RTStruct|RTPlan|RTDose|RTRecord|RTImage)
WHERE NOT x:Missing
WITH x, x:RTPlan AND NOT (x.PlanIntent IN ['VERIFICATION', 'MACHINE_QA'] OR EXISTS { (x)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) }) AS plan
WITH x, [gap IN [
  CASE WHEN x:RTStruct AND NOT EXISTS { (x)-[r:REFERENCES]->(b:Instance) WHERE r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE'] AND NOT b:Missing } THEN 'no image' END,
  CASE WHEN plan AND coalesce(x.RTPlanGeometry, 'PATIENT') <> 'TREATMENT_DEVICE'
    AND NOT EXISTS { (x)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(b:Instance) WHERE NOT b:Missing } THEN 'no structure set' END,
  CASE WHEN plan AND NOT EXISTS { (x)-[r:REFERENCES]-(d:RTDose) WHERE r.role IN ['DOSE_PLAN', 'PLAN_DOSE', 'FRACTION_GROUP_DOSE', 'BEAM_DOSE'] AND NOT d:Missing } THEN 'no dose' END,
  CASE WHEN x:RTDose AND NOT EXISTS { (x)-[r:REFERENCES]-(b:RTPlan) WHERE r.role IN ['DOSE_PLAN', 'PLAN_DOSE', 'FRACTION_GROUP_DOSE', 'BEAM_DOSE'] AND NOT b:Missing } THEN 'no plan' END,
  CASE WHEN (x:RTRecord OR x:RTImage) AND NOT EXISTS { (x)-[r:REFERENCES]->(b:Instance) WHERE r.role IN ['RECORD_PLAN', 'RTIMAGE_PLAN'] AND NOT b:Missing } THEN 'no plan' END
] WHERE gap IS NOT NULL] AS gaps
WHERE size(gaps) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(x) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       x.SOPInstanceUID AS subject, null AS target,
       {gaps: gaps, orphan: NOT EXISTS { (x)-[:REFERENCES]-(:Instance|Series) }} AS detail
ORDER BY patient_key, subject, target;
