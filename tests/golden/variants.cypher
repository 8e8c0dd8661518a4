UNWIND $rows AS r
MATCH (s:Series {SeriesInstanceUID: r[0]})
WITH s, r[1] AS new
WHERE s.variants IS NULL OR any(v IN new WHERE NOT v IN s.variants)
SET s.variants = COLLECT {
  UNWIND coalesce(s.variants, []) + new AS v RETURN DISTINCT v ORDER BY v };
