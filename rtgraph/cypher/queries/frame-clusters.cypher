// Frames of reference with the series in them, the largest first
// view: table
// returns: patient_key, frame, kind, n_series, modalities, n_registrations
// identifying: none
// param at_least: integer = 2   fewest series
// try: :param at_least => 2
MATCH (f:FrameOfReference)<-[:IN_FRAME]-(s:Series)
WITH f, count(DISTINCT s) AS n_series
WHERE n_series >= $at_least
RETURN f.patient_key AS patient_key, f.FrameOfReferenceUID AS frame, f.kind AS kind, n_series,
       COLLECT { MATCH (f)<-[:IN_FRAME]-(s:Series) WHERE s.Modality IS NOT NULL RETURN DISTINCT s.Modality AS m ORDER BY m } AS modalities,
       COUNT { (f)-[:REGISTERED_TO]-(:FrameOfReference) } AS n_registrations
ORDER BY n_series DESC, frame;
