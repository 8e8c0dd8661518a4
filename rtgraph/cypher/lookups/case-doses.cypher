// Doses that refer to plans, with what the dose policy asks of them
// view: table
// returns: dose, plan, plans, units, dose_type, summation, frame_uid, beams, groups, readable, kept, created, inferred, same_patient
// identifying: none
// param plans: list of string   SOPInstanceUIDs
// try: :param plans => COLLECT { MATCH (p:RTPlan) RETURN p.SOPInstanceUID ORDER BY p.SOPInstanceUID LIMIT 5 }
MATCH (d:RTDose)-[r:REFERENCES|INFERRED_LINK]->(p:RTPlan)
WHERE p.SOPInstanceUID IN $plans AND NOT d:Missing AND (type(r) = 'INFERRED_LINK' OR r.role = 'DOSE_PLAN')
WITH d, p, all(t IN collect(type(r)) WHERE t = 'INFERRED_LINK') AS inferred,
     COLLECT { MATCH (d)-[a:REFERENCES {role: 'DOSE_PLAN'}]->(q:RTPlan) RETURN DISTINCT q.SOPInstanceUID AS u ORDER BY u } AS plans,
     COLLECT { MATCH (d)-[a:REFERENCES]->(p) UNWIND a.beam_numbers AS n RETURN DISTINCT n ORDER BY n } AS beams,
     COLLECT { MATCH (d)-[a:REFERENCES]->(p) UNWIND a.fraction_groups AS n RETURN DISTINCT n ORDER BY n } AS groups
RETURN d.SOPInstanceUID AS dose, p.SOPInstanceUID AS plan, CASE WHEN size(plans) = 0 THEN [p.SOPInstanceUID] ELSE plans END AS plans,
       d.DoseUnits AS units, d.DoseType AS dose_type, d.DoseSummationType AS summation, d.frame_uid AS frame_uid, beams, groups,
       coalesce(d.has_pixel_data, false) AND d.DoseGridScaling > 0 AND size(coalesce(d.ImageOrientationPatient, [])) = 6
         AND (coalesce(d.NumberOfFrames, 1) = 1 OR (coalesce(d.offsets_form, '') IN ['RELATIVE', 'ABSOLUTE']
              AND coalesce(d.offsets_monotonic, false) AND d.n_grid_offsets = d.NumberOfFrames)) AS readable,
       d.kept AS kept, d.instance_datetime AS created, inferred,
       EXISTS { MATCH (d)<-[:HAS_INSTANCE]-(:Series)<-[:HAS_SERIES]-(:Study)<-[:HAS_STUDY]-(k:Patient)
                WHERE EXISTS { (k)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) } } AS same_patient
ORDER BY dose, plan;
