// No private elements are left
// id: DEI-03
// severity: warning
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (s:Series) WHERE s.n_private_elements IS NOT NULL RETURN count(s) AS n
// identifying: none
// fix: Remove, or keep by an allow list.
// source: practice: PS3.15 Annex E (Basic Application Level Confidentiality Profile: private attributes are removed)
// why: Private elements may hold names, dates and free text that no profile knows.
// not: Private elements that are known to be safe, as of diffusion or of dose calculation, are reported: keep them by an agreed list and waive the finding.
MATCH (s:Series)
WHERE s.n_private_elements > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       {elements: s.n_private_elements, modality: s.Modality} AS detail
ORDER BY patient_key, subject, target;
