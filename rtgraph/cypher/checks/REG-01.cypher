// A rigid registration has two or more items and one of them is the registered (fixed) side
// id: REG-01
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (r:Registration) WHERE NOT r:Missing RETURN count(r) AS n
// identifying: none
// fix: Take the side from the image lists and the matrices; record the choice.
// source: IHE-RO MMRO-II (registered and source image sets); PS3.3 C.20.2 (Spatial Registration Module)
// why: A registration says which image stays and which one moves; with two fixed sides, or none, it cannot be applied.
// not: An object that sets up a frame of its own has no fixed item, and treatment systems write one item only: both are INFO.
MATCH (r:Registration)
WHERE NOT r:Missing
OPTIONAL MATCH (r)-[:HAS_TRANSFORM]->(t:Transform)
WITH r, count(t) AS n, count(CASE WHEN t.side = 'REGISTERED' THEN 1 END) AS fixed
WHERE n = 0 OR fixed > 1 OR (NOT r:DeformableRegistration AND (n < 2 OR fixed = 0))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(r) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       r.SOPInstanceUID AS subject, null AS target,
       CASE WHEN n > 0 AND fixed = 0 THEN 'INFO' ELSE 'WARNING' END AS severity,
       {items: n, fixed: fixed} AS detail
ORDER BY patient_key, subject, target;
