// Frames of reference by what is in them, for the comparison of two graphs
// view: table
// returns: kind, series, n_patients, n
// identifying: none
MATCH (f:FrameOfReference)
CALL (f) {
  MATCH (f)<-[:IN_FRAME]-(s:Series)
  WITH coalesce(s.Modality, '-') AS modality, count(s) AS k
  ORDER BY modality
  RETURN collect(modality + ' ' + toString(k)) AS series
}
WITH f.kind AS kind, series, coalesce(f.n_patients, 0) AS n_patients
RETURN kind, series, n_patients, count(*) AS n
ORDER BY kind, n_patients, series;
