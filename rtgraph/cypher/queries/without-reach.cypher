// Objects of one modality that reach no object of another by references
// view: table
// returns: patient_key, object, modality, label
// identifying: none
// param source: string = RTDOSE   Modality of the objects
// param target: string = CT   Modality of what they should reach
// param depth: integer = 4   most references in a row, up to 4
// try: :param {source: 'RTDOSE', target: 'CT', depth: 4}
MATCH (s:Series {Modality: toUpper($source)})-[:HAS_INSTANCE]->(i:Instance)
WHERE NOT i:Missing AND NOT EXISTS {
  MATCH p = (i)-[:REFERENCES*1..4]->(b:Instance)<-[:HAS_INSTANCE]-(t:Series)
  WHERE t.Modality = toUpper($target) AND NOT b:Missing AND b <> i AND length(p) - 1 <= $depth
}
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, i.SOPInstanceUID AS object, i.Modality AS modality,
       coalesce(i.StructureSetLabel, i.RTPlanLabel, i.DoseSummationType, i.ContentLabel) AS label
ORDER BY patient_key, object;
