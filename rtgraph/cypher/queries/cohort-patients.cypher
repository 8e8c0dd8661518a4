// Patients of a saved cohort, whatever its members are
// view: table
// returns: patient_key
// identifying: none
// param cohort: string   name of the cohort
// try: :param cohort => 'prostate'
MATCH (:Cohort {name: $cohort})-[:HAS_MEMBER]->(m)
CALL (m) {
  UNWIND CASE WHEN m:Patient THEN [m] ELSE [] END AS p
  RETURN p
  UNION
  MATCH (p:Patient)-[:HAS_STUDY]->(m)
  RETURN p
  UNION
  MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(m)
  RETURN p
  UNION
  MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(m)
  RETURN p
}
RETURN DISTINCT p.patient_key AS patient_key
ORDER BY patient_key;
