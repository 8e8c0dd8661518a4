// CT and PT series have a rescale slope, intercept and type, constant where the modality demands it
// id: IMG-08
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (s:CTSeries|PTSeries) WHERE s.n_no_rescale IS NOT NULL AND none(c IN s.sop_classes WHERE c IN ['1.2.840.10008.5.1.4.1.1.2.1', '1.2.840.10008.5.1.4.1.1.2.2', '1.2.840.10008.5.1.4.1.1.130', '1.2.840.10008.5.1.4.1.1.128.1']) RETURN count(s) AS n
// identifying: none
// fix: Apply the values slice by slice.
// source: practice (PS3.3 C.8.2.1, CT Image Module: Rescale Slope, Intercept, Type; C.8.9.4, PET Image Module)
// why: Without slope and intercept the stored numbers are no HU and no activity.
// not: The slope of PT varies from slice to slice. Localizers in a CT series may have values of their own, secondary captures have none. A CBCT may have other units: INFO. Enhanced objects state the values frame by frame and are not looked at.
MATCH (s:CTSeries|PTSeries)
WHERE none(c IN s.sop_classes WHERE c IN ['1.2.840.10008.5.1.4.1.1.2.1', '1.2.840.10008.5.1.4.1.1.2.2', '1.2.840.10008.5.1.4.1.1.130', '1.2.840.10008.5.1.4.1.1.128.1'])
WITH s, CASE WHEN any(c IN s.sop_classes WHERE c STARTS WITH '1.2.840.10008.5.1.4.1.1.7')
       THEN COUNT { (s)-[:HAS_INSTANCE]->(i:Instance) WHERE i.SOPClassUID STARTS WITH '1.2.840.10008.5.1.4.1.1.7' } ELSE 0 END AS captures
WHERE s.n_no_rescale > captures OR (s:CTSeries AND size(s.rescale_values) > CASE WHEN s.n_localizers > 0 THEN 2 ELSE 1 END)
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       CASE WHEN s.is_cbct THEN 'INFO' ELSE 'WARNING' END AS severity,
       {without: s.n_no_rescale, values: s.rescale_values} AS detail
ORDER BY patient_key, subject, target;
