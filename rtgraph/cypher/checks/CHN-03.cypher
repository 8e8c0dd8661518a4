// A chain rests on stated references, not on guesses
// id: CHN-03
// severity: info
// confidence: heuristic
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target, method
// population: MATCH (x:Instance|Series) WHERE EXISTS { (x)-[:REFERENCES]->(:Instance) } OR EXISTS { (x)-[:INFERRED_LINK]->() } RETURN count(x) AS n
// identifying: none
// fix: Confirm or waive each link.
// source: rtgraph: links of --infer, which are kept apart from what files state
// why: A guessed link may be wrong; results that rest on it should say so.
// not: None known.
MATCH (x:Instance|Series)-[l:INFERRED_LINK]->(y)
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(x) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       coalesce(x.SOPInstanceUID, x.SeriesInstanceUID) AS subject, coalesce(y.SOPInstanceUID, y.SeriesInstanceUID, y.uid) AS target,
       {method: l.method, confidence: l.confidence} AS detail
ORDER BY patient_key, subject, target;
