// The references of a copy are those of its source: as many of each role, as many missing, as many in one frame
// id: DEI-01
// severity: error
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject
// population: MATCH (:Instance|Series)-[r:REFERENCES]->(:Instance) RETURN count(r) AS n
// identifying: none
// fix: A role that lost edges, or whose number of missing targets grew, was not remapped: add it to the remapping.
// source: practice: PS3.15 Annex E (Basic Application Level Confidentiality Profile: consistent replacement of UIDs); with an empty profile the rows are the profile
// why: De-identification that forgets one UID breaks every chain through it; counts by role show which.
// not: Objects that were left out on purpose, such as series with burned-in names, change the counts of the roles that lead to them.
// try: :param profile => []
CALL () {
  MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance)
  WITH coalesce(a.Modality, 'OTHER') + ' ' + r.role AS subject, r, b,
       CASE WHEN b.frame_uid IS NULL THEN false WHEN a:Series THEN b.frame_uid IN coalesce(a.frame_uids, []) ELSE coalesce(a.frame_uid = b.frame_uid, false) END AS same
  RETURN subject, count(r) AS edges, coalesce(sum(r.n), 0) AS items, count(CASE WHEN b:Missing THEN 1 END) AS missing, count(CASE WHEN same THEN 1 END) AS same_frame
  UNION ALL
  MATCH (s:Series)-[r:IN_FRAME]->(f:FrameOfReference {kind: 'PATIENT'})
  RETURN 'series in frames' AS subject, count(r) AS edges, count(DISTINCT f) AS items, 0 AS missing, count(DISTINCT s) AS same_frame
}
WITH collect({subject: subject, edges: edges, items: items, missing: missing, same_frame: same_frame}) AS here
WITH [x IN here WHERE NOT x IN $profile] + [y IN $profile WHERE none(x IN here WHERE x.subject = y.subject) | {subject: y.subject, edges: 0, items: 0, missing: 0, same_frame: 0}] AS changed
UNWIND changed AS x
RETURN null AS patient_key, x.subject AS subject, null AS target,
       {edges: x.edges, items: x.items, missing: x.missing, same_frame: x.same_frame, source: head([y IN $profile WHERE y.subject = x.subject])} AS detail
ORDER BY patient_key, subject, target;
