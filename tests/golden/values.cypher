UNWIND $rows AS r
MATCH (n:Patient {patient_key: r[0]})
WHERE n.props_from IS NULL OR r[1] <= n.props_from
SET n.props_from = r[1], n.PatientID = r[2], n.IssuerOfPatientID = r[3], n.PatientName = r[4], n.PatientName_ideographic = r[5], n.PatientName_phonetic = r[6], n.PatientName_norm = r[7], n.PatientBirthDate = date(r[8]), n.PatientSex = r[9];
UNWIND $rows AS r
MATCH (n:Study {StudyInstanceUID: r[0]})
WHERE n.props_from IS NULL OR r[1] <= n.props_from
SET n.props_from = r[1], n.StudyDate = date(r[2]), n.StudyTime = localtime(r[3]), n.StudyTime_precision = r[4], n.StudyDescription = r[5], n.StudyID = r[6], n.AccessionNumber = r[7], n.PatientAge = r[8], n.PatientWeight = r[9], n.PatientSize = r[10], n.study_datetime = localdatetime(r[11]);
UNWIND $rows AS r
MATCH (n:Series {SeriesInstanceUID: r[0]})
WHERE n.props_from IS NULL OR r[1] <= n.props_from
SET n.props_from = r[1], n.Modality = r[2], n.SeriesNumber = r[3], n.SeriesDescription = r[4], n.SeriesDate = date(r[5]), n.SeriesTime = localtime(r[6]), n.SeriesTime_precision = r[7], n.ProtocolName = r[8], n.BodyPartExamined = r[9], n.Laterality = r[10], n.PatientPosition = r[11], n.Manufacturer = r[12], n.ManufacturerModelName = r[13], n.StationName = r[14], n.DeviceSerialNumber = r[15], n.SoftwareVersions = r[16], n.InstitutionName = r[17], n.TreatmentSessionUID = r[18], n.Rows = r[19], n.Columns = r[20], n.PixelSpacing = r[21], n.SliceThickness = r[22], n.ImageOrientationPatient = r[23], n.GantryDetectorTilt = r[24], n.ImageType = r[25], n.KVP = r[26], n.ConvolutionKernel = r[27], n.ReconstructionDiameter = r[28], n.ScanOptions = r[29], n.ContrastBolusAgent = r[30], n.MagneticFieldStrength = r[31], n.ScanningSequence = r[32], n.SequenceVariant = r[33], n.MRAcquisitionType = r[34], n.RepetitionTime = r[35], n.EchoTime = r[36], n.InversionTime = r[37], n.FlipAngle = r[38], n.DiffusionBValue = r[39], n.Units = r[40], n.CorrectedImage = r[41], n.DecayCorrection = r[42], n.SeriesType = r[43], n.ReconstructionMethod = r[44], n.series_datetime = localdatetime(r[45]);
