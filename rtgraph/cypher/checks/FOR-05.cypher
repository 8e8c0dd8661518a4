// A patient frame of reference is used by one patient only
// id: FOR-05
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (f:FrameOfReference {kind: 'PATIENT'}) RETURN count(f) AS n
// identifying: none
// fix: De-identify again with a frame map per patient; until then nothing may be compared across series by this frame.
// source: PS3.3 C.7.4.1 (Frame of Reference Module: patient and origin are constant in one frame)
// why: Equal frames say that coordinates may be compared; over two patients that is never true, and tools that match by frame mix them.
// not: One person under two PatientIDs, that is the same name and birth date, is a warning. Phantom studies filed under several patients cannot be told apart and are reported. A study of two patients is HIE-02 and makes no finding here.
MATCH (f:FrameOfReference {kind: 'PATIENT'})<-[:IN_FRAME]-(s:Series)<-[:HAS_SERIES]-(:Study)<-[:HAS_STUDY]-(p:Patient)
WITH f, p, collect(DISTINCT s) AS of_patient ORDER BY p.patient_key
WITH f, collect(p) AS patients, collect(of_patient) AS of_each
WHERE size(patients) > 1 AND none(all_of IN of_each WHERE all(some IN of_each WHERE all(s IN some WHERE s IN all_of)))
RETURN patients[0].patient_key AS patient_key, f.FrameOfReferenceUID AS subject, null AS target,
       CASE WHEN any(x IN patients[0].names_seen WHERE all(p IN patients WHERE x IN p.names_seen))
         AND all(p IN patients WHERE p.PatientBirthDate = patients[0].PatientBirthDate AND coalesce(p.PatientIdentityRemoved, 'NO') <> 'YES') THEN 'WARNING' ELSE 'ERROR' END AS severity,
       {n_patients: size(patients), patients: [p IN patients[..5] | p.patient_key]} AS detail
ORDER BY patient_key, subject, target;
