UNWIND $rows AS g
MATCH (i:Instance {SOPInstanceUID: g[0]})
UNWIND g[1] AS r
CREATE (i)-[:HAS_BEAM {index: r[1]}]->(p:Beam {key: g[0] + r[0]})
SET p.BeamNumber = r[2], p.BeamName = r[3], p.BeamType = r[4], p.RadiationType = r[5], p.TreatmentDeliveryType = r[6], p.HighDoseTechniqueType = r[7], p.TreatmentMachineName = r[8], p.NumberOfControlPoints = r[9], p.NumberOfWedges = r[10], p.NumberOfBlocks = r[11], p.NumberOfBoli = r[12], p.FinalCumulativeMetersetWeight = r[13], p.SourceAxisDistance = r[14], p.ScanMode = r[15], p.NominalBeamEnergy = r[16], p.BeamLimitingDeviceAngle = r[17], p.PatientSupportAngle = r[18], p.IsocenterPosition = r[19], p.fluence_mode = r[20], p.gantry_start = r[21], p.gantry_stop = r[22], p.gantry_span = r[23], p.beam_energy_min = r[24], p.beam_energy_max = r[25], p.technique = r[26], p.roi_refs = r[27];
