// A plan for treatment states its number of fractions and a target prescription dose
// id: PLN-05
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:RTPlan) WHERE NOT p:Missing AND coalesce(p.PlanIntent, CASE WHEN p.RTPlanGeometry = 'TREATMENT_DEVICE' OR EXISTS { (p)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) } THEN 'VERIFICATION' ELSE 'CURATIVE' END) IN ['CURATIVE', 'PALLIATIVE', 'PROPHYLACTIC'] RETURN count(p) AS n
// identifying: none
// fix: Take the prescription from the record-and-verify export.
// source: practice: a plan for treatment has a prescription (PS3.3 C.8.8.10, RT Prescription Module; C.8.8.13, RT Fraction Scheme Module)
// why: Without fractions and prescription a dose cannot be turned into a total, nor compared with what was wanted.
// not: Plans for verification are left out; without a PlanIntent those that verify another plan or have the geometry of the treatment device. A prescription that is kept outside DICOM cannot be seen and is reported.
MATCH (p:RTPlan)
WHERE NOT p:Missing AND coalesce(p.PlanIntent, CASE WHEN p.RTPlanGeometry = 'TREATMENT_DEVICE' OR EXISTS { (p)-[:REFERENCES {role: 'VERIFIED_PLAN'}]->(:Instance) } THEN 'VERIFICATION' ELSE 'CURATIVE' END) IN ['CURATIVE', 'PALLIATIVE', 'PROPHYLACTIC']
  AND (coalesce(p.n_fractions_planned, 0) = 0 OR p.prescription_dose_gy IS NULL)
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, null AS target,
       {label: p.RTPlanLabel, fractions: p.n_fractions_planned, prescription: p.prescription_dose_gy} AS detail
ORDER BY patient_key, subject, target;
