// The target is of a family the role allows
// id: REF-06
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target, role
// population: MATCH (p:ReferenceRole) WHERE size(p.targets) > 0 MATCH (:Instance|Series)-[r:REFERENCES {role: p.role}]->(b:Instance) WHERE NOT b:Missing RETURN count(r) AS n
// identifying: none
// fix: Report to the sender.
// source: PS3.3, the module that holds the reference; the families that a role may lead to are in its ReferenceRole node
// why: A reference to an object of the wrong kind was filled by mistake: a plan whose structure set is an image cannot be used.
// not: Targets of a class that is not known here, private ones above all, are left out.
MATCH (p:ReferenceRole)
WHERE size(p.targets) > 0
MATCH (a:Instance|Series)-[r:REFERENCES {role: p.role}]->(b:Instance)
WHERE NOT b:Missing AND size(labels(b)) > 1 AND none(l IN labels(b) WHERE l IN p.targets)
CALL (a) {
  OPTIONAL MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a)
  RETURN min(pt.patient_key) AS patient_key
}
RETURN patient_key,
       coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS subject, b.SOPInstanceUID AS target,
       {role: r.role, found: [l IN labels(b) WHERE l <> 'Instance'], allowed: p.targets} AS detail
ORDER BY patient_key, subject, target;
