UNWIND $rows AS r
MATCH (n:Patient {patient_key: r[0]})
WHERE n.props_from IS NULL OR r[1] <= n.props_from
SET n.props_from = r[1], n.PatientID = r[2], n.IssuerOfPatientID = r[3], n.PatientName = r[4], n.PatientBirthDate = r[5], n.PatientSex = r[6];
UNWIND $rows AS r
MATCH (n:Study {StudyInstanceUID: r[0]})
WHERE n.props_from IS NULL OR r[1] <= n.props_from
SET n.props_from = r[1], n.StudyDate = r[2], n.StudyTime = r[3], n.StudyDescription = r[4], n.StudyID = r[5], n.AccessionNumber = r[6], n.PatientAge = r[7], n.PatientWeight = r[8], n.PatientSize = r[9], n.study_datetime = r[10];
UNWIND $rows AS r
MATCH (n:Series {SeriesInstanceUID: r[0]})
WHERE n.props_from IS NULL OR r[1] <= n.props_from
SET n.props_from = r[1], n.Modality = r[2], n.SeriesNumber = r[3], n.SeriesDescription = r[4], n.SeriesDate = r[5], n.SeriesTime = r[6], n.ProtocolName = r[7], n.BodyPartExamined = r[8], n.Laterality = r[9], n.PatientPosition = r[10], n.Manufacturer = r[11], n.ManufacturerModelName = r[12], n.StationName = r[13], n.DeviceSerialNumber = r[14], n.SoftwareVersions = r[15], n.InstitutionName = r[16], n.TreatmentSessionUID = r[17], n.Rows = r[18], n.Columns = r[19], n.PixelSpacing = r[20], n.SliceThickness = r[21], n.ImageOrientationPatient = r[22], n.GantryDetectorTilt = r[23], n.ImageType = r[24], n.KVP = r[25], n.ConvolutionKernel = r[26], n.ReconstructionDiameter = r[27], n.ScanOptions = r[28], n.ContrastBolusAgent = r[29], n.MagneticFieldStrength = r[30], n.ScanningSequence = r[31], n.SequenceVariant = r[32], n.MRAcquisitionType = r[33], n.RepetitionTime = r[34], n.EchoTime = r[35], n.InversionTime = r[36], n.FlipAngle = r[37], n.DiffusionBValue = r[38], n.Units = r[39], n.CorrectedImage = r[40], n.DecayCorrection = r[41], n.SeriesType = r[42], n.ReconstructionMethod = r[43], n.series_datetime = r[44];
