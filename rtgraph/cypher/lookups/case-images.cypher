// Image series of structure sets and segmentations: those that they name, and those that share their frame of reference
// view: table
// returns: structure_set, frame_uid, series, modality, n_named, n_missing, listed, by_frame, same_study, same_patient, series_frames, n_instances
// identifying: none
// param structure_sets: list of string   SOPInstanceUIDs
// try: :param structure_sets => COLLECT { MATCH (s:RTStruct) RETURN s.SOPInstanceUID ORDER BY s.SOPInstanceUID LIMIT 5 }
MATCH (st:Study)-[:HAS_SERIES]->(own:Series)-[:HAS_INSTANCE]->(s:RTStruct|Segmentation)
WHERE s.SOPInstanceUID IN $structure_sets
WITH DISTINCT s, st, own,
     COLLECT { MATCH (s)-[r:REFERENCES]->(i:Instance)<-[:HAS_INSTANCE]-(e:Series)
               WHERE s:Segmentation OR r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE'] RETURN DISTINCT e } AS named,
     COLLECT { MATCH (s)-[:REFERENCES_SERIES]->(e:Series) RETURN DISTINCT e } AS listed,
     COLLECT { MATCH (own)-[:IN_FRAME]->(f:FrameOfReference)<-[:IN_FRAME]-(e:Series)
               WHERE s.frame_uid = f.FrameOfReferenceUID AND e.Modality IN ['CT', 'MR', 'PT'] RETURN DISTINCT e } AS framed
UNWIND named + [e IN listed WHERE NOT e IN named] + [e IN framed WHERE NOT e IN named AND NOT e IN listed] AS e
RETURN s.SOPInstanceUID AS structure_set, s.frame_uid AS frame_uid, e.SeriesInstanceUID AS series, e.Modality AS modality,
       COUNT { MATCH (s)-[r:REFERENCES]->(i:Instance)<-[:HAS_INSTANCE]-(e) WHERE s:Segmentation OR r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE'] RETURN DISTINCT i } AS n_named,
       COUNT { MATCH (s)-[r:REFERENCES]->(i:Missing)<-[:HAS_INSTANCE]-(e) WHERE s:Segmentation OR r.role IN ['STRUCTURE_SET_IMAGE', 'CONTOUR_IMAGE'] RETURN DISTINCT i } AS n_missing,
       e IN listed AS listed, e IN framed AS by_frame, EXISTS { (st)-[:HAS_SERIES]->(e) } AS same_study,
       EXISTS { MATCH (st)<-[:HAS_STUDY]-(k:Patient) WHERE EXISTS { (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(e) } } AS same_patient,
       coalesce(e.frame_uids, []) AS series_frames, coalesce(e.n_instances, 0) AS n_instances
ORDER BY structure_set, series;
