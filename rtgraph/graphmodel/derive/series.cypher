// The derived pass: everything that is computed from stored facts, in the order in which it runs.
// $dirty and $frames are batches of UIDs, $rows what `facts` returned; $series_label and $all_labels
// are filled in from the modality table when the files of this folder are loaded. Each statement may
// be repeated.

// name: alone
// The lock of a node that every store has once, until the pass ends.
MATCH (r:ReferenceRole {role: 'OTHER_REFERENCE'})
SET r.quiet = r.quiet;

// name: touched
// In the order of the index, which is that of writing: neighbours in the graph stay together.
MATCH (s:Series) WHERE s.dirty IS NOT NULL RETURN s.SeriesInstanceUID AS uid;

// name: all_series
// The count is kept by the server.
MATCH (s:Series) RETURN count(s) AS n;

// name: spread_study
// Patients and studies of a series show in what is derived of all that share them.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})<-[:HAS_SERIES]-(t:Study)
WHERE COUNT { (t)<-[:HAS_STUDY]-() } > 1
WITH DISTINCT t
MATCH (t)-[:HAS_SERIES]->(s:Series)
SET s.dirty = true;

// name: spread
// Series that refer into a touched one count its instances, so they are touched too.
UNWIND $dirty AS uid
MATCH (t:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:Instance)<-[:REFERENCES]-(x:Instance|Series)
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(x)
WITH DISTINCT coalesce(s, x) AS d
SET d.dirty = true;

// name: spread_series
UNWIND $dirty AS uid
MATCH (t:Series {SeriesInstanceUID: uid})<-[:REFERENCES_SERIES]-(x:Instance|Series)
OPTIONAL MATCH (s:Series)-[:HAS_INSTANCE]->(x)
WITH DISTINCT coalesce(s, x) AS d
SET d.dirty = true;

// name: spread_targets
// What a touched series referred to may change its rank as an anchor.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:REFERENCES*1..2]->(s:Series)
SET s.dirty = true;

// name: counts
// For all series before anything else: `complete` compares with n_instances.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
SET s.n_instances = COUNT { (s)-[:HAS_INSTANCE]->(i:Instance) WHERE NOT i:Missing };

// name: hold
// Locks: what a writer adds to a series is seen below, or comes later and marks it again.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
SET s.dirty = true;

// name: facts
// One walk over the instances. Which of the statements below have work is told by what returns.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
OPTIONAL MATCH (s)-[:HAS_INSTANCE]->(i:Instance)
WITH s, i:Missing AS missing, i:Image AS image, i:RTPlan AS plan, i:RTImage OR i:RTRecord AS delivery,
     i:RTStruct AS structure, i:RTDose AS dose, i:Registration AS registration, i:Segmentation AS segmentation,
     i.SOPClassUID AS class, i.Modality AS modality, i.frame_source AS source, i.variant AS variant,
     CASE WHEN i.frame_source IN ['MODULE', 'STRUCTURE_SET'] THEN i.frame_uid END AS frame,
     i.invalid_keywords IS NOT NULL AS invalid, count(i) AS n, sum(coalesce(i.NumberOfFrames, 1)) AS n_frames
ORDER BY class, modality, frame
WITH s, collect(CASE WHEN frame IS NOT NULL THEN [s.SeriesInstanceUID, frame, source, n] END) AS frames,
     collect(DISTINCT class) AS classes, collect(DISTINCT modality) AS modalities,
     collect(DISTINCT CASE WHEN source = 'MODULE' THEN frame END) AS module_frames,
     collect(CASE WHEN variant IS NOT NULL THEN [variant, n] END) AS variants,
     sum(CASE WHEN missing THEN 0 ELSE n END) AS present, sum(CASE WHEN missing THEN n ELSE 0 END) AS absent,
     sum(CASE WHEN image AND NOT missing THEN n_frames END) AS n_frames,
     max(n > 0 AND NOT image) AS objects, max(plan) AS plans, max(delivery) AS deliveries, max(structure) AS structures,
     max(dose) AS doses, max(registration) AS registrations, max(segmentation) AS segmentations, max(invalid) AS invalid
SET s.n_instances = present, s.n_missing_instances = absent, s.sop_classes = classes,
    s.modalities_seen = modalities, s.frame_uids = module_frames,
    s.n_frames = CASE WHEN n_frames > 0 THEN n_frames END,
    s.variants = CASE WHEN size(variants) > 0 THEN [v IN s.variants WHERE any(x IN variants WHERE v STARTS WITH x[0])] END,
    s.n_unresolved_refs = 0, s.internal_roles = []
RETURN s.SeriesInstanceUID AS uid, frames, variants, plans, deliveries, structures, doses, registrations, segmentations, objects, invalid,
       n_frames > 0 AS images, size(modalities) > 1 OR size(module_frames) > 1 AS several,
       objects OR EXISTS { (s)-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]->() } AS referring;

// name: several
// What the walk over classes has found is in the order of classes.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
SET s.modalities_seen = COLLECT { UNWIND s.modalities_seen AS m RETURN m ORDER BY m },
    s.frame_uids = COLLECT { UNWIND s.frame_uids AS f RETURN f ORDER BY f };

// name: labels
// By Modality, where that says which.
WITH $series_label AS table
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
WITH s, table[s.Modality] AS row
WHERE row IS NOT NULL AND NOT row.label IN labels(s)
REMOVE s:$all_labels
SET s:$(row.label), s.layer = row.layer;

// name: labels_by_family
// Else by the family of the first instance.
WITH $series_label AS table
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
WHERE table[s.Modality] IS NULL
WITH s, COLLECT { MATCH (s)-[:HAS_INSTANCE]->(i:Instance) WITH i ORDER BY i.SOPInstanceUID LIMIT 1 UNWIND labels(i) AS l WITH l WHERE table[l] IS NOT NULL RETURN table[l] ORDER BY l = 'Image' } AS by_family
WITH s, coalesce(head(by_family), {label: 'OtherSeries', layer: 4}) AS row
REMOVE s:$all_labels
SET s:$(row.label), s.layer = row.layer;

// name: references_before
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[e:REFERENCES]->(:Series)
DELETE e;

// name: lift_instances
// From an instance of the series or, for image objects, from the series itself.
UNWIND $dirty AS uid
MATCH (a:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE*0..1]->(x:Instance|Series)-[r:REFERENCES]->(j:Instance)
OPTIONAL MATCH (j)<-[:HAS_INSTANCE]-(b:Series)
WITH a, b, r.role AS role, count(r) AS n, count(DISTINCT x) AS n_sources, count(DISTINCT j) AS n_targets,
     count(DISTINCT CASE WHEN j:Missing THEN j END) AS n_missing,
     count(CASE WHEN x:Instance AND x <> j THEN x END) AS of_objects
ORDER BY role
WITH a, collect({b: b, role: role, n: n, of_objects: of_objects, sources: n_sources, targets: n_targets, missing: n_missing}) AS rows
SET a.n_unresolved_refs = reduce(sum = 0, row IN rows | sum + CASE WHEN row.b IS NULL THEN row.n ELSE 0 END),
    a.internal_roles = [row IN rows WHERE row.b = a AND row.of_objects > 0 | row.role]
WITH a, rows
UNWIND [row IN rows WHERE row.b <> a] AS row
WITH a, row, row.b AS b
MERGE (a)-[e:REFERENCES {role: row.role}]->(b)
SET e.n_sources = row.sources, e.n_targets = row.targets, e.n_missing = row.missing,
    e.n_present = row.targets - row.missing,
    e.complete = (row.missing = 0 AND row.targets = b.n_instances);

// name: lift_series
// Roles that only locate images count when nothing else links the two series.
UNWIND $dirty AS uid
MATCH (a:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE*0..1]->(x:Instance|Series)-[r:REFERENCES_SERIES]->(b:Series)
WHERE a <> b
WITH a, b, r.role AS role, count(DISTINCT x) AS n_sources
WITH a, b, collect({role: role, n: n_sources}) AS stated, EXISTS { (a)-[:REFERENCES]->(b) } OR any(x IN collect(role) WHERE NOT x IN $if_alone) AS linked
UNWIND stated AS row
WITH a, b, row
WHERE NOT (linked AND row.role IN $if_alone)
MERGE (a)-[e:REFERENCES {role: row.role}]->(b)
ON CREATE SET e.n_sources = row.n;

// name: crossing
UNWIND $dirty AS uid
MATCH (a:Series {SeriesInstanceUID: uid})-[e:REFERENCES]->(b:Series), (sa:Study)-[:HAS_SERIES]->(a), (sb:Study)-[:HAS_SERIES]->(b)
WHERE sa <> sb
SET e.cross_study = true
WITH e, sa, sb
MATCH (pa:Patient)-[:HAS_STUDY]->(sa)
MATCH (pb:Patient)-[:HAS_STUDY]->(sb)
WHERE pa <> pb
SET e.cross_patient = true;

// name: referring_patients
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE*0..1]->(:Instance|Series)-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]->(b:Instance|Series|Study)
WHERE b:Missing
WITH DISTINCT b
SET b.referred_by_patients = COLLECT {
  MATCH (b)<-[:REFERENCES|REFERENCES_SERIES|REFERENCES_STUDY]-(x:Instance|Series)
  MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series)-[:HAS_INSTANCE*0..1]->(x)
  RETURN DISTINCT p.patient_key AS k ORDER BY k };

// name: frames_before
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[e:IN_FRAME]->(f:FrameOfReference)
SET f.dirty = true
DELETE e;

// name: frames
// Stated frames only; an inherited frame never makes a series share a frame.
UNWIND $rows AS r
MATCH (s:Series {SeriesInstanceUID: r[0]})
WITH s, r[1] AS frame, r[2] AS source, sum(r[3]) AS n
MERGE (f:FrameOfReference {FrameOfReferenceUID: frame})
ON CREATE SET f.kind = CASE WHEN frame STARTS WITH $well_known THEN 'WELL_KNOWN' ELSE 'PATIENT' END
SET f.dirty = true
MERGE (s)-[e:IN_FRAME {source: source}]->(f)
SET e.n_instances = n;

// name: frame_of_plan
// Inherited again from what is there now: the structure set may have come later, or changed.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(p:RTPlan)
WHERE p.frame_uid IS NULL OR p.frame_source = 'INHERITED'
WITH DISTINCT p, COLLECT { MATCH (p)-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]->(s:RTStruct) WHERE s.frame_uid IS NOT NULL RETURN s.frame_uid AS f ORDER BY f LIMIT 1 } AS frames
SET p.frame_uid = frames[0], p.frame_source = CASE WHEN size(frames) > 0 THEN 'INHERITED' END;

// name: frame_of_delivery
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(x:RTImage|RTRecord)
WHERE x.frame_uid IS NULL OR x.frame_source = 'INHERITED'
WITH x, COLLECT { MATCH (x)-[r:REFERENCES]->(p:RTPlan) WHERE r.role IN ['RTIMAGE_PLAN', 'RECORD_PLAN'] AND p.frame_uid IS NOT NULL RETURN p.frame_uid AS f ORDER BY f LIMIT 1 } AS frames
SET x.frame_uid = frames[0], x.frame_source = CASE WHEN size(frames) > 0 THEN 'INHERITED' END;

// name: frame_of_deliveries_of_plan
// What was delivered may be in a series that nothing has touched.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(:RTPlan)<-[:REFERENCES]-(x:RTImage|RTRecord)
WHERE x.frame_uid IS NULL OR x.frame_source = 'INHERITED'
WITH DISTINCT x
WITH x, COLLECT { MATCH (x)-[r:REFERENCES]->(p:RTPlan) WHERE r.role IN ['RTIMAGE_PLAN', 'RECORD_PLAN'] AND p.frame_uid IS NOT NULL RETURN p.frame_uid AS f ORDER BY f LIMIT 1 } AS frames
SET x.frame_uid = frames[0], x.frame_source = CASE WHEN size(frames) > 0 THEN 'INHERITED' END;

// name: issues_before
// What a run of checks has seen or a person has waived is kept: it may only be over.
UNWIND $dirty AS uid
MATCH (x:Issue {rule: 'VAL-01'})-[:ABOUT]->(:Series {SeriesInstanceUID: uid})
CALL (x) {
  WITH x WHERE x.status = 'OPEN' AND EXISTS { (x)-[:FOUND_IN]->() }
  SET x.status = 'CLOSED'
}
CALL (x) {
  WITH x WHERE x.status = 'OPEN' AND NOT EXISTS { (x)-[:FOUND_IN]->() }
  DETACH DELETE x
};

// name: issues
// One for each series, keyword and reason, however many slices are concerned.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(i:Instance)
WHERE i.invalid_keywords IS NOT NULL
WITH DISTINCT s, i ORDER BY i.SOPInstanceUID
UNWIND range(0, size(i.invalid_keywords) - 1) AS k
WITH s, i.invalid_keywords[k] AS keyword, i.invalid_reasons[k] AS reason, collect({uid: i.SOPInstanceUID, raw: i.invalid_values[k]}) AS seen
MERGE (x:Issue {key: 'VAL-01|' + s.SeriesInstanceUID + '|' + keyword + '|' + reason})
SET x.rule = 'VAL-01',
    x.severity = CASE WHEN reason = 'PLACEHOLDER' THEN 'INFO' WHEN reason = 'SEVERAL_VALUES' AND keyword ENDS WITH 'UID' THEN 'ERROR' ELSE 'WARNING' END,
    x.confidence = 1.0, x.status = CASE WHEN x.status = 'WAIVED' THEN 'WAIVED' ELSE 'OPEN' END, x.subject = s.SeriesInstanceUID, x.subject_label = 'Series',
    x.keyword = keyword, x.reason = reason, x.count = size(seen), x.first = seen[0].uid, x.raw = seen[0].raw,
    x.patient_key = head(COLLECT { MATCH (p:Patient)-[:HAS_STUDY]->()-[:HAS_SERIES]->(s) RETURN p.patient_key AS key ORDER BY key LIMIT 1 })
MERGE (x)-[:ABOUT]->(s);

// name: study_counts
UNWIND $dirty AS uid
MATCH (t:Study)-[:HAS_SERIES]->(:Series {SeriesInstanceUID: uid})
WITH DISTINCT t
MATCH (t)-[:HAS_SERIES]->(s:Series)
WITH t, CASE WHEN NOT s:Missing THEN s.Modality END AS modality, sum(CASE WHEN s:Missing THEN 0 ELSE 1 END) AS series, sum(coalesce(s.n_instances, 0)) AS instances
ORDER BY modality
WITH t, collect(modality) AS modalities, sum(series) AS series, sum(instances) AS instances
SET t.n_series = series, t.n_instances = instances, t.modalities = modalities;

// name: patient_counts
// What was seen stands in the variants of series: birth date, sex and name at places 2 to 4.
UNWIND $dirty AS uid
MATCH (p:Patient)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(:Series {SeriesInstanceUID: uid})
WITH DISTINCT p
WITH p, COLLECT { MATCH (p)-[:HAS_STUDY]->(:Study)-[:HAS_SERIES]->(s:Series) UNWIND s.variants AS v WITH split(v, '|') AS f RETURN DISTINCT f[1..4] } AS seen
SET p.n_studies = COUNT { (p)-[:HAS_STUDY]->(t:Study) WHERE NOT t:Missing },
    p.birth_dates_seen = COLLECT { UNWIND seen AS f WITH DISTINCT f[0] AS x WHERE x <> '' RETURN date(x) AS d ORDER BY d },
    p.sexes_seen = COLLECT { UNWIND seen AS f WITH DISTINCT f[1] AS x WHERE x <> '' RETURN x ORDER BY x },
    p.names_seen = COLLECT { UNWIND seen AS f WITH DISTINCT f[2] AS x WHERE x <> '' RETURN x ORDER BY x };

// name: almost_done
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
SET s.dirty = false;

// name: anchor_ranks
// The anchor of a star: planning images first. A new rank may move the anchor.
UNWIND $dirty AS uid
MATCH (:Series {SeriesInstanceUID: uid})-[:REFERENCES*0..2]->(s:Series)
WITH DISTINCT s
WITH s, CASE
    WHEN s.layer = 0 AND EXISTS { (s)<-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]-(:Series)<-[:REFERENCES {role: 'PLAN_STRUCTURE_SET'}]-(:Series) } THEN 0
    WHEN s.layer = 0 AND EXISTS { (s)<-[:REFERENCES {role: 'STRUCTURE_SET_IMAGE'}]-(:Series) } THEN 1
    WHEN s:CTSeries THEN 2
    WHEN s:MRSeries THEN 3
    WHEN s:PTSeries THEN 4
    WHEN s.layer = 0 THEN 5
    ELSE 6 END AS rank
WHERE s.anchor_rank IS NULL OR s.anchor_rank <> rank
SET s.anchor_rank = rank
WITH s
MATCH (s)-[:IN_FRAME]->(f:FrameOfReference)
SET f.dirty = true;

// name: series_done
// What was written since then has marked the series again. Setting the UID to what it is changes
// nothing but takes the lock, so that the mark of a writer who is about to commit is seen.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
SET s.SeriesInstanceUID = uid
WITH s
WHERE s.dirty = false
REMOVE s.dirty;
