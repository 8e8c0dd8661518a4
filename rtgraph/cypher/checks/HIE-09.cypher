// The store holds as many instances and series as the archive or manifest announced
// id: HIE-09
// severity: error
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (x:Series|Study) WHERE x.expected_n_instances IS NOT NULL OR x.expected_n_series IS NOT NULL RETURN count(x) AS n
// identifying: none
// fix: Retrieve the series again.
// source: practice: NumberOfSeriesRelatedInstances and NumberOfStudyRelatedSeries of the archive (PS3.4 C.6.2, Study Root Query/Retrieve)
// why: A transfer that broke off leaves a series that looks whole; only the number that the archive announced tells.
// not: A series of which nothing arrived, or series of a study that are not known here, are warnings: the request may have asked for other types of objects. An archive that grew after the retrieval makes a finding that a new retrieval ends.
CALL () {
  MATCH (s:Series)
  WHERE s.expected_n_instances > coalesce(s.n_instances, 0)
  RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
         s.SeriesInstanceUID AS subject, CASE WHEN s:Missing THEN 'WARNING' ELSE 'ERROR' END AS severity,
         {expected: s.expected_n_instances, have: coalesce(s.n_instances, 0)} AS detail
  UNION ALL
  MATCH (t:Study)
  WITH t, COUNT { (t)-[:HAS_SERIES]->(:Series) } AS known
  WHERE t.expected_n_series > known
  RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(t) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
         t.StudyInstanceUID AS subject, 'WARNING' AS severity,
         {expected: t.expected_n_series, have: known} AS detail
}
RETURN patient_key, subject, null AS target, severity, detail
ORDER BY patient_key, subject, target;
