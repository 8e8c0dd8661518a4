// A fraction group has beams or application setups, not both
// id: PLN-12
// severity: error
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTPlan)-[:HAS_FRACTION_GROUP]->(g:FractionGroup) RETURN count(g) AS n
// identifying: none
// fix: Report to the sender.
// source: PS3.3 C.8.8.13 (RT Fraction Scheme Module: beams or brachy application setups)
// why: External beams and brachytherapy are delivered apart and summed by other rules; a mixed group cannot be.
// not: None known.
MATCH (p:RTPlan)-[:HAS_FRACTION_GROUP]->(g:FractionGroup)
WHERE coalesce(g.NumberOfBeams, 0) > 0 AND coalesce(g.NumberOfBrachyApplicationSetups, 0) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       g.key AS subject, null AS target,
       {beams: g.NumberOfBeams, setups: g.NumberOfBrachyApplicationSetups} AS detail
ORDER BY patient_key, subject, target;
