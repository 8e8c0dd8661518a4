// When the Common Instance Reference index is present it lists every instance the object references
// id: REF-09
// severity: info
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (a:Instance) WHERE a.n_common_refs > 0 RETURN count(a) AS n
// identifying: none
// fix: Nothing to repair; the object references are used.
// source: PS3.3 C.12.2 (Common Instance Reference Module)
// why: The index tells an archive what to fetch with the object; what it leaves out is not fetched.
// not: RT objects of the first generation mostly write no index: they are not looked at.
MATCH (a:Instance)
WHERE a.n_common_refs > 0 AND a.n_refs_not_in_common > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(a) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       a.SOPInstanceUID AS subject, null AS target,
       {not_listed: a.n_refs_not_in_common, listed: a.n_common_refs} AS detail
ORDER BY patient_key, subject, target;
