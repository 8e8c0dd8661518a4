// One patient key has one patient name
// id: HIE-08
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:Patient) WHERE p.names_seen IS NOT NULL AND NOT EXISTS { (p)-[:HAS_STUDY]->(:Study)<-[:HAS_STUDY]-(q:Patient) WHERE q <> p } RETURN count(p) AS n
// identifying: none
// fix: Check for two persons under one PatientID before any other use of the data.
// source: practice: one PatientID stands for one person (PS3.3 C.7.1.1, Patient Module)
// why: Two names under one PatientID are two persons, or a correction that did not reach every object.
// not: Case, accents, blanks and middle names are not compared, only family and given name. A maiden name or another spelling makes a finding. A study of two patients is HIE-02 and is not compared.
MATCH (p:Patient)
WHERE size(p.names_seen) > 1 AND NOT EXISTS { (p)-[:HAS_STUDY]->(:Study)<-[:HAS_STUDY]-(q:Patient) WHERE q <> p }
RETURN p.patient_key AS patient_key, p.patient_key AS subject, null AS target,
       {n_names: size(p.names_seen)} AS detail
ORDER BY patient_key, subject, target;
