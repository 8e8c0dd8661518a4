// Doses by what they sum, and the plans they were calculated for
// view: table
// returns: patient_key, dose, summation, type, units, plans, n_dvh
// identifying: none
// param summations: list of string = PLAN   PLAN, MULTI_PLAN, FRACTION, BEAM, BRACHY, CONTROL_POINT, RECORD, ...
// param type: string = null   PHYSICAL, EFFECTIVE or ERROR
// try: :param {summations: ['PLAN'], type: null}
MATCH (d:RTDose)
WHERE NOT d:Missing AND d.DoseSummationType IN [s IN $summations | toUpper(s)] AND ($type IS NULL OR d.DoseType = toUpper($type))
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, d.SOPInstanceUID AS dose, d.DoseSummationType AS summation, d.DoseType AS type, d.DoseUnits AS units,
       COLLECT { MATCH (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan) RETURN DISTINCT p.SOPInstanceUID AS plan ORDER BY plan } AS plans,
       coalesce(d.n_dvh, 0) AS n_dvh
ORDER BY patient_key, summation, dose;
