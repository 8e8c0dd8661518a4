// Contours name only images that the structure set lists
// id: STR-06
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE roi.n_images > 0 AND EXISTS { (i)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(:Instance) } RETURN count(DISTINCT i) AS n
// identifying: none
// fix: Use the images the contours name; report to the sender.
// source: PS3.3 C.8.8.5 (RT Referenced Series Sequence, Contour Image Sequence), C.8.8.6 (ROI Contour Module)
// why: Whoever loads the images that the structure set lists does not have those the contours lie on.
// not: A structure set without any image list is no finding, nor is a list that is cut to the slices with contours.
MATCH (i:RTStruct)-[r:REFERENCES {role: 'CONTOUR_IMAGE'}]->(b:Instance)
WHERE NOT EXISTS { (i)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(b) } AND EXISTS { (i)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(:Instance) }
OPTIONAL MATCH (b)<-[:HAS_INSTANCE]-(s:Series)
WITH i, s, count(b) AS images, sum(r.n) AS contours, min(b.SOPInstanceUID) AS first
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, coalesce(s.SeriesInstanceUID, first) AS target,
       {images: images, contours: contours, listed_series: i.listed_series} AS detail
ORDER BY patient_key, subject, target;
