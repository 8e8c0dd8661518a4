// UIDs have at most 64 characters, digits and dots only, no leading zero in a component
// id: VAL-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, kind
// population: MATCH (x:Instance|Series|Study|FrameOfReference) RETURN count(x) AS n
// identifying: none
// fix: Never repair in the graph; remap at the source together with all references.
// source: PS3.5 9.1 (UID Encoding Rules)
// why: Archives and networks refuse such UIDs, or change them on one side of a reference only.
// not: Sets marked as de-identified may have letters in their UIDs: a warning. They work as long as nothing changes them.
CALL () {
  MATCH (i:Instance)
  WHERE (NOT i.SOPInstanceUID =~ '(0|[1-9][0-9]*)([.](0|[1-9][0-9]*))+' OR size(i.SOPInstanceUID) > 64)
  RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k } + coalesce(i.referred_by_patients, [])) AS patient_key,
         i.SOPInstanceUID AS subject, 'instance' AS kind
  UNION ALL
  MATCH (s:Series)
  WHERE (NOT s.SeriesInstanceUID =~ '(0|[1-9][0-9]*)([.](0|[1-9][0-9]*))+' OR size(s.SeriesInstanceUID) > 64)
  RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN pt.patient_key AS k ORDER BY k } + coalesce(s.referred_by_patients, [])) AS patient_key,
         s.SeriesInstanceUID AS subject, 'series' AS kind
  UNION ALL
  MATCH (t:Study)
  WHERE (NOT t.StudyInstanceUID =~ '(0|[1-9][0-9]*)([.](0|[1-9][0-9]*))+' OR size(t.StudyInstanceUID) > 64)
  RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(t) RETURN pt.patient_key AS k ORDER BY k } + coalesce(t.referred_by_patients, [])) AS patient_key,
         t.StudyInstanceUID AS subject, 'study' AS kind
  UNION ALL
  MATCH (f:FrameOfReference)
  WHERE f.kind <> 'IMAGE_IMPLICIT' AND (NOT f.FrameOfReferenceUID =~ '(0|[1-9][0-9]*)([.](0|[1-9][0-9]*))+' OR size(f.FrameOfReferenceUID) > 64)
  RETURN f.patient_key AS patient_key, f.FrameOfReferenceUID AS subject, 'frame' AS kind
}
OPTIONAL MATCH (p:Patient {patient_key: patient_key})
RETURN patient_key, subject, null AS target,
       CASE WHEN p.PatientIdentityRemoved = 'YES' THEN 'WARNING' ELSE 'ERROR' END AS severity,
       {kind: kind, length: size(subject)} AS detail
ORDER BY patient_key, subject, target;
