// Predecessor chains have no cycle
// id: REF-05
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target, role
// population: MATCH (:Instance)-[r:REFERENCES]->(:Instance) WHERE r.role STARTS WITH 'PREDECESSOR_' RETURN count(r) AS n
// identifying: none
// fix: Report to the sender; ignore the chain when ordering plans.
// source: PS3.3 C.8.8.5 (Predecessor Structure Set Sequence), C.8.8.9 (Referenced RT Plan Sequence, PREDECESSOR)
// why: Plans and structure sets are put in order by their predecessors; a circle has no first one.
// not: None known. An object that names itself is REF-04.
MATCH (a:Instance)-[s:REFERENCES]->(b:Instance)
WHERE s.role IN ['PREDECESSOR_STRUCTURE_SET', 'PREDECESSOR_PLAN', 'PREDECESSOR_INTENT', 'PREDECESSOR_DOCUMENT'] AND a <> b
  AND EXISTS { (b) (()-[r:REFERENCES WHERE r.role STARTS WITH 'PREDECESSOR_']->()){1,15} (a) }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(a) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       a.SOPInstanceUID AS subject, b.SOPInstanceUID AS target,
       {role: s.role} AS detail
ORDER BY patient_key, subject, target;
