// The file meta header names the same object as the data set
// id: HIE-07
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:Instance) WHERE NOT i:Missing RETURN count(i) AS n
// identifying: file
// fix: Rewrite the file meta header from the data set. The graph always uses the data set.
// source: PS3.10 7.1 (DICOM File Meta Information: Media Storage SOP Class UID and SOP Instance UID)
// why: A tool that trusts the file meta header files the object under another UID than one that reads the data set.
// not: A file without a meta header has nothing to compare.
MATCH (i:Instance)
WHERE i.meta_sop_instance_uid IS NOT NULL OR i.meta_sop_class_uid IS NOT NULL
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, i.meta_sop_instance_uid AS target,
       {meta_class: i.meta_sop_class_uid, file: i.file_path} AS detail
ORDER BY patient_key, subject, target;
