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
// not: Acquisitions that do not lie over each other, as of step-and-shoot scans and MR slabs, are no finding; PT takes an acquisition for each bed position.
MATCH (s:Series {layer: 0})
WHERE s.n_acquisition_numbers > 1 AND coalesce(s.n_duplicate_positions, 1) > 0 AND NOT s:PTSeries
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       {acquisitions: s.n_acquisition_numbers, duplicates: s.n_duplicate_positions} AS detail
ORDER BY patient_key, subject, target;
