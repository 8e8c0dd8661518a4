// No slice position occurs twice and no slice is missing
// id: IMG-04
// severity: error
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (s:Series {layer: 0}) WHERE s.n_slice_gaps IS NOT NULL RETURN count(s) AS n
// identifying: none
// fix: Retrieve the series again; split temporal or echo stacks.
// source: practice (PS3.3 C.7.6.2.1.1, Image Position and Image Orientation)
// why: A slice that is there twice or not at all makes every volume, mask and dose sum of the series wrong.
// not: Stacks that lie over each other, as in 4D, dynamic, multi-echo and diffusion series, are no finding: as many slices at each position as at most of them are phases. MR and PT, whose slices may come in groups, and series of several acquisitions are warnings.
MATCH (s:Series {layer: 0})
WHERE s.n_slice_gaps > 0 OR s.n_duplicate_positions > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       CASE WHEN s:MRSeries OR s:PTSeries OR s.n_acquisition_numbers > 1 THEN 'WARNING' ELSE 'ERROR' END AS severity,
       {duplicates: s.n_duplicate_positions, gaps: s.n_slice_gaps, max_step: s.slice_spacing_max} AS detail
ORDER BY patient_key, subject, target;
