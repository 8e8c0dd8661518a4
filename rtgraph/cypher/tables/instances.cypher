// Table: instances, one row for each series that holds the instance
// view: table
// returns: SeriesInstanceUID, SOPInstanceUID, SOPClassUID, Modality, family, is_image, missing, InstanceNumber, title, datetime, ApprovalStatus, n_fractions_planned, technique, prescription_dose_gy, fraction_numbers, roi_names, frame_uid, file_path
// identifying: file_path
// param patient: string = null   patient_key: its instances and the ones it refers to; null stands for all instances
// try: :param patient => null
CALL () {
  MATCH (:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series)-[:HAS_INSTANCE]->(i:Instance)
  RETURN s, i
  UNION
  MATCH (:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a:Instance|Series)-[:REFERENCES]->(i:Instance)
  OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(i)
  RETURN s, i
  UNION
  UNWIND CASE WHEN $patient IS NULL THEN ['all'] ELSE [] END AS wanted
  MATCH (i:Instance)
  OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(i)
  RETURN s, i
}
WITH s, i, [l IN labels(i) WHERE NOT l IN ['Instance', 'Missing']] AS families
RETURN s.SeriesInstanceUID AS SeriesInstanceUID, i.SOPInstanceUID AS SOPInstanceUID,
       CASE WHEN i:Missing THEN i.stated_sop_class ELSE i.SOPClassUID END AS SOPClassUID, i.Modality AS Modality,
       coalesce(
         head([l IN families WHERE l IN ['RTIonPlan', 'DeformableRegistration', 'DoseReport']]),
         head([l IN families WHERE l <> 'Image']),
         head(families)) AS family,
       i:Image AS is_image, i:Missing AS missing, i.InstanceNumber AS InstanceNumber,
       coalesce(i.RTPlanLabel, i.StructureSetLabel, i.DoseSummationType, i.RTImageLabel, i.ContentLabel) AS title,
       CASE WHEN NOT i:Image THEN coalesce(i.treatment_datetime, i.plan_datetime, i.structure_set_datetime, i.instance_datetime) END AS datetime,
       i.ApprovalStatus AS ApprovalStatus, i.n_fractions_planned AS n_fractions_planned,
       i.technique AS technique, i.prescription_dose_gy AS prescription_dose_gy,
       CASE WHEN i:RTRecord THEN COLLECT {
         MATCH (i)-[:HAS_DELIVERY]->(d:BeamDelivery)
         WHERE d.CurrentFractionNumber > 0 AND coalesce(d.TreatmentDeliveryType, 'TREATMENT') IN ['TREATMENT', 'CONTINUATION']
         RETURN DISTINCT d.CurrentFractionNumber AS k ORDER BY k
       } END AS fraction_numbers,
       i.roi_names AS roi_names,
       i.frame_uid AS frame_uid, i.file_path AS file_path
ORDER BY SeriesInstanceUID, SOPInstanceUID;
