// A volume series comes from one acquisition
// id: IMG-09
// severity: warning
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (s:Series {layer: 0}) WHERE s.n_acquisition_numbers IS NOT NULL RETURN count(s) AS n
// identifying: none
// fix: Split by AcquisitionNumber when positions overlap.
// source: practice (PS3.3 C.7.10.1, General Acquisition Module: Acquisition Number)
// why: Two acquisitions in one series are two volumes, perhaps with the patient in another state of breathing.
// not: Acquisitions that lie side by side, as of step-and-shoot scans and MR slabs, are no finding: there must be more slices than places. PT takes an acquisition for each bed position, and phases of a 4D series are meant to lie over each other.
MATCH (s:Series {layer: 0})
WHERE s.n_acquisition_numbers > 1 AND NOT s:PTSeries AND s.phase_label IS NULL
  AND s.n_instances - coalesce(s.n_localizers, 0) > (s.extent_mm[1] - s.extent_mm[0]) / s.slice_spacing + 1.5
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       {acquisitions: s.n_acquisition_numbers, instances: s.n_instances, extent_mm: s.extent_mm, spacing: s.slice_spacing} AS detail
ORDER BY patient_key, subject, target;
