UNWIND $rows AS r
MERGE (p:Patient {patient_key: r[0]})
MERGE (t:Study {StudyInstanceUID: r[1]})
MERGE (s:Series {SeriesInstanceUID: r[2]})
SET s.dirty = true
REMOVE t:Missing, t.referred_by_patients, t.in_archive
REMOVE s:Missing, s.referred_by_patients, s.in_archive
MERGE (p)-[hp:HAS_STUDY]->(t)
MERGE (t)-[hs:HAS_SERIES]->(s)
REMOVE hp.stated, hs.stated;
