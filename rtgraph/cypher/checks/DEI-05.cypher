// Labels and free text hold no names and no dates
// id: DEI-05
// severity: warning
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:Instance) WHERE i.suspect_text IS NOT NULL RETURN count(i) AS n
// identifying: none
// fix: Clean StructureSetLabel, RTPlanLabel, ROIName, descriptions and comments.
// source: practice: PS3.15 Annex E (Clean Descriptors Option)
// why: Labels and comments are typed by people, who write names and dates into them.
// not: ROI names with dose levels or days of contouring, and common words that are a surname too, are reported: it is a heuristic.
MATCH (i:Instance)
WHERE size(i.suspect_text) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, null AS target,
       {keywords: i.suspect_text} AS detail
ORDER BY patient_key, subject, target;
