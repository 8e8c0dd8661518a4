// References of each role between families, resolved or not, for the comparison of two graphs
// view: table
// returns: role, source, target, resolved, same_frame, n
// identifying: none
MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance)
WITH r.role AS role, NOT b:Missing AS resolved,
     [l IN labels(a) WHERE NOT l IN ['Instance', 'Series', 'Missing', 'Image']] AS sources,
     [l IN labels(b) WHERE NOT l IN ['Instance', 'Missing', 'Image']] AS targets,
     CASE WHEN a:Series THEN CASE WHEN size(a.frame_uids) = 1 THEN a.frame_uids[0] END ELSE a.frame_uid END AS source_frame,
     b.frame_uid AS target_frame
WITH role, resolved, source_frame = target_frame AS same_frame,
     reduce(text = '', l IN sources | CASE WHEN text < l THEN l ELSE text END) AS source,
     reduce(text = '', l IN targets | CASE WHEN text < l THEN l ELSE text END) AS target
RETURN role, source, target, resolved, same_frame, count(*) AS n
ORDER BY role, source, target, resolved, same_frame;
