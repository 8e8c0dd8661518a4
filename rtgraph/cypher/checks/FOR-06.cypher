// An image series that a structure set or registration uses has a frame of reference
// id: FOR-06
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:Series)-[r:REFERENCES]->(b:CTSeries|MRSeries|PTSeries) WHERE r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE', 'REGISTRATION_IMAGE'] AND b.n_instances > 0 AND any(c IN b.sop_classes WHERE NOT c STARTS WITH '1.2.840.10008.5.1.4.1.1.7') RETURN count(DISTINCT b) AS n
// identifying: none
// fix: Export the images with their frame.
// source: PS3.3 A.3.3, A.4.3, A.21.3 (Frame of Reference Module mandatory in CT, MR and PET Image IODs)
// why: Contours, doses and registrations cannot be placed on images that do not say in which coordinates they are.
// not: Secondary captures and projection images used as a background have no frame and are left out: only CT, MR and PT are looked at.
MATCH (:Series)-[r:REFERENCES]->(b:CTSeries|MRSeries|PTSeries)
WHERE r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE', 'REGISTRATION_IMAGE'] AND b.n_instances > 0
  AND any(c IN b.sop_classes WHERE NOT c STARTS WITH '1.2.840.10008.5.1.4.1.1.7') AND NOT EXISTS { (b)-[:IN_FRAME]->(:FrameOfReference) }
WITH b, collect(DISTINCT r.role) AS roles
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(b) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       b.SeriesInstanceUID AS subject, null AS target,
       {modality: b.Modality, roles: roles} AS detail
ORDER BY patient_key, subject, target;
