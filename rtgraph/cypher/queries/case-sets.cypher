// Structure sets that no plan refers to
// view: table
// returns: patient_key, structure_set
// identifying: none
// param patients: list of string = null   patient_key of the patients; absent: every patient
// param structure_sets: list of string = null   SOPInstanceUIDs; absent: every structure set
// try: :param {patients: null, structure_sets: null}
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(s:RTStruct)
WHERE NOT s:Missing AND ($patients IS NULL OR k.patient_key IN $patients)
  AND ($structure_sets IS NULL OR s.SOPInstanceUID IN $structure_sets)
  AND NOT EXISTS { (s)<-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]-(p:RTPlan) WHERE NOT p:Missing }
RETURN DISTINCT k.patient_key AS patient_key, s.SOPInstanceUID AS structure_set
ORDER BY patient_key, structure_set;
