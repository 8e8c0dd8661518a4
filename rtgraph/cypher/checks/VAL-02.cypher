// UIDs have at most 64 characters, digits and dots only, no leading zero in a component
// id: VAL-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (x:Instance|Series|Study|FrameOfReference) RETURN count(x) AS n
// identifying: none
// fix: Never repair in the graph; remap at the source together with all references.
// source: PS3.5 9.1 (UID Encoding Rules)
CALL () {
  MATCH (i:Instance)
  WHERE NOT i.SOPInstanceUID =~ '(0|[1-9][0-9]*)([.](0|[1-9][0-9]*))+' OR size(i.SOPInstanceUID) > 64
  RETURN head([(pt:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->()-[:HAS_INSTANCE]->(i) | pt.patient_key]) AS patient_key, i.SOPInstanceUID AS subject, {kind: 'instance', length: size(i.SOPInstanceUID)} AS detail
  UNION ALL
  MATCH (s:Series)
  WHERE NOT s.SeriesInstanceUID =~ '(0|[1-9][0-9]*)([.](0|[1-9][0-9]*))+' OR size(s.SeriesInstanceUID) > 64
  RETURN head([(pt:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->(s) | pt.patient_key]) AS patient_key, s.SeriesInstanceUID AS subject, {kind: 'series', length: size(s.SeriesInstanceUID)} AS detail
  UNION ALL
  MATCH (t:Study)
  WHERE NOT t.StudyInstanceUID =~ '(0|[1-9][0-9]*)([.](0|[1-9][0-9]*))+' OR size(t.StudyInstanceUID) > 64
  RETURN head([(pt:Patient)-[:HAS_STUDY]->(t) | pt.patient_key]) AS patient_key, t.StudyInstanceUID AS subject, {kind: 'study', length: size(t.StudyInstanceUID)} AS detail
  UNION ALL
  MATCH (f:FrameOfReference)
  WHERE f.kind <> 'IMAGE_IMPLICIT' AND (NOT f.FrameOfReferenceUID =~ '(0|[1-9][0-9]*)([.](0|[1-9][0-9]*))+' OR size(f.FrameOfReferenceUID) > 64)
  RETURN f.patient_key AS patient_key, f.FrameOfReferenceUID AS subject, {kind: 'frame', length: size(f.FrameOfReferenceUID)} AS detail
}
RETURN patient_key, subject, null AS target, detail
ORDER BY patient_key, subject, target;
