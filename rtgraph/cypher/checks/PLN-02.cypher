// Every beam or application setup a fraction group names exists in the plan, and the counts agree
// id: PLN-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTPlan)-[:HAS_FRACTION_GROUP]->(g:FractionGroup) RETURN count(g) AS n
// identifying: none
// fix: Export again.
// source: PS3.3 C.8.8.13 (RT Fraction Scheme Module: Number of Beams, Referenced Beam Sequence, Number of Brachy Application Setups)
// why: A fraction group that names beams the plan does not have, or counts others, does not say what is delivered.
// not: Setup beams may be left out of the fraction group, and some systems count them in NumberOfBeams all the same.
MATCH (p:RTPlan)-[:HAS_FRACTION_GROUP]->(g:FractionGroup)
WITH p, g, COUNT { (g)-[:INCLUDES_BEAM]->(:Beam) } AS beams, COUNT { (g)-[:INCLUDES_SETUP]->(:ApplicationSetup) } AS setups,
     COUNT { (p)-[:HAS_BEAM]->(b:Beam {TreatmentDeliveryType: 'SETUP'}) WHERE NOT EXISTS { (g)-[:INCLUDES_BEAM]->(b) } } AS left_out
WHERE NOT coalesce(g.NumberOfBeams, 0) IN [beams, beams + left_out] OR setups <> coalesce(g.NumberOfBrachyApplicationSetups, 0)
   OR size(g.unresolved_beam_numbers) > 0 OR size(g.unresolved_setup_numbers) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       g.key AS subject, null AS target,
       {beams: beams, stated_beams: g.NumberOfBeams, setups: setups, stated_setups: g.NumberOfBrachyApplicationSetups,
        unresolved_beams: g.unresolved_beam_numbers, unresolved_setups: g.unresolved_setup_numbers} AS detail
ORDER BY patient_key, subject, target;
