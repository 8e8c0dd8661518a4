// ROI names follow the TG-263 list
// id: STR-07
// severity: info
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTStruct)-[:HAS_ROI]->(roi:ROI) WHERE NOT coalesce(roi.RTROIInterpretedType, '') IN ['CONTROL', 'DOSE_REGION', 'TREATED_VOLUME', 'IRRAD_VOLUME', 'DOSE_MEASUREMENT', 'ISOCENTER', 'MARKER', 'REGISTRATION'] AND NOT roi.name_norm STARTS WITH '_' AND NOT roi.name_norm STARTS WITH 'z' RETURN count(roi) AS n
// identifying: none
// fix: Map names in the site dictionary.
// source: AAPM TG-263 (Standardizing Nomenclatures in Radiation Oncology, 2018)
// why: Names that follow one list can be compared over patients, systems and hospitals.
// not: Helpers of the optimisation, rings and dose levels are left out, by their type or by a name that begins with z or an underscore. A target may have its number, dose and so on behind its type.
MATCH (i:RTStruct)-[:HAS_ROI]->(roi:ROI)
WHERE NOT EXISTS { (roi)-[n:NAMED_AS]->(s:StandardName) WHERE n.exact OR (n.method = 'RULE' AND s.category = 'Target') }
  AND NOT coalesce(roi.RTROIInterpretedType, '') IN ['CONTROL', 'DOSE_REGION', 'TREATED_VOLUME', 'IRRAD_VOLUME', 'DOSE_MEASUREMENT', 'ISOCENTER', 'MARKER', 'REGISTRATION'] AND NOT roi.name_norm STARTS WITH '_' AND NOT roi.name_norm STARTS WITH 'z'
WITH i, roi.ROIName AS name ORDER BY name
WITH i, collect(name) AS names
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(i) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       i.SOPInstanceUID AS subject, null AS target,
       {n: size(names), names: names[..20]} AS detail
ORDER BY patient_key, subject, target;
