// Registrations and the frames of reference they join
// view: table
// returns: patient_key, registration, label, deformable, source_frame, registered_frame, matrix_type, is_identity, source_modalities, registered_modalities
// identifying: none
MATCH (g:Registration)-[:HAS_TRANSFORM]->(t:Transform)
WHERE NOT g:Missing AND t.side = 'SOURCE'
OPTIONAL MATCH (t)-[:FROM_FRAME]->(a:FrameOfReference)
OPTIONAL MATCH (t)-[:TO_FRAME]->(b:FrameOfReference)
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(g) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, g.SOPInstanceUID AS registration, g.ContentLabel AS label, g:DeformableRegistration AS deformable,
       a.FrameOfReferenceUID AS source_frame, b.FrameOfReferenceUID AS registered_frame, t.matrix_type AS matrix_type, t.is_identity AS is_identity,
       COLLECT { MATCH (a)<-[:IN_FRAME]-(s:Series) WHERE s.layer = 0 RETURN DISTINCT s.Modality AS m ORDER BY m } AS source_modalities,
       COLLECT { MATCH (b)<-[:IN_FRAME]-(s:Series) WHERE s.layer = 0 RETURN DISTINCT s.Modality AS m ORDER BY m } AS registered_modalities
ORDER BY patient_key, registration, t.item;
