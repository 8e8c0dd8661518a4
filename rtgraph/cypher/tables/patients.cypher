// Table: patients
// view: table
// returns: patient_key, PatientID, IssuerOfPatientID, PatientBirthDate, PatientSex, n_studies
// identifying: PatientID, IssuerOfPatientID, PatientBirthDate
// param patient: string = null   patient_key; null stands for all patients
// try: :param patient => null
MATCH (p:Patient)
WHERE $patient IS NULL OR p.patient_key = $patient
RETURN p.patient_key AS patient_key, p.PatientID AS PatientID, p.IssuerOfPatientID AS IssuerOfPatientID,
       p.PatientBirthDate AS PatientBirthDate, p.PatientSex AS PatientSex,
       COUNT { (p)-[:HAS_STUDY]->(:Study) } AS n_studies
ORDER BY patient_key;
