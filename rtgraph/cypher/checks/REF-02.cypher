// The referenced SOP class equals the class of the object found
// id: REF-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:Instance|Series)-[r:REFERENCES]->(b:Instance) WHERE NOT b:Missing RETURN count(r) AS n
// identifying: none
// fix: Report to the sender; the graph keeps the edge.
// source: PS3.3 10.8 (Table 10-11, Referenced SOP Class UID)
MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance)
WHERE NOT b:Missing AND r.stated_sop_class <> b.SOPClassUID
RETURN head([(pt:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->()-[:HAS_INSTANCE*0..1]->(a) | pt.patient_key]) AS patient_key, coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS subject, b.SOPInstanceUID AS target,
       {role: r.role, stated: r.stated_sop_class, found: b.SOPClassUID} AS detail
ORDER BY patient_key, subject, target;
