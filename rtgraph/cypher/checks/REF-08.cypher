// An image reference set is complete: no referenced slice is absent while others of the series are present
// id: REF-08
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target, role
// population: MATCH (q:ReferenceRole) WHERE q.quiet WITH collect(q.role) AS quiet MATCH (:Series)-[r:REFERENCES]->(:Series) WHERE r.n_targets > 0 AND NOT r.role IN quiet RETURN count(r) AS n
// identifying: none
// fix: Retrieve the series again; see IMG-04 for the gap.
// source: practice: the images a structure set or registration was made on are kept together (PS3.3 C.8.8.5, Contour Image Sequence)
// why: A series of which some slices came and some did not is the mark of a broken transfer; a volume made of it is too short or has a hole.
// not: Slices that were deleted on purpose after planning, such as a scout or a contrast phase, cannot be told apart and are reported.
MATCH (q:ReferenceRole)
WHERE q.quiet
WITH collect(q.role) AS quiet
MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance)<-[:HAS_INSTANCE]-(s:Series)
WHERE b:Missing AND NOT r.role IN quiet
WITH a, r.role AS role, s, b ORDER BY b.SOPInstanceUID
WITH a, role, s, count(b) AS missing, collect(b.SOPInstanceUID)[..5] AS sample
WITH a, role, s, missing, sample, COUNT { (a)-[:REFERENCES {role: role}]->(c:Instance)<-[:HAS_INSTANCE]-(s) WHERE NOT c:Missing } AS present
WHERE present > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS subject, s.SeriesInstanceUID AS target,
       {role: role, missing: missing, present: present, sample: sample} AS detail
ORDER BY patient_key, subject, target;
