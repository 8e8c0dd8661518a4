// References whose target was never read
// view: table
// returns: patient_key, role, severity, source, target, stated_sop_class, in_archive
// identifying: none
// param quiet_too: boolean = false   also roles whose targets are often left out of an export
// try: :param quiet_too => false
MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance)
WHERE b:Missing
OPTIONAL MATCH (q:ReferenceRole {role: r.role})
WITH a, r, b, coalesce(q.severity, 'WARNING') AS severity, coalesce(q.quiet, false) AS quiet
WHERE $quiet_too OR NOT quiet
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key,
       r.role AS role, severity, coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS source, b.SOPInstanceUID AS target,
       coalesce(r.stated_sop_class, b.stated_sop_class) AS stated_sop_class, coalesce(b.in_archive, false) AS in_archive
ORDER BY patient_key, role, source, target;
