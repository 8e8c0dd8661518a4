// Every bolus, applicator, shield or accessory ROI a plan names exists in its structure set
// id: PLN-11
// severity: error
// confidence: fact
// level: header
// tier: 1
// view: table
// returns: patient_key, subject, target, detail
// identity: subject, target
// population: MATCH (:RTPlan)-[:HAS_BEAM|HAS_APPLICATION_SETUP]->(b:Beam|ApplicationSetup) WHERE size(b.roi_refs) > 0 AND b.unresolved_roi_numbers IS NOT NULL RETURN count(b) AS n
// identifying: none
// fix: Retrieve the structure set the plan was made on.
// source: PS3.3 C.8.8.14 (Referenced Bolus Sequence), C.8.8.15 (RT Brachy Application Setups Module: Referenced ROI Number)
// why: A bolus or shield that the structure set does not have was in the calculated dose and is not in the contours.
// not: A plan that is linked to an edited copy of its structure set is reported: the right set has to be found. Without the structure set nothing is said.
MATCH (p:RTPlan)-[:HAS_BEAM|HAS_APPLICATION_SETUP]->(b:Beam|ApplicationSetup)
WHERE size(b.unresolved_roi_numbers) > 0
RETURN head(COLLECT { MATCH (pt:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE]->(p) RETURN pt.patient_key AS k ORDER BY k }) AS patient_key,
       b.key AS subject, null AS target,
       {roi_numbers: b.unresolved_roi_numbers} AS detail
ORDER BY patient_key, subject, target;
