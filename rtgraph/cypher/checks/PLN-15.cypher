// The prescription of a treatment plan names a target ROI
// id: PLN-15
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (p:RTPlan) WHERE NOT p:Missing AND coalesce(p.PlanIntent, CASE WHEN p.RTPlanGeometry = 'TREATMENT_DEVICE' OR EXISTS { (p)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) } THEN 'VERIFICATION' ELSE 'CURATIVE' END) IN ['CURATIVE', 'PALLIATIVE', 'PROPHYLACTIC'] AND NOT EXISTS { (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(m:Instance) WHERE m:Missing } RETURN count(p) AS n
// identifying: texts
// fix: Map the description to an ROI by hand.
// source: practice (PS3.3 C.8.8.10, RT Prescription Module: Dose Reference Structure Type, Target Prescription Dose)
// why: Only a prescription that names an ROI can be compared with the dose in it without asking a person.
// not: A prescription to a point, to coordinates or to a site is common: INFO.
MATCH (p:RTPlan)
WHERE NOT p:Missing AND coalesce(p.PlanIntent, CASE WHEN p.RTPlanGeometry = 'TREATMENT_DEVICE' OR EXISTS { (p)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) } THEN 'VERIFICATION' ELSE 'CURATIVE' END) IN ['CURATIVE', 'PALLIATIVE', 'PROPHYLACTIC']
  AND NOT EXISTS { (p)-[:HAS_DOSE_REFERENCE]->(d:DoseReference {DoseReferenceType: 'TARGET'})-[:TARGETS]->(:ROI) WHERE d.TargetPrescriptionDose > 0 }
  AND NOT EXISTS { (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(m:Instance) WHERE m:Missing }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, null AS target,
       CASE WHEN EXISTS { (p)-[:HAS_DOSE_REFERENCE]->(d:DoseReference {DoseReferenceType: 'TARGET'})
         WHERE d.TargetPrescriptionDose > 0 AND d.DoseReferenceStructureType <> 'VOLUME' } THEN 'INFO' ELSE 'WARNING' END AS severity,
       {texts: COLLECT { MATCH (p)-[:HAS_DOSE_REFERENCE]->(d:DoseReference) RETURN coalesce(d.DoseReferenceDescription, '') AS text ORDER BY text LIMIT 5 }} AS detail
ORDER BY patient_key, subject, target;
