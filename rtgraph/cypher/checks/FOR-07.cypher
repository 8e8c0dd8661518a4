// Derived SHARES_FOR edges match the mode of their frame: CLIQUE n(n-1)/2, STAR n-1, NONE 0
// id: FOR-07
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (f:FrameOfReference) WHERE f.share_mode IS NOT NULL RETURN count(f) AS n
// identifying: none
// fix: Mark the frame dirty and rebuild.
// source: rtgraph: documentation of SHARES_FOR (up to 32 series each with each, more of them each with one anchor)
// why: Questions in one hop rest on these derived edges; they must say what the files say.
// not: None: a finding is a defect of rtgraph. Report it.
MATCH (f:FrameOfReference)
WHERE f.share_mode IS NOT NULL AND NOT coalesce(f.dirty, false)
WITH f, COUNT { MATCH (f)<-[:IN_FRAME]-(s:Series) RETURN DISTINCT s } AS n,
     COUNT { MATCH (f)<-[:IN_FRAME]-(s:Series) WITH DISTINCT s MATCH (s)-[x:SHARES_FOR]->(:Series) WHERE x.FrameOfReferenceUID = f.FrameOfReferenceUID RETURN x } AS e
WHERE e <> CASE f.share_mode WHEN 'CLIQUE' THEN n * (n - 1) / 2 WHEN 'STAR' THEN n - 1 ELSE 0 END
RETURN f.patient_key AS patient_key, f.FrameOfReferenceUID AS subject, null AS target,
       {members: n, edges: e, mode: f.share_mode} AS detail
ORDER BY patient_key, subject, target;
