// Treatment is not earlier than the plan
// id: REC-04
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (i:RTRecord)-[:REFERENCES {role: 'RECORD_PLAN'}]->(p:RTPlan) WHERE i.treatment_datetime IS NOT NULL AND p.plan_datetime IS NOT NULL RETURN count(*) AS n
// identifying: none
// fix: Check clocks and date shifts.
// source: practice (PS3.3 C.8.8.17, Treatment Date; C.8.8.9, RT Plan Date)
// why: A treatment before its plan means clocks that differ, dates that were shifted, or a plan that was changed afterwards.
// not: A missing time means that only days are compared. A plan whose date is the time its file was made, and sets marked as de-identified, are INFO: dates are written at export or shifted object by object.
MATCH (i:RTRecord)-[:REFERENCES {role: 'RECORD_PLAN'}]->(p:RTPlan)
WHERE i.treatment_datetime < p.plan_datetime
  AND (i.TreatmentDate < p.RTPlanDate OR (i.TreatmentTime IS NOT NULL AND p.RTPlanTime IS NOT NULL))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, p.SOPInstanceUID AS target,
       CASE WHEN abs(duration.inSeconds(p.instance_datetime, p.plan_datetime).seconds) <= 60
         OR EXISTS { (:Patient {PatientIdentityRemoved: 'YES'})-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) } THEN 'INFO' ELSE 'WARNING' END AS severity,
       {treated: toString(i.treatment_datetime), planned: toString(p.plan_datetime)} AS detail
ORDER BY patient_key, subject, target;
