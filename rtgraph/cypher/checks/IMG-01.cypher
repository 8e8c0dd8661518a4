// An image volume used for contouring has regular slice spacing and no gap
// id: IMG-01
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:Series)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(b:Series) WHERE b.slice_spacing IS NOT NULL RETURN count(DISTINCT b) AS n
// identifying: none
// fix: Resample by true positions; never by index times spacing.
// source: practice (PS3.3 C.7.6.2.1.1, Image Position and Image Orientation)
// why: Software that multiplies the index of a slice by one spacing puts contours and dose in the wrong place.
// not: A planning CT with two slice distances on purpose is reported: the volume must be resampled by position all the same.
MATCH (:Series)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(b:Series)
WITH DISTINCT b
WHERE b.slice_spacing_max - b.slice_spacing_min > 0.01 + 0.01 * b.slice_spacing
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(b) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       b.SeriesInstanceUID AS subject, null AS target,
       {median: b.slice_spacing, min: b.slice_spacing_min, max: b.slice_spacing_max} AS detail
ORDER BY patient_key, subject, target;
