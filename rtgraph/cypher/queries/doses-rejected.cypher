// Decisions of the dose policy: what was chosen for each sample, what was rejected and why
// view: table
// returns: run, case_id, policy, decision, chosen, weights, rejected, codes
// identifying: none
MATCH (r:ExportRun)-[:WROTE]->(s:Sample)-[:USED_SELECTION]->(d:DoseSelection)
RETURN r.id AS run, s.case_id AS case_id, d.policy AS policy, d.decision AS decision,
       COLLECT { MATCH (d)-[:SELECTED]->(x:RTDose) RETURN x.SOPInstanceUID AS u ORDER BY u } AS chosen,
       COLLECT { MATCH (d)-[e:SELECTED]->(x:RTDose) RETURN e.weight ORDER BY x.SOPInstanceUID } AS weights,
       COLLECT { MATCH (d)-[:REJECTED]->(x:RTDose) RETURN x.SOPInstanceUID AS u ORDER BY u } AS rejected,
       COLLECT { MATCH (d)-[e:REJECTED]->(x:RTDose) RETURN e.code ORDER BY x.SOPInstanceUID } AS codes
ORDER BY run, case_id;
