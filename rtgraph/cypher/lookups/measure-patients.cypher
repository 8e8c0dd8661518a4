// Patients with structure sets or doses, and how many
// view: table
// returns: patient_key, n_sets, n_doses
// identifying: none
// param patient: string = null   patient_key; absent: all
// try: :param patient => null
MATCH (k:Patient)
WHERE $patient IS NULL OR k.patient_key = $patient
WITH k,
     COUNT { MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(s:RTStruct) WHERE NOT s:Missing RETURN DISTINCT s } AS n_sets,
     COUNT { MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d:RTDose) WHERE NOT d:Missing RETURN DISTINCT d } AS n_doses
WHERE n_sets + n_doses > 0
RETURN k.patient_key AS patient_key, n_sets, n_doses
ORDER BY patient_key;
