// What is missing to complete the course of a plan, and whether an archive has it
// view: table
// returns: plan, label, role, source, target, family, in_archive
// identifying: none
// param plan: string = null   SOPInstanceUID of a plan; absent: all plans
// try: :param plan => null
MATCH (p:RTPlan)
WHERE NOT p:Missing AND ($plan IS NULL OR p.SOPInstanceUID = $plan)
CALL (p) {
  MATCH (p)-[r:REFERENCES]->(b:Instance)
  WHERE b:Missing
  RETURN p AS a, r, b
  UNION
  MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(a:RTStruct)-[r:REFERENCES]->(b:Instance)
  WHERE b:Missing
  RETURN a, r, b
  UNION
  MATCH (p)<-[:REFERENCES]-(a:RTDose|RTRecord|RTImage)-[r:REFERENCES]->(b:Instance)
  WHERE b:Missing AND NOT a:Missing
  RETURN a, r, b
}
OPTIONAL MATCH (q:ReferenceRole {role: r.role})
WITH p, a, r, b, q
WHERE NOT coalesce(q.quiet, false)
RETURN DISTINCT p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, r.role AS role, a.SOPInstanceUID AS source, b.SOPInstanceUID AS target,
       reduce(text = '', l IN [l IN labels(b) WHERE NOT l IN ['Instance', 'Missing', 'Image']] | CASE WHEN text < l THEN l ELSE text END) AS family,
       coalesce(b.in_archive, false) AS in_archive
ORDER BY plan, role, source, target;
