// Plan, structure set and image are in one study
// id: CHN-02
// severity: info
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(i:RTStruct) WHERE NOT p:Missing AND NOT i:Missing RETURN count(*) AS n
// identifying: none
// fix: Nothing to repair: a hint for tools that join by study.
// source: practice (PS3.3 A.86.1.1.1.1: study and series have no meaning of their own in radiotherapy)
// why: Tools that look for the plan in the study of the image do not find it.
// not: Several studies are normal in radiotherapy: that is why it is INFO.
MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(i:RTStruct)-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]->(:Instance)<-[:HAS_INSTANCE]-(b:Series)
WITH DISTINCT p, i, b
MATCH (sp:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p)
MATCH (si:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i)
MATCH (sb:Study)-[:HAS_SERIES]->(b)
WHERE sp <> si OR si <> sb
WITH p, b, min(sp.StudyInstanceUID) AS of_plan, min(si.StudyInstanceUID) AS of_structures, min(sb.StudyInstanceUID) AS of_images
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, b.SeriesInstanceUID AS target,
       {plan: of_plan, structure_set: of_structures, image: of_images} AS detail
ORDER BY patient_key, subject, target;
