// Plans for a treatment machine, with energies and technique
// view: table
// returns: patient_key, plan, label, machines, energies, technique, plan_date
// identifying: none
// param machine: string   name of the machine, or a part of it in any case
// try: :param machine => 'linac'
MATCH (p:RTPlan)
WHERE NOT p:Missing
WITH p, COLLECT {
  MATCH (p)-[:HAS_BEAM]->(b:Beam) WHERE b.TreatmentMachineName IS NOT NULL
  RETURN DISTINCT b.TreatmentMachineName AS m ORDER BY m
} AS machines
WHERE any(m IN machines WHERE toLower(m) CONTAINS toLower($machine))
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, p.SOPInstanceUID AS plan, p.RTPlanLabel AS label, machines,
       COLLECT {
         MATCH (p)-[:HAS_BEAM]->(b:Beam) WHERE b.NominalBeamEnergy IS NOT NULL
         RETURN DISTINCT b.NominalBeamEnergy AS e ORDER BY e
       } AS energies, p.technique AS technique, p.RTPlanDate AS plan_date
ORDER BY patient_key, plan;
