// The version of the graph, and whether it holds patients and is up to date
// view: table
// returns: version, any_node, any_patient, dirty
// identifying: none
OPTIONAL MATCH (s:Schema)
WITH max(s.version) AS version
RETURN version, EXISTS { MATCH (n) WHERE NOT n:Schema AND NOT n:ReferenceRole } AS any_node,
       EXISTS { MATCH (p:Patient) } AS any_patient,
       EXISTS { MATCH (d:Series) WHERE d.dirty IS NOT NULL } OR EXISTS { MATCH (f:FrameOfReference) WHERE f.dirty IS NOT NULL } AS dirty
ORDER BY version;
