// One patient key has one birth date and one sex over all its studies
// id: HIE-06
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:Patient) WHERE NOT EXISTS { (p)-[:HAS_STUDY]->(:Study)<-[:HAS_STUDY]-(q:Patient) WHERE q <> p } RETURN count(p) AS n
// identifying: birth_dates
// fix: Check for two persons under one PatientID before any other use of the data.
// source: practice: birth date and sex of a person do not change (PS3.3 C.7.1.1, Patient Module)
// why: A second birth date or sex under one PatientID is the usual sign of two persons in one record.
// not: Sex O, or none, in one system is no finding. Birth dates that differ in a set marked as de-identified are none either: dates may be shifted study by study. A study of two patients is HIE-02; what is stated there belongs to either and is not compared.
MATCH (p:Patient)
WHERE ((size(p.birth_dates_seen) > 1 AND coalesce(p.PatientIdentityRemoved, 'NO') <> 'YES')
   OR size([x IN p.sexes_seen WHERE x IN ['M', 'F']]) > 1)
  AND NOT EXISTS { (p)-[:HAS_STUDY]->(:Study)<-[:HAS_STUDY]-(q:Patient) WHERE q <> p }
RETURN p.patient_key AS patient_key, p.patient_key AS subject, null AS target,
       {birth_dates: [d IN p.birth_dates_seen | toString(d)], sexes: p.sexes_seen} AS detail
ORDER BY patient_key, subject, target;
