// One patient: series, references between them, and shared frames of reference
// view: graph
// returns: p
// identifying: none
// param patient: string   patient_key, as `patient-summary` lists it
// try: :param patient => '4d1f0c9a72e3b856'
MATCH (k:Patient {patient_key: $patient})
CALL (k) {
  MATCH p = (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)
  RETURN p
  UNION
  MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(a:Series)
  MATCH p = (a)-[:REFERENCES|SHARES_FOR]->(:Series)
  RETURN p
}
WITH p, length(p) AS steps, nodes(p)[0].SeriesInstanceUID AS source, last(nodes(p)).SeriesInstanceUID AS target, [r IN relationships(p) | coalesce(r.role, '') + type(r)] AS kinds
RETURN p
ORDER BY steps, source, target, kinds;
