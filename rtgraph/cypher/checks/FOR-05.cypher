// A patient frame of reference is used by one patient only
// id: FOR-05
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (f:FrameOfReference {kind: 'PATIENT'}) RETURN count(f) AS n
// identifying: none
// fix: De-identify again with a frame map per patient; until then nothing may be compared across series by this frame.
// source: PS3.3 C.7.4.1 (Frame of Reference Module: patient and origin are constant in one frame)
MATCH (f:FrameOfReference {kind: 'PATIENT'})<-[:IN_FRAME]-(:Series)<-[:HAS_SERIES]-(:Study)<-[:HAS_STUDY]-(p:Patient)
WITH f, p ORDER BY p.patient_key
WITH f, collect(DISTINCT p.patient_key) AS patients
WHERE size(patients) > 1
RETURN patients[0] AS patient_key, f.FrameOfReferenceUID AS subject, null AS target, {n_patients: size(patients), patients: patients[..5]} AS detail
ORDER BY patient_key, subject, target;
