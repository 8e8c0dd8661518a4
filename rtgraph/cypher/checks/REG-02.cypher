// A transformation matrix is 4x4 with last row 0 0 0 1; RIGID means an orthonormal rotation with determinant +1
// id: REG-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (t:Transform) WHERE coalesce(t.matrix_type, '') <> 'DEFORMABLE' RETURN count(t) AS n
// identifying: none
// fix: Do not use the transform.
// source: PS3.3 C.20.2.1.1 (Frame of Reference Transformation Matrix and Matrix Type)
// why: A matrix that is no rigid motion stretches or mirrors the patient.
// not: Rounding to three decimals is allowed for. A uniform or axis-wise scale in a matrix that calls itself RIGID is a warning: its type should be RIGID_SCALE.
MATCH (r:Registration|RTStruct)-[:HAS_TRANSFORM]->(t:Transform)
WHERE coalesce(t.matrix_type, '') <> 'DEFORMABLE'
WITH r, t, coalesce(size(t.matrix), 0) = 16 AS whole
WHERE NOT whole OR any(k IN range(0, 3) WHERE abs(t.matrix[12 + k] - [0.0, 0.0, 0.0, 1.0][k]) > 0.000001)
   OR (t.matrix_type = 'RIGID' AND (abs(t.determinant - 1.0) > 0.003 OR t.rotation_error > 0.002))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(r) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       t.key AS subject, null AS target,
       CASE WHEN whole AND t.determinant > 0.0 AND all(k IN range(0, 3) WHERE abs(t.matrix[12 + k] - [0.0, 0.0, 0.0, 1.0][k]) <= 0.000001)
         AND all(k IN [[0, 1], [0, 2], [1, 2]] WHERE abs(t.matrix[k[0]] * t.matrix[k[1]] + t.matrix[4 + k[0]] * t.matrix[4 + k[1]] + t.matrix[8 + k[0]] * t.matrix[8 + k[1]]) <= 0.002)
         THEN 'WARNING' ELSE 'ERROR' END AS severity,
       {type: t.matrix_type, numbers: coalesce(size(t.matrix), 0), determinant: t.determinant, rotation_error: t.rotation_error} AS detail
ORDER BY patient_key, subject, target;
