// A dose with SpatialTransformOfDose RIGID or NON_RIGID references the registration used
// id: DOS-07
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose) WHERE d.SpatialTransformOfDose IN ['RIGID', 'NON_RIGID'] RETURN count(d) AS n
// identifying: none
// fix: Retrieve or export the registration.
// source: PS3.3 C.8.8.3 (RT Dose Module: Spatial Transform of Dose, Referenced Spatial Registration Sequence, type 2C)
// why: A dose that was moved or deformed can only be judged with the registration that did it.
// not: The sequence may be empty when the registration is not an object; that cannot be told apart from one that was left out.
MATCH (d:RTDose)
WHERE d.SpatialTransformOfDose IN ['RIGID', 'NON_RIGID'] AND NOT EXISTS { (d)-[:REFERENCES {role: 'DOSE_REGISTRATION'}]->(:Instance) }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, null AS target,
       {transform: d.SpatialTransformOfDose} AS detail
ORDER BY patient_key, subject, target;
