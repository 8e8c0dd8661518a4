// Registrations between frames of reference of patients, and which frames are those of patients
// view: table
// returns: patient_key, registration, item, source, registered, matrix_type, source_kind, registered_kind
// identifying: none
// param patients: list of string   patient_key of the patients
// try: :param patients => COLLECT { MATCH (p:Patient) RETURN p.patient_key ORDER BY p.patient_key LIMIT 5 }
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(g:Registration)-[:HAS_TRANSFORM]->(t:Transform)
WHERE k.patient_key IN $patients AND NOT g:Missing
MATCH (a:FrameOfReference)-[r:REGISTERED_TO {transform_key: t.key}]->(b:FrameOfReference)
RETURN DISTINCT k.patient_key AS patient_key, g.SOPInstanceUID AS registration, t.item AS item, a.FrameOfReferenceUID AS source,
       b.FrameOfReferenceUID AS registered, r.matrix_type AS matrix_type, a.kind AS source_kind, b.kind AS registered_kind
ORDER BY patient_key, registration, item, source;
