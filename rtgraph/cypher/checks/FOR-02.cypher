// Each frame used by an ROI is listed in the structure set
// id: FOR-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.ReferencedFrameOfReferenceUID IS NOT NULL RETURN count(roi) AS n
// identifying: none
// fix: Report to the sender.
// source: PS3.3 C.8.8.5 (Structure Set Module: Referenced Frame of Reference UID of an ROI, Referenced Frame of Reference Sequence)
// why: An ROI in a frame that its structure set does not list has coordinates that belong to no known image.
// not: A structure set without any frame list whose module frame is that of the ROI is INFO.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE roi.ReferencedFrameOfReferenceUID IS NOT NULL AND NOT EXISTS {
  (i)-[:REFERENCES_FRAME {role: 'STRUCTURE_SET_FRAME'}]->(f:FrameOfReference) WHERE f.FrameOfReferenceUID = roi.ReferencedFrameOfReferenceUID }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       roi.key AS subject, roi.ReferencedFrameOfReferenceUID AS target,
       CASE WHEN roi.ReferencedFrameOfReferenceUID = i.frame_uid
         AND NOT EXISTS { (i)-[:REFERENCES_FRAME {role: 'STRUCTURE_SET_FRAME'}]->(:FrameOfReference) } THEN 'INFO' ELSE 'ERROR' END AS severity,
       {roi: roi.ROIName, structure_set: i.SOPInstanceUID} AS detail
ORDER BY patient_key, subject, target;
