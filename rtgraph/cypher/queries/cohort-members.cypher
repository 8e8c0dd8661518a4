// Members of a saved cohort
// view: table
// returns: patient_key, level, key, modality, label, missing
// identifying: none
// param cohort: string   name of the cohort
// try: :param cohort => 'prostate'
MATCH (c:Cohort {name: $cohort})-[:HAS_MEMBER]->(n:Patient|Study|Series|Instance)
RETURN CASE WHEN n:Patient THEN n.patient_key ELSE COLLECT {
         MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES*0..1]->(:Study|Series)-[:HAS_INSTANCE*0..1]->(n)
         RETURN DISTINCT k.patient_key AS key ORDER BY key LIMIT 1
       }[0] END AS patient_key,
       c.level AS level, coalesce(n.SOPInstanceUID, n.SeriesInstanceUID, n.StudyInstanceUID, n.patient_key) AS key, n.Modality AS modality,
       coalesce(n.StructureSetLabel, n.RTPlanLabel, n.DoseSummationType, n.ContentLabel, n.SeriesDescription, n.StudyDescription) AS label, n:Missing AS missing
ORDER BY patient_key, key;
