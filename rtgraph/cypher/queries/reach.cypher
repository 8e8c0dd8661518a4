// Everything that an object needs: what it refers to, and what that refers to
// view: table
// returns: object, modality, family, steps, roles, missing
// identifying: none
// param object: string   SOPInstanceUID
// try: :param object => '1.2.840.99.7'
MATCH (a:Instance {SOPInstanceUID: $object})
CALL (a) {
  MATCH p = (a)-[:REFERENCES*1..4]->(b:Instance)
  WHERE a <> b AND NOT b:Image
  RETURN b, p
  UNION
  MATCH p = (a)-[:REFERENCES*0..3]->(:Instance)-[:REFERENCES]->(b:Image)
  WHERE a <> b
  RETURN b, p
}
WITH b, length(p) AS n, [r IN relationships(p) | r.role] AS roles
ORDER BY n, roles
WITH b, collect({n: n, roles: roles})[0] AS best
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(b)
WITH b, best, min(s.SeriesInstanceUID) AS series
WITH CASE WHEN b:Image THEN coalesce(series, b.SOPInstanceUID) ELSE b.SOPInstanceUID END AS object, b, best
WITH object, collect(b) AS members, min(best.n) AS steps, collect(best)[0] AS best
RETURN object, head(members).Modality AS modality,
       reduce(text = '', l IN [l IN labels(head(members)) WHERE NOT l IN ['Instance', 'Missing', 'Image']] | CASE WHEN text < l THEN l ELSE text END) AS family,
       steps, best.roles AS roles, size([m IN members WHERE m:Missing]) AS missing
ORDER BY steps, family, object;
