// Series with objects that runs after a given run have written
// view: table
// returns: patient_key, study, series, modality, n_written, runs
// identifying: none
// param run: string   id of an ingest run, as `runs` lists it
// try: :param run => '2027-01-01T00:00:00Z-0000'
MATCH (r:IngestRun {id: $run})
MATCH (later:IngestRun)
WHERE later.started > r.started
WITH collect(later.id) AS runs
MATCH (i:Instance)
WHERE i.run_id IN runs
MATCH (s:Series)-[:HAS_INSTANCE]->(i)
WITH s, count(i) AS n_written, collect(DISTINCT i.run_id) AS found
OPTIONAL MATCH (t:Study)-[:HAS_SERIES]->(s)
WITH s, n_written, found, min(t.StudyInstanceUID) AS study
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, study, s.SeriesInstanceUID AS series, s.Modality AS modality, n_written,
       COLLECT { UNWIND found AS run RETURN run ORDER BY run } AS runs
ORDER BY patient_key, study, series;
