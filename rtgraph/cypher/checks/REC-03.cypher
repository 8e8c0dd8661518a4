// A treatment record references the plan it delivered
// id: REC-03
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:RTRecord) WHERE NOT i:Missing RETURN count(i) AS n
// identifying: none
// fix: Use PLAN_BY_LABEL as a guess only.
// source: PS3.3 C.8.8.17 (RT General Treatment Record Module: Referenced RT Plan Sequence, type 2)
// why: A delivery that names no plan cannot be counted for any course.
// not: Unplanned treatments have no plan, and the sequence may be empty; they cannot be told apart from a lost reference.
MATCH (i:RTRecord)
WHERE NOT i:Missing AND NOT EXISTS { (i)-[:REFERENCES {role: 'RECORD_PLAN'}]->(:Instance) }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, null AS target,
       {date: toString(i.TreatmentDate)} AS detail
ORDER BY patient_key, subject, target;
