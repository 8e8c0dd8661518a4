// A dose reference of structure type POINT or VOLUME names an ROI of the plan structure set
// id: PLN-04
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:RTPlan)-[:HAS_DOSE_REFERENCE]->(d:DoseReference) WHERE d.DoseReferenceStructureType IN ['POINT', 'VOLUME'] AND NOT EXISTS { (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(m:Instance) WHERE m:Missing } RETURN count(d) AS n
// identifying: description
// fix: Retrieve the right structure set; else the prescription has no volume.
// source: PS3.3 C.8.8.10 (RT Prescription Module: Referenced ROI Number required if the structure type is POINT or VOLUME)
// why: A prescription to a volume that is not there prescribes to nothing.
// not: A plan that is linked to an edited copy of its structure set, with other numbers, is reported: the right set has to be found. Without the structure set nothing is said.
MATCH (p:RTPlan)-[:HAS_DOSE_REFERENCE]->(d:DoseReference)
WHERE d.DoseReferenceStructureType IN ['POINT', 'VOLUME'] AND NOT EXISTS { (d)-[:TARGETS]->(:ROI) }
  AND NOT EXISTS { (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(m:Instance) WHERE m:Missing }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.key AS subject, null AS target,
       {roi_number: d.ReferencedROINumber, description: d.DoseReferenceDescription} AS detail
ORDER BY patient_key, subject, target;
