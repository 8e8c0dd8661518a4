// Image series by slice thickness and spacing
// view: table
// returns: patient_key, series, modality, description, slice_thickness_mm, slice_spacing_mm, n_instances
// identifying: none
// param modalities: list of string = CT, MR, PT   Modality values
// param at_least: float = 0   mm
// param at_most: float = 100   mm
// try: :param {modalities: ['CT'], at_least: 0.0, at_most: 2.0}
MATCH (s:Series)
WHERE NOT s:Missing AND s.Modality IN [m IN $modalities | toUpper(m)] AND s.SliceThickness >= $at_least AND s.SliceThickness <= $at_most
RETURN COLLECT { MATCH (k:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s) RETURN k.patient_key AS key ORDER BY key LIMIT 1 }[0] AS patient_key, s.SeriesInstanceUID AS series, s.Modality AS modality, s.SeriesDescription AS description,
       s.SliceThickness AS slice_thickness_mm, s.slice_spacing AS slice_spacing_mm, coalesce(s.n_instances, 0) AS n_instances
ORDER BY slice_thickness_mm, patient_key, series;
