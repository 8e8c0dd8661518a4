// For each patient, how many structure sets, plans, doses and records reach images
// view: table
// returns: patient_key, modality, n_objects, n_reaching, share
// identifying: none
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series)-[:HAS_INSTANCE]->(i:Instance)
WHERE s.Modality IN ['RTSTRUCT', 'RTPLAN', 'RTDOSE', 'RTRECORD', 'RTIMAGE', 'REG', 'SEG'] AND NOT i:Missing
WITH DISTINCT k, s.Modality AS modality, i,
     EXISTS { MATCH (i)-[:REFERENCES*1..4]->(b:Image) WHERE NOT b:Missing } AS reaches
WITH k.patient_key AS patient_key, modality, count(i) AS n_objects, sum(CASE WHEN reaches THEN 1 ELSE 0 END) AS n_reaching
RETURN patient_key, modality, n_objects, n_reaching, round(100.0 * n_reaching / n_objects) / 100.0 AS share
ORDER BY patient_key, modality;
