UNWIND $rows AS g
MATCH (s:Series {SeriesInstanceUID: g[0]})
UNWIND g[1] AS r
MERGE (i:Instance {SOPInstanceUID: r[0]})
ON CREATE SET i:RTPlan, i.run_id = $run, i.parser_version = $parser,
  i.SOPClassUID = r[1], i.Modality = r[2], i.InstanceNumber = r[3], i.InstanceCreationDate = date(r[4]), i.NumberOfFrames = r[5], i.instance_datetime = localdatetime(r[6]), i.frame_uid = r[7], i.frame_source = r[8], i.file_path = r[9], i.file_size = r[10], i.file_mtime = r[11], i.slice_position = r[12], i.transfer_syntax = r[13], i.kept = r[14], i.header_digest = r[15], i.meta_sop_instance_uid = r[16], i.meta_sop_class_uid = r[17], i.truncated = r[18], i.invalid_keywords = r[19], i.invalid_reasons = r[20], i.invalid_values = r[21], i.RTPlanLabel = r[22], i.RTPlanName = r[23], i.RTPlanDate = date(r[24]), i.RTPlanTime = localtime(r[25]), i.RTPlanTime_precision = r[26], i.PlanIntent = r[27], i.RTPlanGeometry = r[28], i.TreatmentProtocols = r[29], i.TreatmentSite = r[30], i.ApprovalStatus = r[31], i.ReviewDate = date(r[32]), i.plan_datetime = localdatetime(r[33]), i.n_beams = r[34], i.n_treatment_beams = r[35], i.n_setup_beams = r[36], i.n_fraction_groups = r[37], i.n_fractions_planned = r[38], i.n_long_decimals = r[39]
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
SET i:RTPlan, i.parser_version = $parser, i.SOPClassUID = r[1], i.Modality = r[2], i.InstanceNumber = r[3], i.InstanceCreationDate = date(r[4]), i.NumberOfFrames = r[5], i.instance_datetime = localdatetime(r[6]), i.frame_uid = r[7], i.frame_source = r[8], i.file_path = r[9], i.file_size = r[10], i.file_mtime = r[11], i.slice_position = r[12], i.transfer_syntax = r[13], i.kept = r[14], i.header_digest = r[15], i.meta_sop_instance_uid = r[16], i.meta_sop_class_uid = r[17], i.truncated = r[18], i.invalid_keywords = r[19], i.invalid_reasons = r[20], i.invalid_values = r[21], i.RTPlanLabel = r[22], i.RTPlanName = r[23], i.RTPlanDate = date(r[24]), i.RTPlanTime = localtime(r[25]), i.RTPlanTime_precision = r[26], i.PlanIntent = r[27], i.RTPlanGeometry = r[28], i.TreatmentProtocols = r[29], i.TreatmentSite = r[30], i.ApprovalStatus = r[31], i.ReviewDate = date(r[32]), i.plan_datetime = localdatetime(r[33]), i.n_beams = r[34], i.n_treatment_beams = r[35], i.n_setup_beams = r[36], i.n_fraction_groups = r[37], i.n_fractions_planned = r[38], i.n_long_decimals = r[39]
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
