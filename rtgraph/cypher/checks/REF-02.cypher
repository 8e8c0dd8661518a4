// The referenced SOP class equals the class of the object found
// id: REF-02
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target, role
// population: MATCH (:Instance|Series)-[r:REFERENCES]->(b:Instance) WHERE NOT b:Missing RETURN count(r) AS n
// identifying: none
// fix: Report to the sender; the graph keeps the edge.
// source: PS3.3 10.8 (Table 10-11, Referenced SOP Class UID)
// why: A reader that builds the target by its stated class fails, or builds the wrong object.
// not: Images of one modality that were converted between the classic and the enhanced class under the same UID are INFO; the conversion itself is HIE-03.
WITH [
  ['1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.2.1', '1.2.840.10008.5.1.4.1.1.2.2'],
  ['1.2.840.10008.5.1.4.1.1.4', '1.2.840.10008.5.1.4.1.1.4.1', '1.2.840.10008.5.1.4.1.1.4.3', '1.2.840.10008.5.1.4.1.1.4.4'],
  ['1.2.840.10008.5.1.4.1.1.128', '1.2.840.10008.5.1.4.1.1.130', '1.2.840.10008.5.1.4.1.1.128.1']
] AS classic_and_enhanced
MATCH (a:Instance|Series)-[r:REFERENCES]->(b:Instance)
WHERE NOT b:Missing AND r.stated_sop_class <> b.SOPClassUID
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(a) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       coalesce(a.SOPInstanceUID, a.SeriesInstanceUID) AS subject, b.SOPInstanceUID AS target,
       CASE WHEN any(x IN classic_and_enhanced WHERE r.stated_sop_class IN x AND b.SOPClassUID IN x) THEN 'INFO' ELSE 'ERROR' END AS severity,
       {role: r.role, stated: r.stated_sop_class, found: b.SOPClassUID} AS detail
ORDER BY patient_key, subject, target;
