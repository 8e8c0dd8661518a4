// Plans with a prescribed dose in a range
// view: table
// returns: patient_key, plan, label, prescription_dose_gy, n_fractions, dose_per_fraction_gy, prescription_source, site
// identifying: none
// param at_least: float = 0   lowest dose, Gy
// param at_most: float = 1000   highest dose, Gy
// param fractions: integer = null   number of planned fractions
// try: :param {at_least: 50.0, at_most: 80.0, fractions: null}
MATCH (p:RTPlan)
WHERE NOT p:Missing AND p.prescription_dose_gy >= $at_least AND p.prescription_dose_gy <= $at_most
  AND ($fractions IS NULL OR p.n_fractions_planned = $fractions)
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, p.prescription_dose_gy AS prescription_dose_gy,
       p.n_fractions_planned AS n_fractions, p.dose_per_fraction_gy AS dose_per_fraction_gy, p.prescription_source AS prescription_source,
       p.TreatmentSite AS site
ORDER BY prescription_dose_gy DESC, patient_key, plan;
