// Studies of a span of days, with what they hold
// view: table
// returns: patient_key, study, StudyDate, StudyDescription, modalities, n_series, n_instances
// identifying: none
// param since: date = null   first day
// param until: date = null   last day
// try: :param {since: '2024-01-01', until: null}
MATCH (t:Study)
WHERE NOT t:Missing AND ($since IS NULL OR t.StudyDate >= date($since)) AND ($until IS NULL OR t.StudyDate <= date($until))
  AND (t.StudyDate IS NOT NULL OR ($since IS NULL AND $until IS NULL))
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(t) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, t.StudyInstanceUID AS study, t.StudyDate AS StudyDate, t.StudyDescription AS StudyDescription,
       COLLECT { MATCH (t)-[:HAS_SERIES]->(s:Series) WHERE NOT s:Missing AND s.Modality IS NOT NULL RETURN DISTINCT s.Modality AS m ORDER BY m } AS modalities,
       COUNT { (t)-[:HAS_SERIES]->(s:Series) WHERE NOT s:Missing } AS n_series,
       COUNT { (t)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing } AS n_instances
ORDER BY StudyDate, patient_key, study;
