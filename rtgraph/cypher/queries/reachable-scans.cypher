// Image series that can be brought onto a series: same frame, or through registrations
// view: table
// returns: series, modality, description, n_registrations, kinds, deformable
// identifying: none
// param series: string   SeriesInstanceUID
// try: :param series => '1.2.840.99.7'
MATCH p = (a:Series {SeriesInstanceUID: $series})-[:IN_FRAME]->(:FrameOfReference)-[:REGISTERED_TO*0..3]-(f:FrameOfReference)<-[:IN_FRAME]-(b:Series)
WHERE a <> b AND b.layer = 0 AND NOT b:Missing AND all(x IN nodes(p)[1..-1] WHERE x.kind = 'PATIENT')
WITH b, length(p) - 2 AS n, [r IN relationships(p) WHERE type(r) = 'REGISTERED_TO' | r.matrix_type] AS kinds
ORDER BY n, size([k IN kinds WHERE k = 'DEFORMABLE'])
WITH b, collect({n: n, kinds: kinds})[0] AS best
RETURN b.SeriesInstanceUID AS series, b.Modality AS modality, b.SeriesDescription AS description, best.n AS n_registrations, best.kinds AS kinds,
       'DEFORMABLE' IN best.kinds AS deformable
ORDER BY n_registrations, modality, series;
