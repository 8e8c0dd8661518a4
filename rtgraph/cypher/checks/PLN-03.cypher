// Beam, fraction group and dose reference numbers are unique in a plan
// id: PLN-03
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (i:RTPlan) WHERE NOT i:Missing RETURN count(i) AS n
// identifying: none
// fix: Export again; links by number are unsafe.
// source: PS3.3 C.8.8.14 (Beam Number), C.8.8.13 (Fraction Group Number), C.8.8.10 (Dose Reference Number): unique in the plan
// why: Fraction groups, doses, images and records name beams and prescriptions by number; two of one number cannot be told apart.
// not: None known.
MATCH (p:RTPlan)
WHERE size(p.duplicate_numbers) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, null AS target,
       {numbers: p.duplicate_numbers} AS detail
ORDER BY patient_key, subject, target;
