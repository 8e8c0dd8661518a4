// Plans of the members of a saved cohort
// view: table
// returns: plan
// identifying: none
// param cohort: string   name of the cohort
// try: :param cohort => head(COLLECT { MATCH (c:Cohort) RETURN c.name ORDER BY c.name LIMIT 1 })
MATCH (:Cohort {name: $cohort})-[:HAS_MEMBER]->(m)
MATCH (m)-[:HAS_STUDY|HAS_SERIES|HAS_INSTANCE*0..3]->(p:RTPlan)
RETURN DISTINCT p.SOPInstanceUID AS plan
ORDER BY plan;
