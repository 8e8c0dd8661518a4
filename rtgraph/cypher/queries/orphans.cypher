// Objects that refer to nothing and that nothing refers to
// view: table
// returns: patient_key, object, modality, series, label, in_frame
// identifying: none
// param modalities: list of string = null   only these Modality values
// param without_frame: boolean = false   only those that share no frame of reference with another series
// try: :param {modalities: null, without_frame: false}
MATCH (s:Series)-[:HAS_INSTANCE]->(i:Instance)
WHERE s.layer > 0 AND NOT i:Missing AND NOT EXISTS { (i)-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-() }
  AND ($modalities IS NULL OR i.Modality IN [m IN $modalities | toUpper(m)])
WITH s, i, EXISTS { (s)-[:SHARES_FOR]-(:Series) } AS in_frame
WHERE NOT ($without_frame AND in_frame)
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, i.SOPInstanceUID AS object, i.Modality AS modality, s.SeriesInstanceUID AS series,
       coalesce(i.StructureSetLabel, i.RTPlanLabel, i.DoseSummationType, i.ContentLabel) AS label, in_frame
ORDER BY patient_key, modality, object;
