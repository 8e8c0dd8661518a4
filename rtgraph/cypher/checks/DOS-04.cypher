// A dose is not older than its plan
// id: DOS-04
// severity: warning
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, severity, detail
// identity: subject, target
// population: MATCH (d:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan) WHERE d.instance_datetime IS NOT NULL AND p.plan_datetime IS NOT NULL RETURN count(*) AS n
// identifying: none
// fix: Check for a stale dose.
// source: practice (PS3.3 C.8.8.9, RT Plan Date and Time; C.12.1, Instance Creation Date)
// why: A dose that is older than its plan belongs to a version before the last change.
// not: A missing time means that only days are compared. A plan whose date is that of its approval, or the time its file was made, is INFO.
MATCH (d:RTDose)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan)
WHERE d.instance_datetime < p.plan_datetime
  AND (date(d.instance_datetime) < p.RTPlanDate OR (p.RTPlanTime IS NOT NULL AND localtime(d.instance_datetime) <> localtime('00:00')))
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, p.SOPInstanceUID AS target,
       CASE WHEN p.ReviewDate = p.RTPlanDate OR abs(duration.inSeconds(p.instance_datetime, p.plan_datetime).seconds) <= 60 THEN 'INFO' ELSE 'WARNING' END AS severity,
       {dose: toString(d.instance_datetime), plan: toString(p.plan_datetime)} AS detail
ORDER BY patient_key, subject, target;
