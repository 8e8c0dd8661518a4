// Series and instances of each modality
// view: table
// returns: modality, n_series, n_instances, n_missing_instances
// identifying: none
MATCH (s:Series)
WHERE NOT s:Missing
WITH s.Modality AS modality,
     COUNT { (s)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing } AS present,
     COUNT { (s)-[:HAS_INSTANCE]->(m:Instance) WHERE m:Missing } AS missing
RETURN modality, count(*) AS n_series, sum(present) AS n_instances, sum(missing) AS n_missing_instances
ORDER BY n_instances DESC, modality;
