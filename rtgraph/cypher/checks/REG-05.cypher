// A registration does not join frames of two patients
// id: REG-05
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target, frame
// population: MATCH (a:FrameOfReference {kind: 'PATIENT'})-[x:REGISTERED_TO]->(b:FrameOfReference {kind: 'PATIENT'}) RETURN count(x) AS n
// identifying: none
// fix: Check the identities (REF-03).
// source: practice (PS3.3 C.7.4.1, Frame of Reference Module; C.20.2, Spatial Registration Module)
// why: A registration of two patients moves contours and dose from one person to another.
// not: Atlases with well-known frames are left out. Registrations to a phantom or an atlas that is filed as a patient cannot be told apart and are reported.
MATCH (a:FrameOfReference {kind: 'PATIENT'})-[x:REGISTERED_TO]->(b:FrameOfReference {kind: 'PATIENT'})
WHERE a.patient_key <> b.patient_key
RETURN a.patient_key AS patient_key, x.reg_uid AS subject, b.FrameOfReferenceUID AS target,
       {other_patient: b.patient_key, frame: a.FrameOfReferenceUID} AS detail
ORDER BY patient_key, subject, target;
