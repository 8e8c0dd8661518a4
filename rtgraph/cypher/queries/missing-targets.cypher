// What is referred to and absent, by role and stated class
// view: table
// returns: role, severity, level, stated_sop_class, label, n_targets, n_sources, n_patients
// identifying: none
MATCH (a:Instance|Series)-[r:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]->(b:Instance|Series|Study)
WHERE b:Missing AND (b:Instance OR type(r) <> 'REFERENCES')
OPTIONAL MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a)
WITH a, r, b, p, [l IN labels(b) WHERE NOT l IN ['Instance', 'Series', 'Study', 'Missing']] AS labels
WITH r.role AS role,
     CASE WHEN b:Instance THEN 'instance' WHEN b:Series THEN 'series' ELSE 'study' END AS level,
     coalesce(r.stated_sop_class, b.stated_sop_class) AS stated_sop_class,
     min(coalesce(
       head([l IN labels WHERE l IN ['RTIonPlan', 'DeformableRegistration', 'DoseReport']]),
       head([l IN labels WHERE l <> 'Image']),
       head(labels))) AS label,
     count(DISTINCT b) AS n_targets, count(DISTINCT a) AS n_sources, count(DISTINCT p) AS n_patients
OPTIONAL MATCH (q:ReferenceRole {role: role})
RETURN role, coalesce(q.severity, 'WARNING') AS severity, level, stated_sop_class, label, n_targets, n_sources, n_patients
ORDER BY n_targets DESC, role, level, stated_sop_class;
