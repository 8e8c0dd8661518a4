// The series of a patient
// view: table
// returns: patient_key, study, StudyDate, series, modality, number, description, n_instances, n_missing, missing
// identifying: none
// param patient: string   patient_key
// try: :param patient => '4d1f0c9a72e3b856'
MATCH (k:Patient {patient_key: $patient})-[:HAS_STUDY]->(t:Study)-[:HAS_SERIES]->(s:Series)
RETURN k.patient_key AS patient_key, t.StudyInstanceUID AS study, t.StudyDate AS StudyDate, s.SeriesInstanceUID AS series, s.Modality AS modality,
       s.SeriesNumber AS number, s.SeriesDescription AS description, coalesce(s.n_instances, 0) AS n_instances,
       coalesce(s.n_missing_instances, 0) AS n_missing, s:Missing AS missing
ORDER BY StudyDate, study, number, series;
