// Doses of patients with their plans, structure sets and DVHs of one ROI, and what they were measured from
// view: table
// returns: patient_key, dose, frame_uid, summation, coverage_of, values_of, plans, structure_sets, curves
// identifying: none
// param patients: list of string   patient_key of the patients
// try: :param patients => COLLECT { MATCH (p:Patient) RETURN p.patient_key ORDER BY p.patient_key LIMIT 5 }
MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d:RTDose)
WHERE k.patient_key IN $patients AND NOT d:Missing
WITH DISTINCT k, d
RETURN k.patient_key AS patient_key, d.SOPInstanceUID AS dose, d.frame_uid AS frame_uid, d.DoseSummationType AS summation,
       d.coverage_of AS coverage_of, d.values_of AS values_of,
       COLLECT { MATCH (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan) RETURN DISTINCT p.SOPInstanceUID AS u ORDER BY u } AS plans,
       COLLECT { MATCH (d)-[:REFERENCES {role: 'DOSE_PLAN'}]->(:RTPlan)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct)
                 WHERE NOT s:Missing AND EXISTS { (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(s) }
                 RETURN DISTINCT s.SOPInstanceUID AS u ORDER BY u } AS structure_sets,
       COLLECT { MATCH (d)-[:HAS_DVH]->(v:DVH)-[o:OF_ROI]->(r:ROI)<-[:HAS_ROI]-(s:RTStruct)
                 WHERE size(coalesce(v.unresolved_roi_numbers, [])) = 0
                 WITH v, collect({number: r.ROINumber, structure_set: s.SOPInstanceUID, contribution: o.contribution}) AS of
                 WHERE size(of) = 1 AND coalesce(of[0].contribution, 'INCLUDED') = 'INCLUDED'
                 RETURN {key: v.key, number: of[0].number, structure_set: of[0].structure_set} AS curve ORDER BY v.key } AS curves
ORDER BY patient_key, dose;
