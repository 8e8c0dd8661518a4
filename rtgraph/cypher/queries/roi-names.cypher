// ROI names with their standard names, and how many ROIs have them
// view: table
// returns: name, standard, method, score, reviewer, n_rois, n_patients
// identifying: none
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(:RTStruct)-[:HAS_ROI]->(r:ROI)
WHERE r.ROIName IS NOT NULL
OPTIONAL MATCH (r)-[e:NAMED_AS]->(n:StandardName)
RETURN r.ROIName AS name, n.name AS standard, e.method AS method, e.score AS score, e.reviewer AS reviewer,
       count(DISTINCT r) AS n_rois, count(DISTINCT k) AS n_patients
ORDER BY name, standard;
