// What refers to an object, a series or a study
// view: table
// returns: role, object, modality, label, series, missing
// identifying: none
// param object: string   SOPInstanceUID, SeriesInstanceUID or StudyInstanceUID
// try: :param object => '1.2.840.99.7'
MATCH (a:Instance|Series)-[r:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]->(b:Instance|Series|Study)
WHERE (b.SOPInstanceUID = $object OR b.SeriesInstanceUID = $object OR b.StudyInstanceUID = $object) AND (b:Instance OR type(r) <> 'REFERENCES')
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(a)
WITH a, r, b, min(s.SeriesInstanceUID) AS series
RETURN r.role AS role, coalesce(a.SOPInstanceUID, a.SeriesInstanceUID, a.StudyInstanceUID) AS object, a.Modality AS modality,
       coalesce(a.StructureSetLabel, a.RTPlanLabel, a.DoseSummationType, a.ContentLabel, a.SeriesDescription) AS label, series, a:Missing AS missing
ORDER BY role, series, object;
