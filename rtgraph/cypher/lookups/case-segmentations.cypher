// Segmentations of image series
// view: table
// returns: series, segmentation, frame_uid
// identifying: none
// param series: list of string   SeriesInstanceUIDs of images
// try: :param series => COLLECT { MATCH (:Segmentation)-[:REFERENCES_SERIES]->(e:Series) RETURN e.SeriesInstanceUID ORDER BY e.SeriesInstanceUID LIMIT 5 }
MATCH (e:Series)
WHERE e.SeriesInstanceUID IN $series
MATCH (g:Segmentation)
WHERE NOT g:Missing AND (EXISTS { (g)-[:REFERENCES_SERIES]->(e) } OR EXISTS { (g)-[:REFERENCES]->(:Instance)<-[:HAS_INSTANCE]-(e) })
RETURN e.SeriesInstanceUID AS series, g.SOPInstanceUID AS segmentation, g.frame_uid AS frame_uid
ORDER BY series, segmentation;
