// Objects that are in more than one file, and whether the files differ
// view: table
// returns: patient_key, object, modality, n_copies, differs, first, others
// identifying: first, others
// param only_different: boolean = false   only those whose files hold different data sets
// try: :param only_different => false
MATCH (i:Instance)-[:STORED_AS]->(f:File)
WITH i, f ORDER BY f.path
WITH i, collect(f) AS files
WHERE NOT $only_different OR any(f IN files WHERE f.differs)
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, i.SOPInstanceUID AS object, i.Modality AS modality, size(files) AS n_copies, any(f IN files WHERE f.differs) AS differs,
       i.file_path AS first, [f IN files | f.path] AS others
ORDER BY patient_key, object;
