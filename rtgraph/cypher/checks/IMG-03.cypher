// An RT Image names a beam and fraction group that exist in its plan
// id: IMG-03
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (i:RTImage)-[:REFERENCES {role: 'RTIMAGE_PLAN'}]->(p:RTPlan) WHERE NOT p:Missing AND (i.ReferencedBeamNumber IS NOT NULL OR i.ReferencedFractionGroupNumber IS NOT NULL) RETURN count(*) AS n
// identifying: none
// fix: Check whether the image belongs to another version of the plan.
// source: PS3.3 C.8.8.2 (RT Image Module: Referenced RT Plan Sequence, Referenced Beam Number, Referenced Fraction Group Number)
// why: The image of a beam that the plan does not have was made for another version of the plan.
// not: An image that was taken at the machine may show a setup field added there: a warning. Only a calculated image (DRR) must name a beam of its plan.
MATCH (i:RTImage)-[:REFERENCES {role: 'RTIMAGE_PLAN'}]->(p:RTPlan)
WHERE NOT p:Missing AND ((i.ReferencedBeamNumber IS NOT NULL AND NOT EXISTS { (p)-[:HAS_BEAM]->(b:Beam) WHERE b.BeamNumber = i.ReferencedBeamNumber })
   OR (i.ReferencedFractionGroupNumber IS NOT NULL AND NOT EXISTS { (p)-[:HAS_FRACTION_GROUP]->(g:FractionGroup) WHERE g.FractionGroupNumber = i.ReferencedFractionGroupNumber }))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, p.SOPInstanceUID AS target,
       CASE WHEN i.image_kind IN ['PORTAL', 'SIMULATOR', 'RADIOGRAPH'] THEN 'WARNING' ELSE 'ERROR' END AS severity,
       {kind: i.image_kind, beam: i.ReferencedBeamNumber, fraction_group: i.ReferencedFractionGroupNumber} AS detail
ORDER BY patient_key, subject, target;
