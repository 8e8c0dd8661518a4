UNWIND $rows AS g
MATCH (s:Series {SeriesInstanceUID: g[0]})
UNWIND g[1] AS r
MERGE (i:Instance {SOPInstanceUID: r[0]})
ON CREATE SET i:RTPlan, i.run_id = $run, i.parser_version = $parser,
  i.SOPClassUID = r[1], i.Modality = r[2], i.InstanceNumber = r[3], i.InstanceCreationDate = date(r[4]), i.NumberOfFrames = r[5], i.instance_datetime = localdatetime(r[6]), i.frame_uid = r[7], i.frame_source = r[8], i.file_path = r[9], i.file_size = r[10], i.file_mtime = r[11], i.slice_position = r[12], i.slice_offset = r[13], i.variant = r[14], i.n_common_refs = r[15], i.n_refs_not_in_common = r[16], i.noted_uids = r[17], i.suspect_text = r[18], i.transfer_syntax = r[19], i.header_digest = r[20], i.meta_sop_instance_uid = r[21], i.meta_sop_class_uid = r[22], i.truncated = r[23], i.invalid_keywords = r[24], i.invalid_reasons = r[25], i.invalid_values = r[26], i.RTPlanLabel = r[27], i.RTPlanName = r[28], i.RTPlanDate = date(r[29]), i.RTPlanTime = localtime(r[30]), i.RTPlanTime_precision = r[31], i.PlanIntent = r[32], i.RTPlanGeometry = r[33], i.TreatmentProtocols = r[34], i.TreatmentSite = r[35], i.ApprovalStatus = r[36], i.ReviewDate = date(r[37]), i.plan_datetime = localdatetime(r[38]), i.n_beams = r[39], i.n_treatment_beams = r[40], i.n_setup_beams = r[41], i.n_application_setups = r[42], i.n_fraction_groups = r[43], i.n_fractions_planned = r[44], i.prescription_dose_gy = r[45], i.prescription_source = r[46], i.dose_per_fraction_gy = r[47], i.radiation_types = r[48], i.nominal_energies = r[49], i.fluence_modes = r[50], i.technique = r[51], i.technique_rule = r[52], i.machines = r[53], i.total_mu = r[54], i.patient_positions = r[55], i.isocenters = r[56], i.duplicate_numbers = r[57], i.n_long_decimals = r[58]
ON MATCH SET i.first_seen_run = coalesce(i.first_seen_run, $run)
MERGE (s)-[:HAS_INSTANCE]->(i)
WITH i
WHERE i.first_seen_run IS NOT NULL
RETURN i.SOPInstanceUID AS uid;
UNWIND $rows AS g
MATCH (s:Series {SeriesInstanceUID: g[0]})
UNWIND g[1] AS r
MERGE (i:Instance {SOPInstanceUID: r[0]})
SET i.run_id = $run
WITH s, i, r, i.file_path AS before, coalesce(i.stated_sop_class <> r[1], false) AS other
SET i:RTPlan, i.parser_version = $parser, i.SOPClassUID = r[1], i.Modality = r[2], i.InstanceNumber = r[3], i.InstanceCreationDate = date(r[4]), i.NumberOfFrames = r[5], i.instance_datetime = localdatetime(r[6]), i.frame_uid = r[7], i.frame_source = r[8], i.file_path = r[9], i.file_size = r[10], i.file_mtime = r[11], i.slice_position = r[12], i.slice_offset = r[13], i.variant = r[14], i.n_common_refs = r[15], i.n_refs_not_in_common = r[16], i.noted_uids = r[17], i.suspect_text = r[18], i.transfer_syntax = r[19], i.header_digest = r[20], i.meta_sop_instance_uid = r[21], i.meta_sop_class_uid = r[22], i.truncated = r[23], i.invalid_keywords = r[24], i.invalid_reasons = r[25], i.invalid_values = r[26], i.RTPlanLabel = r[27], i.RTPlanName = r[28], i.RTPlanDate = date(r[29]), i.RTPlanTime = localtime(r[30]), i.RTPlanTime_precision = r[31], i.PlanIntent = r[32], i.RTPlanGeometry = r[33], i.TreatmentProtocols = r[34], i.TreatmentSite = r[35], i.ApprovalStatus = r[36], i.ReviewDate = date(r[37]), i.plan_datetime = localdatetime(r[38]), i.n_beams = r[39], i.n_treatment_beams = r[40], i.n_setup_beams = r[41], i.n_application_setups = r[42], i.n_fraction_groups = r[43], i.n_fractions_planned = r[44], i.prescription_dose_gy = r[45], i.prescription_source = r[46], i.dose_per_fraction_gy = r[47], i.radiation_types = r[48], i.nominal_energies = r[49], i.fluence_modes = r[50], i.technique = r[51], i.technique_rule = r[52], i.machines = r[53], i.total_mu = r[54], i.patient_positions = r[55], i.isocenters = r[56], i.duplicate_numbers = r[57], i.n_long_decimals = r[58]
REMOVE i:Missing, i.stated_sop_class, i.first_seen_run, i.referred_by_patients
MERGE (s)-[h:HAS_INSTANCE]->(i)
REMOVE h.stated
WITH s, i, before, other
WHERE before IS NOT NULL OR other OR COUNT { (i)<-[:HAS_INSTANCE]-() } > 1
RETURN i.SOPInstanceUID AS uid, s.SeriesInstanceUID AS series, before;
UNWIND $rows AS r
MATCH (i:Instance {SOPInstanceUID: r[0]})
REMOVE i:Image:CTImage:MRImage:PTImage:RTStruct:RTPlan:RTIonPlan:RTDose:RTImage:RTRecord:RTInstruction:RTIntent:RTSegmentAnnotation:RTRadiationSet:RTRadiation:RTRadiationRecord:RTPreparation:Registration:DeformableRegistration:Segmentation:Fiducials:RawData:RealWorldMap:ParametricMap:PresentationState:KeyObject:StructuredReport:DoseReport:EncapsulatedDocument
SET i:RTPlan
WITH i, r
MATCH (i)<-[h:HAS_INSTANCE]-(old:Series)
WHERE old.SeriesInstanceUID <> r[1]
DELETE h
SET old.dirty = true
RETURN DISTINCT old.SeriesInstanceUID AS series;
