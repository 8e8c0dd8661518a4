// Each radiation of an RT Radiation Set is in exactly one treatment position group
// id: RT2-01
// severity: error
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (s:RTRadiationSet)-[r:REFERENCES {role: 'SET_RADIATION'}]->(:Instance) WHERE s.n_position_groups > 0 RETURN count(r) AS n
// identifying: none
// fix: Report to the sender.
// source: PS3.3 C.36.10 (RT Radiation Set Module: Treatment Position Group Sequence, RT Radiation Sequence)
// why: A radiation in no group has no position of the patient, one in two groups has two.
// not: None known.
MATCH (s:RTRadiationSet)-[:REFERENCES {role: 'SET_RADIATION'}]->(r:Instance)
WHERE s.n_position_groups > 0
OPTIONAL MATCH (s)-[g:REFERENCES {role: 'POSITION_GROUP_RADIATION'}]->(r)
WITH s, r, coalesce(sum(g.n), 0) AS n
WHERE n <> 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SOPInstanceUID AS subject, r.SOPInstanceUID AS target,
       {groups: n} AS detail
ORDER BY patient_key, subject, target;
