// Other series in the frame of reference of a series
// view: table
// returns: patient_key, frame, series, modality, description, n_instances
// identifying: none
// param series: string   SeriesInstanceUID
// try: :param series => '1.2.840.99.7'
MATCH (a:Series {SeriesInstanceUID: $series})-[:IN_FRAME]->(f:FrameOfReference)<-[:IN_FRAME]-(s:Series)
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, f.FrameOfReferenceUID AS frame, s.SeriesInstanceUID AS series, s.Modality AS modality,
       s.SeriesDescription AS description, coalesce(s.n_instances, 0) AS n_instances
ORDER BY frame, modality, series;
