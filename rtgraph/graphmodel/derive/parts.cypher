// Links between parts of different objects. Numbers name a part only inside the object that a role leads to.
// Where that object is missing, the lists of unresolved numbers stay unset: unverifiable is not broken.

// name: links_before
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTDose|RTImage)-[e:DOSE_OF|IMAGES]->()
DELETE e;

// name: part_links_before
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:Instance)-[:$has_parts]->(p)-[e:TARGETS|USES_ROI|OF_ROI|DELIVERY_OF|APPLIES_TO|DERIVED_FROM]->()
DELETE e;

// name: targets
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(p:RTPlan)-[:HAS_DOSE_REFERENCE]->(d:DoseReference)
WHERE d.ReferencedROINumber IS NOT NULL
OPTIONAL MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(t:RTStruct)
WHERE NOT t:Missing
OPTIONAL MATCH (t)-[:HAS_ROI]->(roi:ROI {ROINumber: d.ReferencedROINumber})
WITH d, count(t) AS sets, collect(DISTINCT roi) AS rois
SET d.unresolved_roi_numbers = CASE WHEN sets > 0 THEN [n IN [d.ReferencedROINumber] WHERE size(rois) = 0] END
FOREACH (roi IN rois | MERGE (d)-[:TARGETS]->(roi));

// name: uses_roi
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(p:RTPlan)-[:HAS_BEAM|HAS_APPLICATION_SETUP]->(b:Beam|ApplicationSetup)
WHERE size(b.roi_refs) > 0
OPTIONAL MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(t:RTStruct)
WHERE NOT t:Missing
UNWIND b.roi_refs AS ref
WITH b, t, split(ref, ':') AS ref
OPTIONAL MATCH (t)-[:HAS_ROI]->(roi:ROI {ROINumber: toInteger(ref[1])})
WITH b, count(t) AS sets, collect({use: ref[0], number: toInteger(ref[1]), roi: roi}) AS refs
SET b.unresolved_roi_numbers = CASE WHEN sets > 0 THEN COLLECT { UNWIND refs AS r WITH r WHERE r.roi IS NULL RETURN DISTINCT r.number AS n ORDER BY n } END
WITH b, refs
UNWIND [r IN refs WHERE r.roi IS NOT NULL] AS r
WITH b, r.use AS use, r.roi AS roi
MERGE (b)-[:USES_ROI {use: use}]->(roi);

// name: of_roi
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(d:RTDose)-[:HAS_DVH]->(v:DVH)
WHERE size(v.roi_refs) > 0
OPTIONAL MATCH (d)-[:REFERENCES {role: 'DVH_STRUCTURE_SET'}]->(t:RTStruct)
WHERE NOT t:Missing
UNWIND v.roi_refs AS ref
WITH v, t, split(ref, ':') AS ref
OPTIONAL MATCH (t)-[:HAS_ROI]->(roi:ROI {ROINumber: toInteger(ref[1])})
WITH v, count(t) AS sets, collect({contribution: ref[0], number: toInteger(ref[1]), roi: roi}) AS refs
SET v.unresolved_roi_numbers = CASE WHEN sets > 0 THEN COLLECT { UNWIND refs AS r WITH r WHERE r.roi IS NULL RETURN DISTINCT r.number AS n ORDER BY n } END
WITH v, refs
UNWIND [r IN refs WHERE r.roi IS NOT NULL] AS r
WITH v, r.contribution AS contribution, r.roi AS roi
MERGE (v)-[o:OF_ROI]->(roi)
SET o.contribution = contribution;

// name: dose_of
// The finest parts that a dose names: beams and application setups, else fraction groups.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(d:RTDose)
OPTIONAL MATCH (d)-[r:REFERENCES {role: 'DOSE_PLAN'}]->(p:RTPlan)
WHERE NOT p:Missing
WITH d, r, p, [n IN coalesce(r.beam_numbers, []) | ['Beam', n]] + [n IN coalesce(r.setup_numbers, []) | ['ApplicationSetup', n]] AS fine,
     [n IN coalesce(r.fraction_groups, []) | ['FractionGroup', n]] AS coarse
WITH d, r, p, CASE WHEN size(fine) > 0 THEN fine ELSE coarse END AS used, fine + coarse AS named
WITH d, r, p, used, named, COLLECT { MATCH (p)-[:HAS_BEAM|HAS_APPLICATION_SETUP|HAS_FRACTION_GROUP]->(x) RETURN {part: x, name: CASE WHEN x:Beam THEN ['Beam', x.BeamNumber] WHEN x:FractionGroup THEN ['FractionGroup', x.FractionGroupNumber] ELSE ['ApplicationSetup', x.ApplicationSetupNumber] END} } AS parts
WITH d, count(p) AS plans, collect({points: r.control_points, used: used, parts: parts,
     lost: [x IN named WHERE NOT any(y IN parts WHERE y.name = x) | x[0] + ':' + toString(x[1])]}) AS plans_of
SET d.unresolved_sub_refs = CASE WHEN plans > 0 THEN COLLECT { UNWIND plans_of AS x UNWIND x.lost AS l RETURN DISTINCT l ORDER BY l } END
WITH d, plans_of
UNWIND plans_of AS x
UNWIND [y IN x.parts WHERE y.name IN x.used] AS y
WITH d, y.part AS part, x.points AS points
MERGE (d)-[e:DOSE_OF]->(part)
SET e.control_points = points;

// name: delivery_of
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(t:RTRecord)-[:HAS_DELIVERY]->(d:BeamDelivery)
MATCH (t)-[:REFERENCES {role: 'RECORD_PLAN'}]->(:RTPlan)-[:HAS_BEAM|HAS_APPLICATION_SETUP]->(b:Beam|ApplicationSetup)
WHERE b.BeamNumber = d.ReferencedBeamNumber OR b.ApplicationSetupNumber = d.ReferencedBrachyApplicationSetupNumber
MERGE (d)-[:DELIVERY_OF]->(b);

// name: images
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(i:RTImage)-[:REFERENCES {role: 'RTIMAGE_PLAN'}]->(:RTPlan)-[:HAS_BEAM]->(b:Beam)
WHERE b.BeamNumber = i.ReferencedBeamNumber
MERGE (i)-[m:IMAGES]->(b)
SET m.fraction_number = i.FractionNumber;

// name: applies_to
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(g:Registration)-[r:REFERENCES {role: 'REGISTRATION_IMAGE'}]->(j:Instance)<-[:HAS_INSTANCE]-(s:Series)
MATCH (g)-[:HAS_TRANSFORM]->(t:Transform)
WHERE t.item IN r.items
WITH t, s, count(DISTINCT j) AS n
MERGE (t)-[a:APPLIES_TO]->(s)
SET a.n_images = n;

// name: derived_from
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTStruct|Segmentation)-[:HAS_ROI|HAS_SEGMENT]->(x:ROI|Segment)
UNWIND x.derived_from AS key
OPTIONAL MATCH (a:ROI {key: key})
OPTIONAL MATCH (b:Segment {key: key})
OPTIONAL MATCH (c:Fiducial {uid: key})
WITH x, coalesce(a, b, c) AS y
WHERE y IS NOT NULL
MERGE (x)-[:DERIVED_FROM]->(y);

// name: members_of_series
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:$hub_edges]->(h)
WHERE h.uid IS NOT NULL
WITH DISTINCT h
SET h.n_members = COUNT { (h)<-[:$hub_edges]-() };

// name: members_of_objects
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(i:Instance)
WHERE NOT i:Image
MATCH (i)-[:HAS_ROI|HAS_SEGMENT|HAS_DOSE_REFERENCE*0..1]->(x)-[:$hub_edges]->(h)
WHERE h.uid IS NOT NULL
WITH DISTINCT h
SET h.n_members = COUNT { (h)<-[:$hub_edges]-() };

// name: roi_names
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTStruct)-[:HAS_ROI]->(r:ROI)
WHERE r.ROIName IS NOT NULL
WITH DISTINCT r.ROIName AS name
OPTIONAL MATCH (d:NameDecision {name: name})
RETURN name, d.standard AS decided, d.reviewer AS reviewer, toString(d.reviewed) AS reviewed;

// name: named_before
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTStruct)-[:HAS_ROI]->(:ROI)-[e:NAMED_AS]->()
DELETE e;

// name: named_as
// $rows: name as written, standard name, category, side, description, version of the list, method, score,
// reviewer, when.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTStruct)-[:HAS_ROI]->(roi:ROI)
WITH roi, head([r IN $rows WHERE r[0] = roi.ROIName]) AS r
WHERE r IS NOT NULL
MERGE (n:StandardName {name: r[1]})
ON CREATE SET n.category = r[2], n.side = r[3], n.description = r[4], n.list_version = r[5]
MERGE (roi)-[e:NAMED_AS]->(n)
SET e.exact = (r[6] = 'EXACT'), e.method = r[6], e.score = r[7], e.reviewer = r[8], e.reviewed = date(r[9]);
