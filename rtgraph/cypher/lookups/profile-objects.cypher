// Series and objects of each Modality, for the comparison of two graphs
// view: table
// returns: modality, n_patients, n_series, n_instances, n_missing
// identifying: none
MATCH (s:Series)
WHERE NOT s:Missing
RETURN s.Modality AS modality,
       count(DISTINCT head([(p:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->(s) | p.patient_key])) AS n_patients,
       count(s) AS n_series,
       sum(COUNT { (s)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing }) AS n_instances,
       sum(COUNT { (s)-[:HAS_INSTANCE]->(i:Instance) WHERE i:Missing }) AS n_missing
ORDER BY modality;
