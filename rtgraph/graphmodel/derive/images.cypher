// Image series as volumes: what their variants say, and how their slices lie.

// name: variants
// $rows: series, pairs of hash and number of instances. Places of a variant: hash, birth date, sex, name,
// private elements, orientation, size, LOCALIZER mark, AcquisitionNumber, rescale.
UNWIND $rows AS r
MATCH (s:Series {SeriesInstanceUID: r[0]})
WITH s, [x IN r[1] | head([v IN s.variants WHERE v STARTS WITH x[0] | split(v, '|') + [toString(x[1])]])] AS vs
SET s.n_private_elements = reduce(most = 0, v IN vs | CASE WHEN toInteger(v[4]) > most THEN toInteger(v[4]) ELSE most END)
WITH s, vs
WHERE s.n_frames IS NOT NULL
SET s.n_orientations = COUNT { UNWIND vs AS v WITH DISTINCT v[5] AS o WHERE o <> '' RETURN o },
    s.n_matrix_sizes = COUNT { UNWIND vs AS v WITH DISTINCT v[6] AS m WHERE NOT m IN ['', 'x'] RETURN m },
    s.n_localizers = reduce(n = 0, v IN vs | n + CASE WHEN v[7] = 'L' THEN toInteger(v[10]) ELSE 0 END),
    s.n_acquisition_numbers = COUNT { UNWIND vs AS v WITH DISTINCT v[8] AS a WHERE a <> '' RETURN a },
    s.rescale_values = COLLECT { UNWIND vs AS v WITH DISTINCT v[9] AS x WHERE x <> '' RETURN x ORDER BY x LIMIT 10 },
    s.n_no_rescale = CASE WHEN s.Modality IN ['CT', 'PT'] THEN reduce(n = 0, v IN vs | n + CASE WHEN v[6] <> '' AND v[9] = '' THEN toInteger(v[10]) ELSE 0 END) END;

// name: numbers
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(i:Image)
WHERE i.InstanceNumber IS NOT NULL
WITH s, count(DISTINCT i.InstanceNumber) AS n, min(i.InstanceNumber) AS first, max(i.InstanceNumber) AS last
SET s.n_number_gaps = last - first + 1 - n;

// name: slices
// Slices with one orientation and size are a stack, sorted along the normal. Those within 0.01 mm are at one
// place. As many slices at each place as at most of them are phases or echoes; more are duplicates.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})-[:HAS_INSTANCE]->(i:Image)
WHERE i.slice_position IS NOT NULL
WITH s, i.slice_position AS z, i.slice_offset AS o,
     CASE WHEN size(s.variants) > 1 THEN head([v IN s.variants WHERE v STARTS WITH i.variant | split(v, '|')[5..7]]) END AS stack
ORDER BY z, o
WITH s, stack, collect(z) AS found, collect(o) AS offsets
WITH s, stack, found, offsets, [k IN range(0, size(found) - 1) WHERE k = 0 OR found[k] - found[k - 1] > 0.01] AS starts
WITH s, stack, size(found) AS slices, [k IN starts | found[k]] AS zs, [k IN starts | offsets[k]] AS os,
     [k IN range(0, size(starts) - 1) | coalesce(starts[k + 1], size(found)) - starts[k]] AS ns
WITH s, stack, zs, ns, slices, COLLECT { UNWIND ns AS n RETURN n ORDER BY n } AS counts,
     [k IN range(1, size(zs) - 1) | zs[k] - zs[k - 1]] AS steps,
     [k IN range(1, size(os) - 1) | sqrt((os[k][0] - os[k - 1][0]) ^ 2 + (os[k][1] - os[k - 1][1]) ^ 2)] AS shears
WITH s, stack, zs, ns, counts[(size(counts) - 1) / 2] AS usual, slices, steps, (size(steps) - 1) / 2 AS low, size(steps) / 2 AS high,
     COLLECT { UNWIND steps AS d RETURN d ORDER BY d } AS rising,
     COLLECT { UNWIND shears AS d RETURN d ORDER BY d } AS shears
WITH s, stack, zs, ns, usual, slices, steps, (rising[low] + rising[high]) / 2 AS spacing, (shears[low] + shears[high]) / 2 AS shear
ORDER BY slices DESC, stack
WITH s, collect({zs: zs, steps: steps, spacing: spacing, shear: shear, duplicates: reduce(n = 0, k IN ns | n + CASE WHEN k > usual THEN k - usual ELSE 0 END),
     gaps: size([d IN steps WHERE d > 1.5 * spacing])}) AS stacks
WITH s, stacks, stacks[0] AS main
SET s.slice_spacing = main.spacing, s.slice_shear_mm = main.shear,
    s.slice_spacing_min = reduce(least = head(main.steps), d IN main.steps | CASE WHEN d < least THEN d ELSE least END),
    s.slice_spacing_max = reduce(most = head(main.steps), d IN main.steps | CASE WHEN d > most THEN d ELSE most END),
    s.extent_mm = [main.zs[0], main.zs[-1]],
    s.n_duplicate_positions = reduce(n = 0, t IN stacks | n + t.duplicates),
    s.n_slice_gaps = reduce(n = 0, t IN stacks | n + t.gaps);

// name: no_slices
// Values of images that have left.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
WHERE s.extent_mm IS NOT NULL OR s.n_number_gaps IS NOT NULL OR s.n_orientations IS NOT NULL OR s.is_cbct IS NOT NULL
SET s.slice_spacing = null, s.slice_shear_mm = null, s.slice_spacing_min = null, s.slice_spacing_max = null,
    s.extent_mm = null, s.n_duplicate_positions = null, s.n_slice_gaps = null, s.n_number_gaps = null,
    s.n_orientations = null, s.n_matrix_sizes = null, s.n_localizers = null, s.n_acquisition_numbers = null,
    s.rescale_values = null, s.n_no_rescale = null, s.is_cbct = null;

// name: cone_beam
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
WHERE s.cbct_score IS NOT NULL
SET s.is_cbct = s.cbct_score >= 0.5 OR EXISTS { (s)-[:REFERENCES {role: 'IMAGING_PLAN'}]->() };

// name: equipment
// Who made a series is stated on the series.
UNWIND $dirty AS uid
MATCH (s:Series {SeriesInstanceUID: uid})
OPTIONAL MATCH (s)-[e:ACQUIRED_ON]->(:Equipment)
DELETE e
WITH DISTINCT s, [x IN [s.Manufacturer, s.ManufacturerModelName, coalesce(s.DeviceSerialNumber, s.StationName)] | coalesce(x, '')] AS names
WHERE any(x IN names WHERE x <> '')
MERGE (q:Equipment {key: reduce(text = names[0], x IN tail(names) | text + '|' + x)})
ON CREATE SET q.Manufacturer = s.Manufacturer, q.ManufacturerModelName = s.ManufacturerModelName,
  q.DeviceSerialNumber = s.DeviceSerialNumber,
  q.StationName = CASE WHEN s.DeviceSerialNumber IS NULL THEN s.StationName END
MERGE (s)-[:ACQUIRED_ON]->(q);

// name: equipment_kinds
// What makes records or treatment images treats, whatever else it makes; what nothing was made on goes.
MATCH (q:Equipment)
WITH q, CASE
    WHEN EXISTS { (q)<-[:ACQUIRED_ON]-(:RTRecordSeries) } OR EXISTS { (q)<-[:ACQUIRED_ON]-(c:CTSeries) WHERE c.is_cbct } THEN 'TreatmentMachine'
    WHEN EXISTS { (q)<-[:ACQUIRED_ON]-(c:Series) WHERE c.layer = 0 } THEN 'Scanner'
    WHEN EXISTS { (q)<-[:ACQUIRED_ON]-(:RTPlanSeries|RTStructSeries|RTDoseSeries) } THEN 'PlanningSystem' END AS kind
WHERE coalesce(q.kind, '') <> coalesce(kind, '')
REMOVE q:Scanner:TreatmentMachine:PlanningSystem
SET q.kind = kind
FOREACH (k IN CASE kind WHEN 'Scanner' THEN [1] ELSE [] END | SET q:Scanner)
FOREACH (k IN CASE kind WHEN 'TreatmentMachine' THEN [1] ELSE [] END | SET q:TreatmentMachine)
FOREACH (k IN CASE kind WHEN 'PlanningSystem' THEN [1] ELSE [] END | SET q:PlanningSystem);

// name: equipment_unused
MATCH (q:Equipment|StandardName)
WHERE NOT EXISTS { (q)<--() }
DELETE q;
