// Images, structure sets, plans, doses, records and registrations of a patient in order of time
// view: table
// returns: patient_key, time, kind, object, label, refers_to, n_fractions, n_objects
// identifying: none
// param patient: string   patient_key
// try: :param patient => '4d1f0c9a72e3b856'
MATCH (k:Patient {patient_key: $patient})
CALL (k) {
  MATCH (k)-[:HAS_STUDY]->(t:Study)-[:HAS_SERIES]->(s:Series)
  WHERE s.layer = 0 AND NOT s:Missing
  RETURN DISTINCT coalesce(s.series_datetime, t.study_datetime) AS time, s.Modality AS kind, s.SeriesInstanceUID AS object, s.SeriesDescription AS label,
         [] AS refers_to, null AS n_fractions, coalesce(s.n_instances, 0) AS n_objects
  UNION
  MATCH (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i:RTStruct|RTPlan|RTDose|RTRecord|Registration)
  WHERE NOT i:Missing
  RETURN DISTINCT coalesce(i.structure_set_datetime, i.plan_datetime, i.treatment_datetime, i.instance_datetime) AS time, i.Modality AS kind, i.SOPInstanceUID AS object,
         coalesce(i.StructureSetLabel, i.RTPlanLabel, i.DoseSummationType, i.ContentLabel) AS label,
         COLLECT { MATCH (i)-[r:REFERENCES]->(b:RTStruct|RTPlan|RTDose) RETURN DISTINCT b.SOPInstanceUID AS uid ORDER BY uid } AS refers_to,
         i.n_fractions_planned AS n_fractions, 1 AS n_objects
}
RETURN k.patient_key AS patient_key, time, kind, object, label, refers_to, n_fractions, n_objects
ORDER BY time, kind, object;
