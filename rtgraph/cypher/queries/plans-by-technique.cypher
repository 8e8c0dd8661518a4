// Plans of a treatment technique
// view: table
// returns: patient_key, plan, label, technique, radiation_types, n_beams, plan_date
// identifying: none
// param techniques: list of string = VMAT   VMAT, IMRT_DYNAMIC, IMRT_STATIC, ARC, CONFORMAL_3D, ELECTRON, PBS, UNIFORM_SCAN, PASSIVE, HDR, PDR, LDR or BRACHY
// try: :param techniques => ['VMAT']
MATCH (p:RTPlan)
WHERE NOT p:Missing AND p.technique IS NOT NULL
  AND any(t IN $techniques WHERE p.technique = toUpper(t) OR p.technique STARTS WITH toUpper(t) + '+')
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, p.technique AS technique,
       coalesce(p.radiation_types, []) AS radiation_types, p.n_treatment_beams AS n_beams, p.RTPlanDate AS plan_date
ORDER BY technique, patient_key, plan;
