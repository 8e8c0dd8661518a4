// Grid offsets are strictly monotonic and start at 0, or are positions of the planes
// id: DOS-10
// severity: error
// confidence: fact
// level: header
// tier: 2
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (d:RTDose) WHERE d.offsets_form IS NOT NULL RETURN count(d) AS n
// identifying: none
// fix: Export again; no reader can place the planes.
// source: PS3.3 C.8.8.3.2 (Grid Frame Offset Vector)
// why: Planes whose places are not known cannot be laid over contours.
// not: Offsets that fall, and offsets that are the positions of the planes, are legal.
MATCH (d:RTDose)
WHERE d.offsets_form = 'INVALID' OR d.offsets_monotonic = false
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(d) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       d.SOPInstanceUID AS subject, null AS target,
       {form: d.offsets_form, monotonic: d.offsets_monotonic} AS detail
ORDER BY patient_key, subject, target;
