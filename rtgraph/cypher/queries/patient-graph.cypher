// The series of one patient, what they refer to and which share a frame of reference
// view: graph
// returns: a, r, b
// identifying: none
// param patient: string   patient_key, as `patients-by-modality` lists it
// try: :param patient => '4d1f0c9a72e3b856'
MATCH (:Patient {patient_key: $patient})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(a:Series)
WITH DISTINCT a
OPTIONAL MATCH (a)-[r:REFERENCES|SHARES_FOR]->(b:Series)
RETURN a, r, b
ORDER BY a.SeriesInstanceUID, b.SeriesInstanceUID, type(r), r.role, r.FrameOfReferenceUID;
