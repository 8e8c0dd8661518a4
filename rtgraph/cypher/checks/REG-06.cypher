// A registration item has one matrix
// id: REG-06
// severity: info
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:Registration)-[:HAS_TRANSFORM]->(t:Transform) RETURN count(t) AS n
// identifying: none
// fix: Compose all matrices; many readers use the first only.
// source: practice (PS3.3 C.20.2, Spatial Registration Module: Matrix Sequence, applied in order)
// why: Many readers take the first matrix and ignore the others.
// not: Several matrices are legal: that is why it is INFO.
MATCH (r:Registration)-[:HAS_TRANSFORM]->(t:Transform)
WHERE t.n_matrices > 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(r) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       t.key AS subject, null AS target,
       {matrices: t.n_matrices} AS detail
ORDER BY patient_key, subject, target;
