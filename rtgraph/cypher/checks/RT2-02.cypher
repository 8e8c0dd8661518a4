// A radiation record points to a radiation of the set that its record set names
// id: RT2-02
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (x:RTRadiationRecord)-[:REFERENCES {role: 'RECORD_SET_RADIATION_SET'}]->(s:RTRadiationSet) WHERE NOT s:Missing RETURN count(x) AS n
// identifying: none
// fix: Find the version of the set that was delivered.
// source: PS3.3 A.86.1 (RT Second Generation: RT Radiation Record Set IOD and the radiation record IODs)
// why: A record of a radiation that the set does not have was made with another version of the set.
// not: None known.
MATCH (x:RTRadiationRecord)-[:REFERENCES {role: 'RECORD_SET_RADIATION_SET'}]->(s:RTRadiationSet), (x)-[:REFERENCES {role: 'RECORD_SET_RECORD'}]->(rec:Instance)-[:REFERENCES {role: 'RECORD_RADIATION'}]->(r:Instance)
WHERE NOT s:Missing AND NOT EXISTS { (s)-[:REFERENCES {role: 'SET_RADIATION'}]->(r) }
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(x) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       rec.SOPInstanceUID AS subject, r.SOPInstanceUID AS target,
       {record_set: x.SOPInstanceUID, radiation_set: s.SOPInstanceUID} AS detail
ORDER BY patient_key, subject, target;
