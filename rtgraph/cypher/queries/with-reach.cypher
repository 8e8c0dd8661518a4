// Objects of one modality that reach an object of another by references
// view: table
// returns: patient_key, object, modality, label, n_reached, steps
// identifying: none
// param source: string = RTDOSE   Modality of the objects
// param target: string = CT   Modality of what they reach
// param depth: integer = 4   most references in a row, up to 4
// try: :param {source: 'RTDOSE', target: 'CT', depth: 4}
MATCH (s:Series {Modality: toUpper($source)})-[:HAS_INSTANCE]->(i:Instance)
WHERE NOT i:Missing
CALL (i) {
  MATCH p = (i)-[:REFERENCES*1..4]->(b:Instance)<-[:HAS_INSTANCE]-(t:Series)
  WHERE t.Modality = toUpper($target) AND NOT b:Missing AND b <> i AND length(p) - 1 <= $depth
  RETURN count(DISTINCT b) AS n_reached, min(length(p)) - 1 AS steps
}
WITH s, i, n_reached, steps
WHERE n_reached > 0
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, i.SOPInstanceUID AS object, i.Modality AS modality,
       coalesce(i.StructureSetLabel, i.RTPlanLabel, i.DoseSummationType, i.ContentLabel) AS label, n_reached, steps
ORDER BY patient_key, object;
