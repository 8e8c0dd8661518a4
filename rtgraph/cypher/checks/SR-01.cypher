// Everything a structured report cites in its content is listed in its evidence sequences
// id: SR-01
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:StructuredReport)-[r:REFERENCES {role: 'SR_CONTENT'}]->(:Instance) RETURN count(r) AS n
// identifying: none
// fix: Nothing to repair; the series of the target stays unknown when it is missing.
// source: PS3.3 C.17.2 (SR Document General Module: Current Requested Procedure Evidence Sequence, Pertinent Other Evidence Sequence)
// why: The evidence says in which study and series the cited objects are; what it leaves out cannot be fetched.
// not: A report without any evidence sequence is no finding: not every class has one.
MATCH (i:StructuredReport)-[r:REFERENCES {role: 'SR_CONTENT'}]->(b:Instance)
WHERE NOT coalesce(r.in_evidence, false)
  AND EXISTS { (i)-[e:REFERENCES]->(:Instance) WHERE e.in_evidence OR e.role IN ['EVIDENCE', 'OTHER_EVIDENCE'] }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, b.SOPInstanceUID AS target,
       {target_class: r.stated_sop_class} AS detail
ORDER BY patient_key, subject, target;
