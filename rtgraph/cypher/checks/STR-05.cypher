// A structure set used by a plan has exactly one EXTERNAL ROI
// id: STR-05
// severity: warning
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct) WHERE NOT s:Missing AND p.n_treatment_beams > 0 RETURN count(DISTINCT s) AS n
// identifying: none
// fix: Set the type of the body contour at the source.
// source: practice: one body contour for each plan (PS3.3 C.8.8.8.1, RT ROI Interpreted Type EXTERNAL)
// why: Dose is calculated inside the body contour; without one, or with two, the calculation volume is not known.
// not: Structure sets of brachytherapy plans are not looked at. Several ROIs of type EXTERNAL are INFO: couch and supports are often typed so.
MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct)
WHERE NOT s:Missing AND p.n_treatment_beams > 0
WITH DISTINCT s
WITH s, COUNT { (s)-[:HAS_ROI]->(:ROI {RTROIInterpretedType: 'EXTERNAL'}) } AS n
WHERE n <> 1
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(s) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       s.SOPInstanceUID AS subject, null AS target,
       CASE WHEN n > 1 THEN 'INFO' ELSE 'WARNING' END AS severity,
       {n_external: n} AS detail
ORDER BY patient_key, subject, target;
