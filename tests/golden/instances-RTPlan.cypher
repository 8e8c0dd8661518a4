UNWIND $rows AS g
MATCH (s:Series {SeriesInstanceUID: g[0]})
UNWIND g[1] AS r
MERGE (i:Instance {SOPInstanceUID: r[0]})
ON CREATE SET i:RTPlan, i.run_id = $run, i.parser_version = $parser,
  i.SOPClassUID = r[1], i.Modality = r[2], i.InstanceNumber = r[3], i.InstanceCreationDate = date(r[4]), i.NumberOfFrames = r[5], i.instance_datetime = localdatetime(r[6]), i.frame_uid = r[7], i.frame_source = r[8], i.file_path = r[9], i.file_size = r[10], i.file_mtime = r[11], i.slice_position = r[12], i.slice_offset = r[13], i.variant = r[14], i.n_common_refs = r[15], i.n_refs_not_in_common = r[16], i.suspect_text = r[17], i.transfer_syntax = r[18], i.header_digest = r[19], i.meta_sop_instance_uid = r[20], i.meta_sop_class_uid = r[21], i.truncated = r[22], i.invalid_keywords = r[23], i.invalid_reasons = r[24], i.invalid_values = r[25], i.RTPlanLabel = r[26], i.RTPlanName = r[27], i.RTPlanDate = date(r[28]), i.RTPlanTime = localtime(r[29]), i.RTPlanTime_precision = r[30], i.PlanIntent = r[31], i.RTPlanGeometry = r[32], i.TreatmentProtocols = r[33], i.TreatmentSite = r[34], i.ApprovalStatus = r[35], i.ReviewDate = date(r[36]), i.plan_datetime = localdatetime(r[37]), i.n_beams = r[38], i.n_treatment_beams = r[39], i.n_setup_beams = r[40], i.n_application_setups = r[41], i.n_fraction_groups = r[42], i.n_fractions_planned = r[43], i.prescription_dose_gy = r[44], i.prescription_source = r[45], i.dose_per_fraction_gy = r[46], i.radiation_types = r[47], i.nominal_energies = r[48], i.fluence_modes = r[49], i.technique = r[50], i.technique_rule = r[51], i.machines = r[52], i.total_mu = r[53], i.patient_positions = r[54], i.isocenters = r[55], i.duplicate_numbers = r[56], i.n_long_decimals = r[57]
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
SET i:RTPlan, i.parser_version = $parser, i.SOPClassUID = r[1], i.Modality = r[2], i.InstanceNumber = r[3], i.InstanceCreationDate = date(r[4]), i.NumberOfFrames = r[5], i.instance_datetime = localdatetime(r[6]), i.frame_uid = r[7], i.frame_source = r[8], i.file_path = r[9], i.file_size = r[10], i.file_mtime = r[11], i.slice_position = r[12], i.slice_offset = r[13], i.variant = r[14], i.n_common_refs = r[15], i.n_refs_not_in_common = r[16], i.suspect_text = r[17], i.transfer_syntax = r[18], i.header_digest = r[19], i.meta_sop_instance_uid = r[20], i.meta_sop_class_uid = r[21], i.truncated = r[22], i.invalid_keywords = r[23], i.invalid_reasons = r[24], i.invalid_values = r[25], i.RTPlanLabel = r[26], i.RTPlanName = r[27], i.RTPlanDate = date(r[28]), i.RTPlanTime = localtime(r[29]), i.RTPlanTime_precision = r[30], i.PlanIntent = r[31], i.RTPlanGeometry = r[32], i.TreatmentProtocols = r[33], i.TreatmentSite = r[34], i.ApprovalStatus = r[35], i.ReviewDate = date(r[36]), i.plan_datetime = localdatetime(r[37]), i.n_beams = r[38], i.n_treatment_beams = r[39], i.n_setup_beams = r[40], i.n_application_setups = r[41], i.n_fraction_groups = r[42], i.n_fractions_planned = r[43], i.prescription_dose_gy = r[44], i.prescription_source = r[45], i.dose_per_fraction_gy = r[46], i.radiation_types = r[47], i.nominal_energies = r[48], i.fluence_modes = r[49], i.technique = r[50], i.technique_rule = r[51], i.machines = r[52], i.total_mu = r[53], i.patient_positions = r[54], i.isocenters = r[55], i.duplicate_numbers = r[56], i.n_long_decimals = r[57]
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
