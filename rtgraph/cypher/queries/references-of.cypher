// What an object or image series refers to
// view: table
// returns: role, object, modality, label, series, missing
// identifying: none
// param object: string   SOPInstanceUID, or SeriesInstanceUID of images
// try: :param object => '1.2.840.99.7'
MATCH (a:Instance|Series)-[r:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]->(b:Instance|Series|Study)
WHERE (a.SOPInstanceUID = $object OR a.SeriesInstanceUID = $object) AND (b:Instance OR type(r) <> 'REFERENCES')
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(b)
WITH a, r, b, min(s.SeriesInstanceUID) AS series
RETURN r.role AS role, coalesce(b.SOPInstanceUID, b.SeriesInstanceUID, b.StudyInstanceUID) AS object, b.Modality AS modality,
       coalesce(b.StructureSetLabel, b.RTPlanLabel, b.DoseSummationType, b.ContentLabel, b.SeriesDescription) AS label, series, b:Missing AS missing
ORDER BY role, series, object;
