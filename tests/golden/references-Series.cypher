UNWIND $rows AS g
MATCH (a:Series {SeriesInstanceUID: g[0]})
UNWIND g[1] AS t
MERGE (b:Instance {SOPInstanceUID: t[0]})
ON CREATE SET b:Missing:Image:CTImage, b.stated_sop_class = t[2], b.first_seen_run = $run
MERGE (a)-[e:REFERENCES {role: t[1]}]->(b)
SET e.stated_sop_class = CASE WHEN e.stated_sop_class <= t[2] THEN e.stated_sop_class ELSE coalesce(t[2], e.stated_sop_class) END,
    e.path_id = CASE WHEN e.path_id <= t[4] THEN e.path_id ELSE t[4] END
WITH b
WHERE b:Missing
RETURN collect(DISTINCT b.SOPInstanceUID) AS missing;
UNWIND $rows AS g
MATCH (a:Series {SeriesInstanceUID: g[0]})
UNWIND g[1] AS t
MERGE (b:Instance {SOPInstanceUID: t[0]})
ON CREATE SET b:Missing:Image:CTImage, b.stated_sop_class = t[2], b.first_seen_run = $run
MERGE (a)-[e:REFERENCES {role: t[1]}]->(b)
SET e.stated_sop_class = CASE WHEN e.stated_sop_class <= t[2] THEN e.stated_sop_class ELSE coalesce(t[2], e.stated_sop_class) END,
    e.path_id = CASE WHEN e.path_id <= t[4] THEN e.path_id ELSE t[4] END,
    e.purpose = CASE WHEN t[7] IS NULL THEN e.purpose ELSE COLLECT { UNWIND coalesce(e.purpose, []) + t[7] AS x RETURN DISTINCT x ORDER BY x } END,
    e.derivation = CASE WHEN t[8] IS NULL THEN e.derivation ELSE COLLECT { UNWIND coalesce(e.derivation, []) + t[8] AS x RETURN DISTINCT x ORDER BY x } END,
    e.beam_numbers = CASE WHEN t[11] IS NULL THEN e.beam_numbers ELSE COLLECT { UNWIND coalesce(e.beam_numbers, []) + t[11] AS x RETURN DISTINCT x ORDER BY x } END,
    e.path = CASE WHEN e.path <= t[20] THEN e.path ELSE coalesce(t[20], e.path) END
WITH b
WHERE b:Missing
RETURN collect(DISTINCT b.SOPInstanceUID) AS missing;
