// A structure set is drawn on one image series
// id: STR-08
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (i:RTStruct)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(:Instance) RETURN count(DISTINCT i) AS n
// identifying: none
// fix: Choose the series that carries the contours (CONTOURED_ON).
// source: PS3.3 C.8.8.5 (Structure Set Module: RT Referenced Series Sequence)
// why: A tool that takes the first listed series may draw the contours on another scan.
// not: Phases of a 4D scan, and series that are listed while all contours lie on one of them, such as a registered secondary image, are INFO.
MATCH (i:RTStruct)-[r:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(:Instance)<-[:HAS_INSTANCE]-(b:Series)
WITH i, b, count(r) AS images ORDER BY b.SeriesInstanceUID
WITH i, collect({series: b.SeriesInstanceUID, images: images}) AS listed, count(b.phase_label) AS phases
WHERE size(listed) > 1
WITH i, listed, phases, COUNT { MATCH (i)-[:HAS_ROI]->(:ROI)-[:CONTOURED_ON]->(b:Series) RETURN DISTINCT b } AS drawn
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, null AS target,
       CASE WHEN phases = size(listed) OR drawn = 1 THEN 'INFO' ELSE 'WARNING' END AS severity,
       {series: listed[..10], n_drawn_on: drawn} AS detail
ORDER BY patient_key, subject, target;
