// All instances of a series have one Modality, and it fits the SOP class
// id: HIE-05
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (s:Series) WHERE NOT s:Missing RETURN count(s) AS n
// identifying: none
// fix: Report to the sender; read as it is, families follow the SOP class.
// source: PS3.3 C.7.3.1.1.1 (Modality) and the Series modules of the IODs (A.3, A.4, A.19, A.20 and so on)
// why: Tools choose objects by Modality; one that does not fit the class of the object is left out of cohorts or read as something else.
// not: Secondary captures may stand in the series of a scanner, also with the Modality OT. Derived images of a CT, MR, PT or NM class may be OT.
WITH [
  {classes: ['1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.2.1', '1.2.840.10008.5.1.4.1.1.2.2'], modalities: ['CT']},
  {classes: ['1.2.840.10008.5.1.4.1.1.4', '1.2.840.10008.5.1.4.1.1.4.1', '1.2.840.10008.5.1.4.1.1.4.2', '1.2.840.10008.5.1.4.1.1.4.3', '1.2.840.10008.5.1.4.1.1.4.4'], modalities: ['MR']},
  {classes: ['1.2.840.10008.5.1.4.1.1.128', '1.2.840.10008.5.1.4.1.1.128.1', '1.2.840.10008.5.1.4.1.1.130'], modalities: ['PT']},
  {classes: ['1.2.840.10008.5.1.4.1.1.20'], modalities: ['NM']},
  {classes: ['1.2.840.10008.5.1.4.1.1.1'], modalities: ['CR']},
  {classes: ['1.2.840.10008.5.1.4.1.1.481.1', '1.2.840.10008.5.1.4.1.1.481.23', '1.2.840.10008.5.1.4.1.1.481.24'], modalities: ['RTIMAGE']},
  {classes: ['1.2.840.10008.5.1.4.1.1.481.2'], modalities: ['RTDOSE']},
  {classes: ['1.2.840.10008.5.1.4.1.1.481.3'], modalities: ['RTSTRUCT']},
  {classes: ['1.2.840.10008.5.1.4.1.1.481.5', '1.2.840.10008.5.1.4.1.1.481.8'], modalities: ['RTPLAN']},
  {classes: ['1.2.840.10008.5.1.4.1.1.481.4', '1.2.840.10008.5.1.4.1.1.481.6', '1.2.840.10008.5.1.4.1.1.481.7', '1.2.840.10008.5.1.4.1.1.481.9'], modalities: ['RTRECORD']},
  {classes: ['1.2.840.10008.5.1.4.1.1.481.10'], modalities: ['RTINTENT']},
  {classes: ['1.2.840.10008.5.1.4.1.1.481.11'], modalities: ['RTSEGANN']},
  {classes: ['1.2.840.10008.5.1.4.1.1.481.12', '1.2.840.10008.5.1.4.1.1.481.13', '1.2.840.10008.5.1.4.1.1.481.14', '1.2.840.10008.5.1.4.1.1.481.15', '1.2.840.10008.5.1.4.1.1.481.16', '1.2.840.10008.5.1.4.1.1.481.17', '1.2.840.10008.5.1.4.1.1.481.18', '1.2.840.10008.5.1.4.1.1.481.19', '1.2.840.10008.5.1.4.1.1.481.20'], modalities: ['RTRAD']},
  {classes: ['1.2.840.10008.5.1.4.1.1.481.21', '1.2.840.10008.5.1.4.1.1.481.22', '1.2.840.10008.5.1.4.1.1.481.25'], modalities: ['PLAN']},
  {classes: ['1.2.840.10008.5.1.4.1.1.66.1', '1.2.840.10008.5.1.4.1.1.66.3'], modalities: ['REG']},
  {classes: ['1.2.840.10008.5.1.4.1.1.66.2'], modalities: ['FID']},
  {classes: ['1.2.840.10008.5.1.4.1.1.66.4', '1.2.840.10008.5.1.4.1.1.66.5', '1.2.840.10008.5.1.4.1.1.66.7'], modalities: ['SEG']},
  {classes: ['1.2.840.10008.5.1.4.1.1.67'], modalities: ['RWV']},
  {classes: ['1.2.840.10008.5.1.4.1.1.88.59'], modalities: ['KO']},
  {classes: ['1.2.840.10008.5.1.4.1.1.88.11', '1.2.840.10008.5.1.4.1.1.88.22', '1.2.840.10008.5.1.4.1.1.88.33', '1.2.840.10008.5.1.4.1.1.88.34', '1.2.840.10008.5.1.4.1.1.88.67', '1.2.840.10008.5.1.4.1.1.88.68', '1.2.840.10008.5.1.4.1.1.88.73'], modalities: ['SR']},
  {classes: ['1.2.840.10008.5.1.4.34.7', '1.2.840.10008.5.1.4.34.10'], modalities: ['PLAN']}
] AS modality_table
MATCH (s:Series)
WHERE NOT s:Missing
WITH s,
     [m IN s.modalities_seen WHERE NOT (m = 'OT' AND any(c IN s.sop_classes WHERE c STARTS WITH '1.2.840.10008.5.1.4.1.1.7'))] AS modalities,
     [c IN s.sop_classes WHERE NOT (s.Modality = 'OT' AND s.ImageType[0] = 'DERIVED') AND any(x IN modality_table WHERE c IN x.classes
       AND none(m IN x.modalities WHERE m IN s.modalities_seen))] AS odd
WHERE size(modalities) > 1 OR size(odd) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SeriesInstanceUID AS subject, null AS target,
       {modalities: s.modalities_seen, odd_classes: odd} AS detail
ORDER BY patient_key, subject, target;
