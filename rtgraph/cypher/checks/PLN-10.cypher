// A structure set is not newer than the plan based on it
// id: PLN-10
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct) WHERE s.structure_set_datetime IS NOT NULL AND p.plan_datetime IS NOT NULL RETURN count(*) AS n
// identifying: none
// fix: Check whether the dose belongs to the edited contours.
// source: practice (PS3.3 C.8.8.5, Structure Set Date: last modification; C.8.8.9, RT Plan Date)
// why: Contours that were edited after the plan are not those it was optimised on.
// not: A missing time means that only days are compared. A set that is newer by an hour or less, or whose date is the time its file was made, is INFO: clocks of two systems, or a date written at export.
MATCH (p:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct)
WHERE s.structure_set_datetime > p.plan_datetime
  AND (s.StructureSetDate > p.RTPlanDate OR (s.StructureSetTime IS NOT NULL AND p.RTPlanTime IS NOT NULL))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       p.SOPInstanceUID AS subject, s.SOPInstanceUID AS target,
       CASE WHEN duration.inSeconds(p.plan_datetime, s.structure_set_datetime).seconds <= 3600
         OR abs(duration.inSeconds(s.instance_datetime, s.structure_set_datetime).seconds) <= 60 THEN 'INFO' ELSE 'WARNING' END AS severity,
       {structure_set: toString(s.structure_set_datetime), plan: toString(p.plan_datetime)} AS detail
ORDER BY patient_key, subject, target;
