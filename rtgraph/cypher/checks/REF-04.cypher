// An object does not reference itself (Conceptual Volume origin roles may)
// id: REF-04
// severity: error
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, role
// population: MATCH (:Instance)-[r:REFERENCES]->(:Instance) RETURN count(r) AS n
// identifying: none
// fix: Report to the sender.
// source: PS3.3 10.8 (Table 10-11, SOP Instance Reference Macro)
// why: An object that names itself as its source or predecessor makes chains that never end.
// not: Conceptual volumes may name the object that defines them: the roles CONCEPTUAL_VOLUME_ are left out.
MATCH (a:Instance)-[r:REFERENCES]->(a)
WHERE NOT r.role STARTS WITH 'CONCEPTUAL_VOLUME'
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(a) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       a.SOPInstanceUID AS subject, a.SOPInstanceUID AS target,
       {role: r.role} AS detail
ORDER BY patient_key, subject, target;
