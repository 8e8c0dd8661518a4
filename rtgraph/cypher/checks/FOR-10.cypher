// Original images of one frame come from one device
// id: FOR-10
// severity: info
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (f:FrameOfReference {kind: 'PATIENT'})<-[:IN_FRAME]-(s:Series {layer: 0}) WHERE s.ImageType[0] = 'ORIGINAL' RETURN count(DISTINCT f) AS n
// identifying: none
// fix: Look whether the frame was copied by export software.
// source: practice: a frame is made by the device that acquires (PS3.3 C.7.4.1.1.1, Frame of Reference UID; C.7.5.1, General Equipment Module)
// why: A scanner makes a new frame for each patient on the table; the same frame from two devices was copied by software, and the images need not fit.
// not: A hybrid scanner (PET/CT, PET/MR, SPECT/CT) has a serial number for each modality. Station names count only where no serial number is stated, and never for MR.
MATCH (f:FrameOfReference {kind: 'PATIENT'})<-[:IN_FRAME]-(s:Series {layer: 0})
WHERE s.ImageType[0] = 'ORIGINAL'
WITH f, s.Modality AS modality, s.DeviceSerialNumber AS serial, s.StationName AS station ORDER BY serial, station
WITH f, collect(DISTINCT modality) AS modalities, collect(DISTINCT serial) AS serials,
     collect(DISTINCT CASE WHEN serial IS NULL AND modality <> 'MR' THEN station END) AS stations
WITH f, CASE WHEN size(serials) > 0 THEN serials ELSE stations END AS devices,
     CASE WHEN 'PT' IN modalities OR 'NM' IN modalities THEN size(modalities) ELSE 1 END AS allowed
WHERE size(devices) > allowed
RETURN f.patient_key AS patient_key, f.FrameOfReferenceUID AS subject, null AS target,
       {devices: devices[..10]} AS detail
ORDER BY patient_key, subject, target;
